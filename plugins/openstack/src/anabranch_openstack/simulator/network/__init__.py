"""Neutron: networks, ports and security groups."""
