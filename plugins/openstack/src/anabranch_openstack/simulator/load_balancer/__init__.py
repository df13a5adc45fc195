"""Octavia: load balancers with listeners, pools and members."""
