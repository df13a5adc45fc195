"""Networks and subnets: virtual networks and their address ranges."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from anabranch.errors import InvalidRequest, NotFound, OperationNotSupported, ProtocolError
from anabranch.hooks import hookimpl
from anabranch.hooks.networks import NetworksSpec
from anabranch.hooks.subnets import SubnetsSpec
from anabranch.models import Network, NetworkSpec, Subnet, SubnetSpec
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.network_documents import Vnet, network_of, subnet_of, vnet_of
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import Attribute, template

__all__ = ["Networks", "Subnets", "get_vnet"]

_MOST_ADDRESSES: Final = 2**24


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
        one = session(cloud)
        base = cloud.settings.network_template_id
        if base is None:
            raise OperationNotSupported(
                "no network template is configured",
                remedy="Set network_template_id for the cloud",
            )
        body: list[Attribute] = []
        if spec.address_block is not None:
            block = _block(spec.address_block)
            body += [
                ("NETWORK_ADDRESS", str(block.network_address)),
                ("NETWORK_MASK", str(block.netmask)),
                ("AR", _range(block)),
            ]
        if spec.realm_id is not None:
            body.append(("CLUSTER_IDS", str(number_of(spec.realm_id, "realm"))))
        name = spec.name or f"anabranch-{uuid.uuid4().hex[:12]}"
        made = await one.change("vntemplate.instantiate", int(base), name, template(body))
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
        return await _show_subnet(session(cloud), subnet_id)

    @hookimpl
    async def create_subnet(self, cloud: OpenNebulaCloud, spec: SubnetSpec) -> Subnet:
        one = session(cloud)
        block = _block(spec.address_block)
        number = number_of(spec.network_id, "network")
        before = {found.id for found in (await get_vnet(one, number)).ranges}
        await one.change("vn.add_ar", number, template([("AR", _range(block))]))
        after = await get_vnet(one, number)
        first = _range(block)
        made = [r for r in after.ranges if r.id not in before and r.first in first.values()]
        if not made:
            raise ProtocolError("OpenNebula accepted the range, and does not show it")
        return subnet_of(cloud.name, after, made[-1])

    @hookimpl
    async def destroy_subnet(self, cloud: OpenNebulaCloud, subnet_id: str) -> None:
        one = session(cloud)
        await _show_subnet(one, subnet_id)
        network, _, number = subnet_id.partition(".")
        await one.change("vn.rm_ar", int(network), int(number), idempotent=True)


async def get_vnet(one: Session, number: int) -> Vnet:
    """Get a network.

    Raises:
        NotFound: no such network.
    """
    return await one.read(vnet_of, "vn.info", number)


async def _show(one: Session, network_id: str) -> Network:
    vnet = await get_vnet(one, number_of(network_id, "network"))
    if vnet.is_address:
        raise NotFound(f"{network_id} is a reserved address, and no network")
    return network_of(one.cloud.name, frozenset(one.cloud.settings.public_networks), vnet)


async def _show_subnet(one: Session, subnet_id: str) -> Subnet:
    network, _, number = subnet_id.partition(".")
    vnet = await get_vnet(one, number_of(network, "network"))
    for found in vnet.ranges:
        if found.id == number and not vnet.is_address:
            return subnet_of(one.cloud.name, vnet, found)
    raise NotFound(f"there is no subnet {subnet_id!r}")


def _block(text: str) -> IPv4Network | IPv6Network:
    try:
        block = ip_network(text, strict=False)
    except ValueError:
        raise InvalidRequest(f"address_block: {text!r} is no block of addresses") from None
    if block.version == 4 and not block.num_addresses <= _MOST_ADDRESSES:
        raise InvalidRequest(f"address_block: {text} is larger than OpenNebula takes")
    return block


def _range(block: IPv4Network | IPv6Network) -> Mapping[str, str]:
    """Write the range of the hosts of a block; of IPv6, as many as can be leased sensibly."""
    hosts = block.num_addresses - (2 if block.version == 4 and block.prefixlen < 31 else 0)
    first = block.network_address + (1 if hosts != block.num_addresses else 0)
    size = str(min(hosts, _MOST_ADDRESSES))
    if block.version == 4:
        return {"TYPE": "IP4", "IP": str(first), "SIZE": size}
    prefix = str(block.prefixlen)
    return {"TYPE": "IP6_STATIC", "IP6": str(first), "PREFIX_LENGTH": prefix, "SIZE": size}
