"""Networks, VPCs, public addresses, and the rules on them."""

from __future__ import annotations

import ipaddress
from typing import ClassVar

import msgspec

from anabranch_cloudstack.simulator.records import Record

__all__ = [
    "AclItem",
    "AclList",
    "Address",
    "Balancer",
    "FirewallRule",
    "ForwardingRule",
    "Network",
    "SecurityGroup",
    "SecurityRule",
    "StickinessPolicy",
    "Vpc",
]


class Network(Record, kw_only=True):
    """One guest network.

    Attributes:
        given: The next host number that a machine gets.
    """

    kind: ClassVar[str] = "Network"

    text: str
    zone: str
    offering: str
    type: str
    gateway: str
    cidr: str
    state: str = "Allocated"
    vpc: str = ""
    acl: str = ""
    domain: str = "cs2cloud.internal"
    vlan: int = 0
    given: int = 0

    @property
    def netmask(self) -> str:
        """Its netmask."""
        return str(ipaddress.IPv4Network(self.cidr).netmask) if self.cidr else ""


class Vpc(Record, kw_only=True):
    """One VPC."""

    kind: ClassVar[str] = "Vpc"

    text: str
    zone: str
    offering: str
    cidr: str
    state: str = "Enabled"
    domain: str = "cs2cloud.internal"


class AclList(Record, kw_only=True):
    """One network ACL list; the two built-in ones belong to no VPC."""

    text: str
    vpc: str = ""


class AclItem(Record, kw_only=True):
    """One rule of a network ACL list."""

    kind: ClassVar[str] = "NetworkACL"

    acl: str
    number: int
    protocol: str
    action: str
    direction: str
    cidrs: str
    start: int | None = None
    end: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    reason: str = ""


class Address(Record, kw_only=True):
    """One public address; it is free when it has no account.

    Attributes:
        number: Its internal number, which one command tells instead of the id.
        allocated: When it was taken, seconds since the epoch.
        network: The id of the guest network that it serves.
        machine: The id of the machine to which all of it goes.
        guest: The address of that machine.
    """

    kind: ClassVar[str] = "PublicIpAddress"

    number: int
    address: str
    zone: str
    public_network: str
    allocated: float = 0.0
    state: str = "Free"
    network: str = ""
    vpc: str = ""
    source_nat: bool = False
    machine: str = ""
    guest: str = ""


class FirewallRule(Record, kw_only=True):
    """One rule on a public address, or for what leaves a network."""

    kind: ClassVar[str] = "FirewallRule"

    protocol: str
    cidrs: str
    network: str
    address: str = ""
    start: int | None = None
    end: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    destinations: str = ""

    @property
    def egress(self) -> bool:
        """Whether it is about what leaves."""
        return not self.address


class ForwardingRule(Record, kw_only=True):
    """One port forwarding rule, or with static NAT one IP forwarding rule."""

    kind: ClassVar[str] = "PortForwardingRule"

    address: str
    protocol: str
    public_start: int
    public_end: int
    private_start: int
    private_end: int
    machine: str
    guest: str
    network: str
    static: bool = False


class StickinessPolicy(Record, kw_only=True):
    """How a load balancer keeps a client at one member."""

    method: str
    parameters: dict[str, str] = msgspec.field(default_factory=dict[str, str])


class Balancer(Record, kw_only=True):
    """One load balancer rule: one port of an address.

    Attributes:
        members: The addresses of each machine to which it goes, by the machine's id.
    """

    kind: ClassVar[str] = "LoadBalancer"

    text: str
    address: str
    network: str
    zone: str
    algorithm: str
    protocol: str
    public_port: int
    private_port: int
    state: str = "Add"
    members: dict[str, list[str]] = msgspec.field(default_factory=dict[str, list[str]])
    policy: StickinessPolicy | None = None


class SecurityRule(msgspec.Struct, kw_only=True):
    """One rule of a security group, for addresses or for the members of a group."""

    id: str
    protocol: str
    start: int | None = None
    end: int | None = None
    icmp_type: int | None = None
    icmp_code: int | None = None
    cidr: str = ""
    group: str = ""
    group_account: str = ""


class SecurityGroup(Record, kw_only=True):
    """One security group."""

    kind: ClassVar[str] = "SecurityGroup"

    text: str
    ingress: list[SecurityRule] = msgspec.field(default_factory=list[SecurityRule])
    egress: list[SecurityRule] = msgspec.field(default_factory=list[SecurityRule])
