"""Neutron: networks, ports, routers, floating IPs and security groups."""
