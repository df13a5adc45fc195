"""Virtual networks and the addresses in them."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

import msgspec

from anabranch_opennebula.simulator.records import Resource
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template, Vector

__all__ = ["AddressRange", "Holder", "Lease", "Network", "ip_text", "mac_text"]


class Holder(NamedTuple):
    """Who has an address: `VM` with the id of a machine (-1: put on hold), or `VNET`."""

    kind: str
    id: int


class Lease(NamedTuple):
    """An address that was given: the range's id and the number of the address in it."""

    range_id: int
    number: int


class AddressRange(msgspec.Struct, kw_only=True):
    """A range of addresses (AR).

    Args:
        id: Its number in the network.
        type: IP4, IP4_6 or ETHER.
        first_ip: The first IPv4 address as a number; 0 for ETHER.
        first_mac: The first MAC address as a number.
        size: How many addresses.
        parent: The range of the parent network that it was reserved from; -1 for none.
        prefixes: GLOBAL_PREFIX and ULA_PREFIX of an IP4_6 range.
        leases: Who has which address.
        next_index: Where the search for a free address begins.
    """

    id: int
    type: str
    first_ip: int
    first_mac: int
    size: int
    parent: int = -1
    prefixes: Vector = {}
    leases: dict[int, Holder] = {}
    next_index: int = 0

    def ip(self, index: int) -> str:
        """The IPv4 address of that number; empty in a range of MAC addresses."""
        return ip_text(self.first_ip + index) if self.first_ip else ""

    def mac(self, index: int) -> str:
        """The MAC address of that number."""
        return mac_text(self.first_mac + index)

    def ipv6(self, index: int) -> Vector:
        """The IPv6 addresses of that number, as the attributes of a lease."""
        mac = self.first_mac + index
        low = ((mac >> 24 ^ 0x020000) << 40) | (0xFFFE << 24) | (mac & 0xFFFFFF)
        found = {"IP6_LINK": str(ipaddress.IPv6Address((0xFE80 << 112) | low))}
        for prefix, name in (("GLOBAL_PREFIX", "IP6_GLOBAL"), ("ULA_PREFIX", "IP6_ULA")):
            if prefix in self.prefixes:
                network = int(ipaddress.IPv6Address(self.prefixes[prefix]))
                found[name] = str(ipaddress.IPv6Address(network | low))
        return found if self.prefixes else {}

    def index_of(self, ip: str) -> int | None:
        """The number of an address, if it is in this range."""
        index = _number(ip) - self.first_ip
        return index if self.first_ip and 0 <= index < self.size else None

    def free_index(self) -> int | None:
        """The next address that nobody has."""
        if len(self.leases) >= self.size:
            return None
        index = self.next_index
        while index in self.leases or index >= self.size:
            index = 0 if index >= self.size else index + 1
        return index

    def free_block(self, size: int) -> int | None:
        """Where so many free addresses stand side by side, from the next one on or before."""
        for start in (self.next_index, 0):
            while start + size <= self.size:
                taken = next((i for i in range(start, start + size) if i in self.leases), None)
                if taken is None:
                    return start
                start = taken + 1
        return None

    def give(self, index: int, holder: Holder) -> None:
        """Note who has an address."""
        self.leases[index] = holder
        self.next_index = index + 1


class Network(Resource, kw_only=True):
    """A virtual network.

    Args:
        bridge: The bridge on the hosts.
        parent: The network that it was reserved from; -1 for none.
        made_from: The template that it was made of; -1 for none.
        template: Gateway, DNS, mask and what its owner wrote.
        ranges: The address ranges by id.
        vms: The machines in it.
    """

    bridge: str
    parent: int = -1
    made_from: int = -1
    template: Template
    ranges: dict[int, AddressRange] = msgspec.field(default_factory=dict[int, AddressRange])
    vms: set[int] = msgspec.field(default_factory=set[int])

    @property
    def used(self) -> int:
        """How many addresses are given."""
        return sum(len(r.leases) for r in self.ranges.values())

    def lease(self, holder: Holder, ip: str = "") -> Lease:
        """Give an address: that one, or the next free one.

        Raises:
            Refusal: It is taken or not of this network, or there is none left.
        """
        for address_range in self.ranges.values():
            index = address_range.index_of(ip) if ip else address_range.free_index()
            if index is not None and index not in address_range.leases:
                address_range.give(index, holder)
                return Lease(address_range.id, index)
        raise Refusal(
            Code.ACTION,
            f"Cannot get IP/MAC lease from virtual network {self.id}."
            if not ip
            else f"Cannot get IP/MAC lease {ip} from virtual network {self.id}.",
        )

    def release(self, lease: Lease) -> None:
        """Take an address back."""
        if lease.range_id in self.ranges:
            self.ranges[lease.range_id].leases.pop(lease.number, None)


def ip_text(number: int) -> str:
    """An IPv4 address."""
    return str(ipaddress.IPv4Address(number))


def mac_text(number: int) -> str:
    """A MAC address."""
    return number.to_bytes(6).hex(":")


def _number(ip: str) -> int:
    try:
        return int(ipaddress.IPv4Address(ip))
    except ValueError as error:
        raise Refusal(Code.ACTION, f"Wrong IP address {ip}") from error
