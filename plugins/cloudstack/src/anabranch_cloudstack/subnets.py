"""Subnets: the tiers of VPCs, and the one block of every other network."""

from __future__ import annotations

from functools import partial

from anabranch.errors import Conflict, InvalidRequest, NotFound, OutcomeUnknown
from anabranch.hooks import hookimpl
from anabranch.hooks.subnets import SubnetsSpec
from anabranch.models import Subnet, SubnetSpec
from anabranch.paging import Page
from anabranch_cloudstack import convert_network
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.guest_networks import (
    NETWORK,
    block_of,
    find_network,
    find_vpc,
    tier_offering,
)
from anabranch_cloudstack.networks import delete_network
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["Subnets"]


class Subnets(SubnetsSpec[CloudStackSettings]):
    """Guest networks, seen as what has addresses."""

    @hookimpl
    async def list_subnets(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Subnet]:
        return await session(cloud).page(
            "listNetworks",
            reader=NETWORK,
            convert=partial(convert_network.subnet, cloud.name),
            cursor=cursor,
            parameters=session(cloud).scope,
        )

    @hookimpl
    async def get_subnet(self, cloud: CloudStackCloud, subnet_id: str) -> Subnet:
        found = await session(cloud).one(
            "listNetworks",
            {"id": subnet_id, **session(cloud).scope},
            reader=NETWORK,
            convert=partial(convert_network.subnet, cloud.name),
            what=f"subnet {subnet_id!r}",
        )
        if found is None:
            raise NotFound(f"the network {subnet_id!r} has no addresses of its own")
        return found

    @hookimpl
    async def create_subnet(self, cloud: CloudStackCloud, spec: SubnetSpec) -> Subnet:
        cloudstack = session(cloud)
        block = block_of(spec.address_block)
        try:
            vpc = await find_vpc(cloud, spec.network_id)
        except NotFound as exc:
            raise InvalidRequest(
                f"{spec.network_id!r} is no VPC, and only a VPC can be given subnets",
                remedy="Make one: a network without address_block",
            ) from exc
        name = spec.name or f"tier-{block.network_address}".replace(".", "-")
        body = await cloudstack.carry_out(
            "createNetwork",
            {
                "name": name,
                "displaytext": name,
                "zoneid": vpc.zoneid,
                "vpcid": vpc.id,
                "networkofferingid": await tier_offering(cloud, vpc.zoneid),
                "gateway": str(block[1]),
                "netmask": str(block.netmask),
                **cloudstack.project,
            },
        )
        found = convert_network.subnet(cloud.name, *NETWORK.made(body))
        if found is None:
            raise OutcomeUnknown("the tier that was made has no addresses", remedy="Look for it")
        return found

    @hookimpl
    async def destroy_subnet(self, cloud: CloudStackCloud, subnet_id: str) -> None:
        found = await find_network(cloud, subnet_id)
        if not found.vpcid:
            raise Conflict(
                "this block of addresses is its network's own, and goes with it",
                remedy="Destroy the network",
            )
        await delete_network(cloud, "deleteNetwork", subnet_id)
