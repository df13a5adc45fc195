"""The documents of neutron, as far as they are translated."""

from __future__ import annotations

import msgspec
from msgspec import field

__all__ = [
    "FixedIp",
    "FloatingIp",
    "Network",
    "Port",
    "PortDetails",
    "Rule",
    "SecurityGroup",
    "Subnet",
]


class Network(msgspec.Struct, gc=False):
    """A network; the blocks of its subnets are in the documents of those."""

    id: str
    name: str | None = None
    status: str = ""
    subnets: list[str] | None = None
    external: bool | None = field(default=None, name="router:external")
    shared: bool | None = None
    is_default: bool | None = None


class Subnet(msgspec.Struct, gc=False):
    """A subnet; it has no status."""

    id: str
    network_id: str
    name: str | None = None
    cidr: str | None = None
    gateway_ip: str | None = None
    external: bool | None = field(default=None, name="router:external")


class FixedIp(msgspec.Struct, gc=False):
    """An address of a port."""

    ip_address: str
    subnet_id: str | None = None


class Port(msgspec.Struct, gc=False):
    """A port: of a server, a router, a load balancer, or of nobody yet."""

    id: str
    name: str | None = None
    status: str = ""
    network_id: str | None = None
    mac_address: str | None = None
    device_id: str | None = None
    device_owner: str | None = None
    fixed_ips: list[FixedIp] | None = None
    security_groups: list[str] | None = None


class PortDetails(msgspec.Struct, gc=False):
    """What a floating IP tells of its port, since the Rocky release (2018)."""

    device_id: str | None = None
    device_owner: str | None = None


class FloatingIp(msgspec.Struct, gc=False):
    """A floating IP."""

    id: str
    floating_ip_address: str
    floating_network_id: str | None = None
    fixed_ip_address: str | None = None
    port_id: str | None = None
    port_details: PortDetails | None = None
    status: str = ""


class Rule(msgspec.Struct, gc=False):
    """A rule of a security group; without any remote end it is about all addresses."""

    id: str
    direction: str = "ingress"
    ethertype: str | None = None
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None
    remote_address_group_id: str | None = None


class SecurityGroup(msgspec.Struct, gc=False):
    """A security group with its rules."""

    id: str
    name: str | None = None
    description: str | None = None
    project_id: str | None = None
    security_group_rules: list[Rule] | None = None
