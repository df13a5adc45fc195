"""What all that is done with networks shares: the guest networks, the VPCs, the offerings."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from anabranch.errors import InvalidRequest, NotFound
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.reading import Reader, itself

__all__ = [
    "NETWORK",
    "VPC",
    "block_of",
    "find_network",
    "find_vpc",
    "isolated_offering",
    "network_for_balancing",
    "tier_offering",
    "tiers",
    "vpc_offering",
    "zone_of",
]

NETWORK: Final = Reader(wire.Network, "network")
VPC: Final = Reader(wire.Vpc, "vpc")
_OFFERING: Final = Reader(wire.NetworkOffering, "networkoffering", "vpcoffering")


async def find_network(cloud: CloudStackCloud, network_id: str) -> wire.Network:
    """Return a guest network, tiers included.

    Raises:
        NotFound: there is none.
    """
    return await session(cloud).one(
        "listNetworks",
        {"id": network_id, **session(cloud).scope},
        reader=NETWORK,
        convert=itself,
        what=f"network {network_id!r}",
    )


async def find_vpc(cloud: CloudStackCloud, vpc_id: str) -> wire.Vpc:
    """Return a VPC.

    Raises:
        NotFound: there is none.
    """
    return await session(cloud).one(
        "listVPCs",
        {"id": vpc_id, **session(cloud).scope},
        reader=VPC,
        convert=itself,
        what=f"VPC {vpc_id!r}",
    )


async def zone_of(cloud: CloudStackCloud, network_id: str) -> str | None:
    """Return the zone of a guest network or a VPC; None: it is neither."""
    for find in (find_network, find_vpc):
        try:
            return (await find(cloud, network_id)).zoneid
        except NotFound:
            pass
    return None


async def tiers(cloud: CloudStackCloud, network_ids: Sequence[str]) -> list[str]:
    """Return the ids of the networks, and for VPCs among them that of the first tier.

    Raises:
        NotFound: one is neither, or a VPC without tiers.
    """
    found: list[str] = []
    for network_id in network_ids:
        try:
            vpc = await find_vpc(cloud, network_id)
        except NotFound:
            found.append((await find_network(cloud, network_id)).id)
            continue
        of_vpc = [tier.id for tier in vpc.network or () if tier.id]
        if not of_vpc:
            raise NotFound(f"the VPC {network_id!r} has no subnet to be on")
        found.append(of_vpc[0])
    return found


async def network_for_balancing(cloud: CloudStackCloud, zone_id: str) -> wire.Network:
    """Return the account's one network of a zone that can balance load.

    Raises:
        InvalidRequest: there are several, or none.
    """
    page = await session(cloud).everything(
        "listNetworks",
        reader=NETWORK,
        convert=itself,
        parameters={
            "zoneid": zone_id,
            "type": "Isolated",
            "supportedservices": "Lb",
            **session(cloud).scope,
        },
    )
    if len(page.items) == 1:
        return page.items[0]
    raise InvalidRequest(
        "the zone has several networks that can balance load"
        if page.items
        else "the zone has no network that can balance load",
        remedy="Name network_id",
    )


async def isolated_offering(cloud: CloudStackCloud, zone_id: str) -> str:
    """Return the id of the offering to make an isolated network of.

    Raises:
        InvalidRequest: there is none.
    """
    if cloud.settings.network_offering:
        return cloud.settings.network_offering
    offerings = await _offerings(
        cloud,
        "listNetworkOfferings",
        {"guestiptype": "Isolated", "forvpc": False, "zoneid": zone_id},
    )
    usable = [o for o in offerings if not o.specifyvlan and not o.forvpc and _translates(o)]
    usable.sort(key=lambda o: (o.availability != "Required", not o.isdefault))
    return _first(usable, "isolated networks", "network_offering")


async def tier_offering(cloud: CloudStackCloud, zone_id: str | None) -> str:
    """Return the id of the offering to make a tier of a VPC of; prefers what balances load.

    Raises:
        InvalidRequest: there is none.
    """
    if cloud.settings.tier_offering:
        return cloud.settings.tier_offering
    offerings = await _offerings(
        cloud,
        "listNetworkOfferings",
        {"guestiptype": "Isolated", "forvpc": True, "zoneid": zone_id},
    )
    usable = [o for o in offerings if not o.specifyvlan and _translates(o)]
    usable.sort(key=lambda o: "Lb" not in _services(o))
    return _first(usable, "tiers of a VPC", "tier_offering")


async def vpc_offering(cloud: CloudStackCloud, zone_id: str) -> str:
    """Return the id of the offering to make a VPC of.

    Raises:
        InvalidRequest: there is none.
    """
    if cloud.settings.vpc_offering:
        return cloud.settings.vpc_offering
    offerings = await _offerings(cloud, "listVPCOfferings", {"zoneid": zone_id})
    offerings.sort(key=lambda o: not o.isdefault)
    return _first(offerings, "VPCs", "vpc_offering")


def block_of(cidr: str) -> ipaddress.IPv4Network:
    """Read a block of IPv4 addresses.

    Raises:
        InvalidRequest: it is none, or has no room for a gateway.
    """
    try:
        block = ipaddress.IPv4Network(cidr)
    except ValueError:
        raise InvalidRequest(
            f"{cidr!r} is no block of IPv4 addresses", remedy="Write it like 10.1.1.0/24"
        ) from None
    if block.prefixlen > 30:
        raise InvalidRequest(f"{cidr} has no room for a gateway and a machine")
    return block


async def _offerings(
    cloud: CloudStackCloud, command: str, parameters: Parameters
) -> list[wire.NetworkOffering]:
    page = await session(cloud).everything(
        command,
        reader=_OFFERING,
        convert=itself,
        parameters={"state": "Enabled", **parameters},
    )
    return list(page.items)


def _first(offerings: list[wire.NetworkOffering], what: str, setting: str) -> str:
    if not offerings:
        raise InvalidRequest(
            f"the cloud has no offering of {what}", remedy=f"Set {setting} for the cloud"
        )
    return offerings[0].id


def _services(offering: wire.NetworkOffering) -> set[str | None]:
    return {service.name for service in offering.service or ()}


def _translates(offering: wire.NetworkOffering) -> bool:
    return "SourceNat" in _services(offering)
