"""VNET documents to networks, subnets and addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from anabranch.models import Address, Network, NetworkState, Subnet
from anabranch_opennebula.reading import Thing, extra_of, flag, integer
from anabranch_opennebula.templates import leaves
from anabranch_opennebula.xml import Element

__all__ = ["Range", "Vnet", "address_of", "network_of", "subnet_of", "vnet_of"]

_WITHOUT: Final = frozenset({"ID", "NAME", "STATE"})
_STATES: Final = {
    0: NetworkState.PENDING,
    1: NetworkState.UP,
    2: NetworkState.PENDING,
    3: NetworkState.PENDING,
    4: NetworkState.DOWN,
    5: NetworkState.ERROR,
    6: NetworkState.ERROR,
}
_STATE_NAMES: Final = (
    *("INIT", "READY", "LOCK_CREATE", "LOCK_DELETE", "DONE", "ERROR", "UPDATE_FAILURE"),
)
_VM_TYPE: Final = 0x10
"""What ALLOCATED adds, 32 bits up, to the id of a VM; other holders have other numbers."""


class Range(NamedTuple):
    """An address range of a network.

    Attributes:
        id: AR_ID.
        type: IP4, IP6, IP4_6, ETHER, …
        first: The first address; empty: it has none of its own (ETHER, or IPv6 by prefix).
        size: How many there are.
        vms: Ids of the VMs that have one.
    """

    id: str
    type: str
    first: str
    size: int
    vms: Sequence[str]


class Vnet(NamedTuple):
    """A network as OpenNebula has it.

    Attributes:
        id: Its id.
        name: Its name.
        state: STATE.
        parent: The network that it is a reservation of; empty: it is none.
        block: Its NETWORK_ADDRESS and NETWORK_MASK; None: it has none.
        gateway: Its GATEWAY.
        ranges: Its address ranges.
        thing: The document.
    """

    id: str
    name: str
    state: int
    parent: str
    block: IPv4Network | IPv6Network | None
    gateway: str
    ranges: Sequence[Range]
    thing: Thing

    @property
    def is_address(self) -> bool:
        """Whether it is the reservation of one address."""
        return bool(self.parent) and len(self.ranges) == 1 and self.ranges[0].size == 1


def vnet_of(thing: Thing) -> Vnet:
    """Read a document.

    Raises:
        Unreadable: it has no id.
    """
    element = thing.element
    state = integer(element.findtext("STATE"))
    body = element.find("TEMPLATE")
    told = leaves(body) if body is not None else {}
    return Vnet(
        id=thing.id,
        name=element.findtext("NAME") or "",
        state=-1 if state is None else state,
        parent=(element.findtext("PARENT_NETWORK_ID") or "").strip(),
        block=_block(told.get("NETWORK_ADDRESS", ""), told.get("NETWORK_MASK", "")),
        gateway=told.get("GATEWAY", ""),
        ranges=[_range(ar) for ar in element.iterfind("AR_POOL/AR")],
        thing=thing,
    )


def network_of(cloud: str, public_networks: frozenset[str], vnet: Vnet) -> Network:
    """Convert a network."""
    element = vnet.thing.element
    public = vnet.id in public_networks or vnet.name in public_networks
    blocks = [str(vnet.block)] if vnet.block else [_covering(r) for r in vnet.ranges]
    return Network(
        cloud=cloud,
        id=vnet.id,
        name=vnet.name,
        state=_STATES.get(vnet.state, NetworkState.UNKNOWN),
        address_blocks=tuple(dict.fromkeys(filter(None, blocks))),
        subnet_ids=tuple([f"{vnet.id}.{r.id}" for r in vnet.ranges]),
        external=public or any(_is_global(r.first) for r in vnet.ranges),
        shared=any(flag(element.findtext(f"PERMISSIONS/{w}")) for w in ("GROUP_U", "OTHER_U")),
        realm_id=element.findtext("CLUSTERS/ID") or None,
        extra=extra_of(vnet.thing, _WITHOUT),
    )


def subnet_of(cloud: str, vnet: Vnet, found: Range) -> Subnet:
    """Convert an address range.

    Its block is the smallest that holds it: a range begins and ends anywhere.
    """
    return Subnet(
        cloud=cloud,
        id=f"{vnet.id}.{found.id}",
        name=f"{vnet.name} {found.id}".strip(),
        network_id=vnet.id,
        address_block=_covering(found),
        state=_STATES.get(vnet.state, NetworkState.UNKNOWN),
        gateway=vnet.gateway or None,
        kind=found.type or None,
    )


def address_of(cloud: str, vnet: Vnet) -> Address:
    """Convert the reservation of one address."""
    only = vnet.ranges[0]
    known = 0 <= vnet.state < len(_STATE_NAMES)
    return Address(
        cloud=cloud,
        id=vnet.id,
        name=vnet.name,
        ip=only.first,
        instance_id=only.vms[0] if only.vms else None,
        network_id=vnet.parent,
        realm_id=vnet.thing.element.findtext("CLUSTERS/ID") or None,
        platform_state=_STATE_NAMES[vnet.state] if known else f"STATE {vnet.state}",
        extra=extra_of(vnet.thing, _WITHOUT),
    )


def _range(element: Element) -> Range:
    told = leaves(element)
    return Range(
        id=told.get("AR_ID", ""),
        type=told.get("TYPE", ""),
        first=told.get("IP") or told.get("IP6") or told.get("IP6_GLOBAL") or "",
        size=integer(told.get("SIZE")) or 0,
        vms=_holders(element, told),
    )


def _holders(element: Element, told: Mapping[str, str]) -> list[str]:
    """The VMs that hold addresses: of LEASES, or of the ALLOCATED that pools have instead.

    ALLOCATED is pairs of an offset and a number, which is the id with the type above it.
    """
    found = [vm.text or "" for vm in element.iterfind("LEASES/LEASE/VM")]
    for text in told.get("ALLOCATED", "").split()[1::2]:
        number = integer(text)
        if number is not None and number >> 32 == _VM_TYPE:
            found.append(str(number & 0xFFFFFFFF))
    return [ident for ident in found if ident.isdigit() and int(ident) < 2**31]


def _block(address: str, mask: str) -> IPv4Network | IPv6Network | None:
    if not address:
        return None
    try:
        return ip_network(f"{address}/{mask}" if mask else address, strict=False)
    except ValueError:
        return None


def _covering(found: Range) -> str:
    try:
        first = ip_address(found.first)
        last = first + max(found.size - 1, 0)
    except ValueError:
        return ""
    same = first.max_prefixlen - (int(first) ^ int(last)).bit_length()
    return str(ip_network(f"{first}/{same}", strict=False))


def _is_global(text: str) -> bool:
    try:
        return ip_address(text).is_global
    except ValueError:
        return False
