"""The documents of CloudStack, as far as they are translated.

Types are what the server sends, which is not uniform: ports are numbers in one list and texts in
the next.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import field

__all__ = [
    "Account",
    "AclList",
    "AclRule",
    "Address",
    "Capabilities",
    "DiskOffering",
    "Identified",
    "KeyPair",
    "LoadBalancerRule",
    "MeasuredMachine",
    "Network",
    "NetworkOffering",
    "Nic",
    "ResourceLimit",
    "Rule",
    "SecurityGroup",
    "SecurityRule",
    "ServiceOffering",
    "Snapshot",
    "Statistics",
    "Tag",
    "Template",
    "UsageHistory",
    "VirtualMachine",
    "Volume",
    "Vpc",
    "Zone",
]

Number = int | str | None


class Identified(msgspec.Struct, gc=False):
    """What another thing is known by."""

    id: str | None = None


class Tag(msgspec.Struct, gc=False):
    """A name and value that somebody gave a resource."""

    key: str
    value: str | None = None


class Zone(msgspec.Struct, gc=False):
    """A zone."""

    id: str
    name: str | None = None
    networktype: str | None = None
    securitygroupsenabled: bool = False
    allocationstate: str | None = None


class ServiceOffering(msgspec.Struct, gc=False):
    """A service offering: memory in MiB, speed in MHz, root disk in GiB, 0 as the template's."""

    id: str
    name: str | None = None
    cpunumber: Number = None
    cpuspeed: Number = None
    memory: Number = None
    iscustomized: bool = False
    rootdisksize: Number = None
    details: dict[str, str] | None = field(default=None, name="serviceofferingdetails")


class DiskOffering(msgspec.Struct, gc=False):
    """A disk offering: GiB."""

    id: str
    name: str | None = None
    disksize: Number = None
    iscustomized: bool = False
    iscustomizediops: bool = False


class Template(msgspec.Struct, gc=False):
    """A template or an ISO, as one zone has it: size in bytes."""

    id: str
    name: str | None = None
    displaytext: str | None = None
    account: str | None = None
    arch: str | None = None
    isready: bool | None = None
    status: str | None = None
    created: str | None = None
    size: int | None = None
    ispublic: bool | None = None
    tags: list[Tag] | None = None


class Nic(msgspec.Struct, gc=False):
    """A NIC; the virtual machine is told by `listNics` alone."""

    id: str
    networkid: str | None = None
    ipaddress: str | None = None
    ip6address: str | None = None
    macaddress: str | None = None
    type: str | None = None
    isdefault: bool | None = None
    secondaryip: list[_SecondaryIp] | None = None


class _SecondaryIp(msgspec.Struct, gc=False):
    ipaddress: str | None = None


class VirtualMachine(msgspec.Struct, gc=False):
    """A virtual machine: memory in MiB. `keypair` is what 4.16 and before call `keypairs`."""

    id: str
    name: str | None = None
    displayname: str | None = None
    account: str | None = None
    created: str | None = None
    state: str = "Unknown"
    zoneid: str | None = None
    templateid: str | None = None
    serviceofferingid: str | None = None
    cpunumber: Number = None
    memory: Number = None
    keypairs: str | None = None
    keypair: str | None = None
    publicip: str | None = None
    password: str | None = None
    nic: list[Nic] | None = None
    securitygroup: list[Identified] | None = None
    tags: list[Tag] | None = None
    details: dict[str, Any] | None = None


class Statistics(msgspec.Struct, gc=False):
    """What was measured of a virtual machine: kB transferred since its start, memory in KiB."""

    timestamp: str | None = None
    cpuused: str | None = None
    diskioread: float | None = None
    diskiowrite: float | None = None
    diskkbsread: float | None = None
    diskkbswrite: float | None = None
    memorykbs: float | None = None
    memoryintfreekbs: float | None = None
    networkkbsread: float | None = None
    networkkbswrite: float | None = None


class MeasuredMachine(Statistics, gc=False, kw_only=True):
    """A virtual machine as `listVirtualMachines details=stats` tells it."""

    id: str
    name: str | None = None
    displayname: str | None = None


class UsageHistory(msgspec.Struct, gc=False):
    """What was measured of a virtual machine over time; `name` is the hypervisor's."""

    id: str
    displayname: str | None = None
    stats: list[Statistics] = []


class KeyPair(msgspec.Struct, gc=False):
    """A key pair; the private key is in the answer to its making only."""

    name: str
    fingerprint: str | None = None
    privatekey: str | None = None
    publickey: str | None = None


class SecurityRule(msgspec.Struct, gc=False):
    """A rule of a security group: for one block of addresses, or one group."""

    ruleid: str
    protocol: str | None = None
    startport: Number = None
    endport: Number = None
    icmptype: Number = None
    icmpcode: Number = None
    cidr: str | None = None
    securitygroupname: str | None = None
    account: str | None = None


class SecurityGroup(msgspec.Struct, gc=False):
    """A security group."""

    id: str
    name: str | None = None
    description: str | None = None
    account: str | None = None
    ingressrule: list[SecurityRule] | None = None
    egressrule: list[SecurityRule] | None = None


class Rule(msgspec.Struct, gc=False):
    """A rule of the firewall of a public address or, for egress, of a network."""

    id: str
    protocol: str | None = None
    startport: Number = None
    endport: Number = None
    icmptype: Number = None
    icmpcode: Number = None
    cidrlist: str | None = None
    ipaddressid: str | None = None
    state: str | None = None


class AclList(msgspec.Struct, gc=False):
    """A list of network ACLs; the two that are built in belong to no VPC."""

    id: str
    name: str | None = None
    description: str | None = None
    vpcid: str | None = None


class AclRule(msgspec.Struct, gc=False):
    """A network ACL: a rule of such a list."""

    id: str
    aclid: str | None = None
    protocol: str | None = None
    startport: Number = None
    endport: Number = None
    icmptype: Number = None
    icmpcode: Number = None
    cidrlist: str | None = None
    traffictype: str | None = None
    action: str | None = None


class Address(msgspec.Struct, gc=False):
    """A public address; `networkid` is the public network, not the guests'."""

    id: str
    ipaddress: str | None = None
    zoneid: str | None = None
    account: str | None = None
    associatednetworkid: str | None = None
    vpcid: str | None = None
    virtualmachineid: str | None = None
    vmipaddress: str | None = None
    issourcenat: bool = False
    isstaticnat: bool = False
    state: str | None = None
    tags: list[Tag] | None = None


class LoadBalancerRule(msgspec.Struct, gc=False):
    """One port of a public address, shared out to virtual machines."""

    id: str
    name: str | None = None
    publicipid: str | None = None
    publicip: str | None = None
    publicport: Number = None
    privateport: Number = None
    protocol: str | None = None
    zoneid: str | None = None
    state: str | None = None


class Volume(msgspec.Struct, gc=False):
    """A volume: size in bytes."""

    id: str
    name: str | None = None
    state: str = "Unknown"
    type: str | None = None
    size: int | None = None
    zoneid: str | None = None
    diskofferingid: str | None = None
    virtualmachineid: str | None = None
    deviceid: Number = None
    snapshotid: str | None = None
    created: str | None = None
    tags: list[Tag] | None = None


class Snapshot(msgspec.Struct, gc=False):
    """A snapshot of a volume, once for each zone that has it: size in bytes."""

    id: str
    name: str | None = None
    state: str = "Unknown"
    volumeid: str | None = None
    virtualsize: int | None = None
    created: str | None = None


class Network(msgspec.Struct, gc=False):
    """A guest network; one with a VPC is a tier of it."""

    id: str
    name: str | None = None
    cidr: str | None = None
    gateway: str | None = None
    type: str | None = None
    state: str | None = None
    zoneid: str | None = None
    vpcid: str | None = None


class Vpc(msgspec.Struct, gc=False):
    """A VPC with its tiers."""

    id: str
    name: str | None = None
    cidr: str | None = None
    state: str | None = None
    zoneid: str | None = None
    network: list[Identified] | None = None


class NetworkOffering(msgspec.Struct, gc=False):
    """An offering of networks, or of VPCs."""

    id: str
    name: str | None = None
    state: str | None = None
    isdefault: bool = False
    specifyvlan: bool = False
    forvpc: bool = False
    availability: str | None = None
    service: list[_Service] | None = None


class _Service(msgspec.Struct, gc=False):
    name: str | None = None


class ResourceLimit(msgspec.Struct, gc=False):
    """How much of something the account may have; -1: as much as it likes."""

    resourcetype: str | int
    resourcetypename: str | None = None
    max: int | float | str | None = None
    account: str | None = None


class Account(msgspec.Struct, gc=False):
    """An account."""

    id: str
    name: str | None = None
    domain: str | None = None


class Capabilities(msgspec.Struct, gc=False):
    """What the cloud can do for the key that asks."""

    cloudstackversion: str = ""
    allowuserexpungerecovervm: bool = False
