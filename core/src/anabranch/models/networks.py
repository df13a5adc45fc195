"""Networks, their subnets, and the interfaces by which instances are on them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from anabranch.models._base import Resource

__all__ = [
    "Network",
    "NetworkInterface",
    "NetworkInterfaceSpec",
    "NetworkSpec",
    "NetworkState",
    "Subnet",
    "SubnetSpec",
]


class NetworkState(StrEnum):
    """Whether a network, subnet or interface works."""

    UP = "UP"
    DOWN = "DOWN"
    PENDING = "PENDING"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


class Network(Resource, frozen=True, kw_only=True):
    """A network.

    Attributes:
        state: In the common words.
        address_blocks: CIDR blocks, where the list tells them.
        subnet_ids: Its subnets.
        external: Whether it leads outside and addresses come from it.
        shared: Whether other accounts use it too.
        realm_id: Realm that it is in.
    """

    state: NetworkState = NetworkState.UNKNOWN
    address_blocks: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    external: bool = False
    shared: bool = False
    realm_id: str | None = None


class NetworkSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The network to make.

    Attributes:
        name: Its name; may be empty.
        address_block: CIDR block; None: its subnets have those.
        realm_id: Realm to make it in; None: the cloud chooses.
    """

    name: str = ""
    address_block: str | None = None
    realm_id: str | None = None


class Subnet(Resource, frozen=True, kw_only=True):
    """A range of addresses on a network.

    Attributes:
        network_id: Network that it belongs to.
        address_block: CIDR block.
        state: In the common words.
        gateway: Address of its gateway; None: none, or not told.
        kind: The platform's type (`PRIVATE`, `PUBLIC`, …), where it has one.
    """

    network_id: str
    address_block: str = ""
    state: NetworkState = NetworkState.UNKNOWN
    gateway: str | None = None
    kind: str | None = None


class SubnetSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The subnet to make.

    Attributes:
        network_id: Network to make it on.
        address_block: CIDR block.
        name: Its name; may be empty.
    """

    network_id: str
    address_block: str
    name: str = ""


class NetworkInterface(Resource, frozen=True, kw_only=True):
    """A network interface.

    Attributes:
        network_id: Network that it is on.
        subnet_id: Subnet that its first address is of.
        instance_id: Instance that has it.
        ip_addresses: Its addresses.
        mac_address: Its hardware address.
        state: In the common words.
        firewall_ids: Firewalls in force.
    """

    network_id: str | None = None
    subnet_id: str | None = None
    instance_id: str | None = None
    ip_addresses: tuple[str, ...] = ()
    mac_address: str | None = None
    state: NetworkState = NetworkState.UNKNOWN
    firewall_ids: tuple[str, ...] = ()


class NetworkInterfaceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The interface to make and give to an instance.

    Attributes:
        instance_id: Instance to give it to.
        network_id: Network to connect.
        subnet_id: Subnet to take the address from; None: any of the network.
        name: Its name.
        ip_address: Address to take; None: any free one.
    """

    instance_id: str
    network_id: str
    subnet_id: str | None = None
    name: str = ""
    ip_address: str | None = None
