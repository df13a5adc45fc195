"""Networks: guest networks, and VPCs after them."""

from __future__ import annotations

from functools import partial

import msgspec

from anabranch.errors import CloudError, Conflict, InvalidRequest, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.networks import NetworksSpec
from anabranch.models import Network, NetworkSpec
from anabranch.paging import Page
from anabranch_cloudstack import convert_network, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.guest_networks import (
    NETWORK,
    VPC,
    block_of,
    isolated_offering,
    vpc_offering,
)
from anabranch_cloudstack.realms import chosen_zone
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.stages import staged

__all__ = ["Networks", "delete_network"]


class Networks(NetworksSpec[CloudStackSettings]):
    """Guest networks that are no tiers, and VPCs."""

    @hookimpl
    async def list_networks(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Network]:
        cloudstack = session(cloud)

        def standing_alone(found: wire.Network, raw: msgspec.Raw) -> Network | None:
            return None if found.vpcid else convert_network.network(cloud.name, found, raw)

        async def guest_networks(inner: str | None) -> Page[Network]:
            page = await cloudstack.page(
                "listNetworks",
                reader=NETWORK,
                convert=standing_alone,
                cursor=inner,
                parameters=cloudstack.scope,
            )
            own_first = sorted(page.items, key=lambda network: network.shared)
            return Page(own_first, page.cursor, page.problems)

        async def vpcs(inner: str | None) -> Page[Network]:
            return await cloudstack.page(
                "listVPCs",
                reader=VPC,
                convert=partial(convert_network.vpc, cloud.name),
                cursor=inner,
                parameters=cloudstack.scope,
            )

        return await staged(cursor, (guest_networks, vpcs))

    @hookimpl
    async def get_network(self, cloud: CloudStackCloud, network_id: str) -> Network:
        cloudstack = session(cloud)
        try:
            return await cloudstack.one(
                "listNetworks",
                {"id": network_id, **cloudstack.scope},
                reader=NETWORK,
                convert=partial(convert_network.network, cloud.name),
                what="such network",
            )
        except NotFound:
            return await cloudstack.one(
                "listVPCs",
                {"id": network_id, **cloudstack.scope},
                reader=VPC,
                convert=partial(convert_network.vpc, cloud.name),
                what=f"network or VPC {network_id!r}",
            )

    @hookimpl
    async def create_network(self, cloud: CloudStackCloud, spec: NetworkSpec) -> Network:
        zone_id = await chosen_zone(cloud, spec.realm_id)
        try:
            if spec.address_block is None:
                return await _create_vpc(cloud, spec, zone_id)
            return await _create_isolated(cloud, spec, spec.address_block, zone_id)
        except NotFound as exc:
            raise InvalidRequest(exc.message, provider_code=exc.provider_code) from exc

    @hookimpl
    async def destroy_network(self, cloud: CloudStackCloud, network_id: str) -> None:
        try:
            await delete_network(cloud, "deleteNetwork", network_id)
        except NotFound:
            await delete_network(cloud, "deleteVPC", network_id)


async def delete_network(cloud: CloudStackCloud, command: str, network_id: str) -> None:
    """Delete a network or a VPC.

    Raises:
        NotFound: there is none.
        Conflict: it is in use, of which CloudStack says no more than that it failed.
    """
    try:
        await session(cloud).carry_out(command, {"id": network_id}, idempotent=True)
    except CloudError as exc:
        if type(exc) is not CloudError:
            raise
        raise Conflict(exc.message, provider_code=exc.provider_code) from exc


async def _create_isolated(
    cloud: CloudStackCloud, spec: NetworkSpec, address_block: str, zone_id: str
) -> Network:
    cloudstack = session(cloud)
    name = spec.name or "anabranch-network"
    block = block_of(address_block)
    body = await cloudstack.carry_out(
        "createNetwork",
        {
            "name": name,
            "displaytext": name,
            "zoneid": zone_id,
            "networkofferingid": await isolated_offering(cloud, zone_id),
            "gateway": str(block[1]),
            "netmask": str(block.netmask),
            **cloudstack.project,
        },
    )
    return convert_network.network(cloud.name, *NETWORK.made(body))


async def _create_vpc(cloud: CloudStackCloud, spec: NetworkSpec, zone_id: str) -> Network:
    cloudstack = session(cloud)
    name = spec.name or "anabranch-vpc"
    body = await cloudstack.carry_out(
        "createVPC",
        {
            "name": name,
            "displaytext": name,
            "cidr": str(block_of(cloud.settings.vpc_block)),
            "zoneid": zone_id,
            "vpcofferingid": await vpc_offering(cloud, zone_id),
            **cloudstack.project,
        },
    )
    return convert_network.vpc(cloud.name, *VPC.made(body))
