"""Address ranges that are made: of a block of addresses, or reserved in another network.

A plain user may neither make networks nor add ranges to those of others, but may reserve
addresses of a network that he may use: those are a network of his own, to which more can be added.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from anabranch.errors import InvalidRequest
from anabranch_opennebula import pools
from anabranch_opennebula.client import Session
from anabranch_opennebula.network_documents import Range, Vnet, network_of, vnet_of
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.templates import template

__all__ = [
    "Block",
    "first_of",
    "get_vnet",
    "parse_block",
    "part_of",
    "range_of",
    "reserve_more",
    "reserve_network",
]

Block: TypeAlias = IPv4Network | IPv6Network

_MOST_ADDRESSES: Final = 2**24


async def get_vnet(one: Session, number: int) -> Vnet:
    """Get a network.

    Raises:
        NotFound: no such network.
    """
    return await one.read(vnet_of, "vn.info", number)


def parse_block(text: str) -> Block:
    """Read a block of addresses.

    Raises:
        InvalidRequest: it is none, or is larger than OpenNebula takes.
    """
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        raise InvalidRequest(f"address_block: {text!r} is no block of addresses") from None
    if block.version == 4 and block.num_addresses > _MOST_ADDRESSES:
        raise InvalidRequest(f"address_block: {text} is larger than OpenNebula takes")
    return block


def first_of(block: Block) -> str:
    """The first address of the hosts of a block."""
    return str(block.network_address + (1 if _hosts(block) != block.num_addresses else 0))


def range_of(block: Block) -> Mapping[str, str]:
    """Write the range of the hosts of a block; of IPv6, as many as can be leased sensibly."""
    size = str(min(_hosts(block), _MOST_ADDRESSES))
    if block.version == 4:
        return {"TYPE": "IP4", "IP": first_of(block), "SIZE": size}
    prefix = str(block.prefixlen)
    return {"TYPE": "IP6_STATIC", "IP6": first_of(block), "PREFIX_LENGTH": prefix, "SIZE": size}


async def reserve_network(one: Session, name: str, block: Block | None) -> int:
    """Reserve a network and return its id.

    Args:
        one: Whom to ask.
        name: Its name.
        block: The block whose hosts to reserve; None: as many addresses as is configured, of the
            first network that is not public.

    Raises:
        InvalidRequest: no network has those addresses.
    """
    wanted = {"NAME": name, "SIZE": str(one.cloud.settings.network_size)}
    if block is not None and _hosts(block) == 1:
        raise InvalidRequest(
            f"address_block: {block} is one address", remedy="Create an address instead"
        )
    parent = await _parent(one, block)
    wanted |= part_of(parent, block) or {}
    return await one.change("vn.reserve", int(parent.id), template(wanted.items()))


async def reserve_more(one: Session, vnet: Vnet, block: Block) -> None:
    """Reserve the hosts of a block in addition to what a reservation has.

    Raises:
        InvalidRequest: the network that it reserves of has not those addresses.
    """
    parent = await get_vnet(one, int(vnet.parent))
    part = part_of(parent, block)
    if part is None:
        raise InvalidRequest(
            f"address_block: network {parent.id}, of which {vnet.id} is a reservation, has no "
            f"range that holds {block}"
        )
    wanted = {"NETWORK_ID": vnet.id, **part}
    await one.change("vn.reserve", int(parent.id), template(wanted.items()))


async def _parent(one: Session, block: Block | None) -> Vnet:
    public = frozenset(one.cloud.settings.public_networks)

    def convert(thing: Thing) -> tuple[Vnet, ...]:
        vnet = vnet_of(thing)
        if vnet.parent:
            return ()
        if block is None:
            return () if network_of(one.cloud.name, public, vnet).external else (vnet,)
        return (vnet,) if part_of(vnet, block) else ()

    found = await pools.listed(one, pools.NETWORKS, convert)
    if not found:
        what = f"addresses of {block}" if block else "addresses that are not public"
        raise InvalidRequest(
            f"no network of this cloud has {what} to reserve",
            remedy="Set network_template_id for the cloud, if its users make networks",
        )
    return min(found, key=lambda vnet: int(vnet.id))


def part_of(vnet: Vnet, block: Block | None) -> Mapping[str, str] | None:
    """Write which part of a network the hosts of a block are; None: no range of it holds them.

    oned takes the first address of a reservation only along with the range that it is of ("AR_ID
    must be specified for IP/MAC based reservations", VirtualNetworkAPI.cc).
    """
    if block is None:
        return None
    found = next((found for found in vnet.ranges if _holds(found, block)), None)
    if found is None:
        return None
    first = "IP" if block.version == 4 else "IP6"
    return {"SIZE": range_of(block)["SIZE"], "AR_ID": found.id, first: first_of(block)}


def _hosts(block: Block) -> int:
    """How many addresses of a block can be given to machines."""
    ends = 2 if block.version == 4 and block.prefixlen < 31 else 0
    return block.num_addresses - ends


def _holds(found: Range, block: Block) -> bool:
    try:
        first = ip_address(found.first)
    except ValueError:
        return False
    start = int(ip_address(first_of(block)))
    fits = int(first) <= start and start + _hosts(block) <= int(first) + found.size
    return fits and first.version == block.version
