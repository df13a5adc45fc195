"""Networks and subnets: virtual networks and their address ranges."""

from __future__ import annotations

import uuid

from anabranch.errors import InvalidRequest, NotFound, ProtocolError
from anabranch.hooks import hookimpl
from anabranch.hooks.networks import NetworksSpec
from anabranch.hooks.subnets import SubnetsSpec
from anabranch.models import Network, NetworkSpec, Subnet, SubnetSpec
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.network_documents import Range, Vnet, network_of, subnet_of, vnet_of
from anabranch_opennebula.ranges import (
    Block,
    first_of,
    get_vnet,
    parse_block,
    range_of,
    reserve_more,
    reserve_network,
)
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import Attribute, template

__all__ = ["Networks", "Subnets"]


class Networks(NetworksSpec[OpenNebulaSettings]):
    """Virtual networks, but those that are one reserved address."""

    @hookimpl
    async def list_networks(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Network]:
        public = frozenset(cloud.settings.public_networks)

        def convert(thing: Thing) -> tuple[Network, ...]:
            vnet = vnet_of(thing)
            return () if vnet.is_address else (network_of(cloud.name, public, vnet),)

        return await pools.page(session(cloud), pools.NETWORKS, cursor, convert)

    @hookimpl
    async def get_network(self, cloud: OpenNebulaCloud, network_id: str) -> Network:
        return await _show(session(cloud), network_id)

    @hookimpl
    async def create_network(self, cloud: OpenNebulaCloud, spec: NetworkSpec) -> Network:
        if spec.realm_id is not None:
            raise InvalidRequest("OpenNebula chooses the realm of a network", remedy="Leave it out")
        one = session(cloud)
        block = None if spec.address_block is None else parse_block(spec.address_block)
        name = spec.name or f"anabranch-{uuid.uuid4().hex[:12]}"
        base = cloud.settings.network_template_id
        if base is None:
            made = await reserve_network(one, name, block)
        else:
            body = template(() if block is None else _attributes(block))
            made = await one.change("vntemplate.instantiate", int(base), name, body)
        with after(f"network {made} was made"):
            return await _show(one, str(made))

    @hookimpl
    async def destroy_network(self, cloud: OpenNebulaCloud, network_id: str) -> None:
        one = session(cloud)
        await _show(one, network_id)
        await one.change("vn.delete", int(network_id), idempotent=True)


class Subnets(SubnetsSpec[OpenNebulaSettings]):
    """Address ranges. The id is that of the network and that of the range: `1.0`."""

    @hookimpl
    async def list_subnets(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Subnet]:
        def convert(thing: Thing) -> list[Subnet]:
            vnet = vnet_of(thing)
            ranges = () if vnet.is_address else vnet.ranges
            return [subnet_of(cloud.name, vnet, found) for found in ranges]

        return await pools.page(session(cloud), pools.NETWORKS, cursor, convert)

    @hookimpl
    async def get_subnet(self, cloud: OpenNebulaCloud, subnet_id: str) -> Subnet:
        return subnet_of(cloud.name, *await _find_range(session(cloud), subnet_id))

    @hookimpl
    async def create_subnet(self, cloud: OpenNebulaCloud, spec: SubnetSpec) -> Subnet:
        one = session(cloud)
        block = parse_block(spec.address_block)
        number = number_of(spec.network_id, "network")
        before = await get_vnet(one, number)
        if before.parent:
            await reserve_more(one, before, block)
        else:
            await one.change("vn.add_ar", number, template([("AR", range_of(block))]))
        with after(f"addresses of {block} were added to network {number}"):
            now = await get_vnet(one, number)
        known, first = {found.id for found in before.ranges}, first_of(block)
        made = [r for r in now.ranges if r.id not in known and r.first == first]
        if not made:
            raise ProtocolError("OpenNebula accepted the range, and does not show it")
        return subnet_of(cloud.name, now, made[-1])

    @hookimpl
    async def destroy_subnet(self, cloud: OpenNebulaCloud, subnet_id: str) -> None:
        one = session(cloud)
        vnet, found = await _find_range(one, subnet_id)
        method = "vn.free_ar" if vnet.parent else "vn.rm_ar"
        await one.change(method, int(vnet.id), int(found.id), idempotent=True)


def _attributes(block: Block) -> list[Attribute]:
    return [
        ("NETWORK_ADDRESS", str(block.network_address)),
        ("NETWORK_MASK", str(block.netmask)),
        ("AR", range_of(block)),
    ]


async def _show(one: Session, network_id: str) -> Network:
    vnet = await get_vnet(one, number_of(network_id, "network"))
    if vnet.is_address:
        raise NotFound(f"{network_id} is a reserved address, and no network")
    return network_of(one.cloud.name, frozenset(one.cloud.settings.public_networks), vnet)


async def _find_range(one: Session, subnet_id: str) -> tuple[Vnet, Range]:
    network, _, number = subnet_id.partition(".")
    vnet = await get_vnet(one, number_of(network, "network"))
    for found in vnet.ranges:
        if found.id == number and not vnet.is_address:
            return vnet, found
    raise NotFound(f"there is no subnet {subnet_id!r}")
