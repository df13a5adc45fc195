"""Subnets, and the addresses that are free in them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec

from anabranch.errors import Conflict, InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.subnets import SubnetsSpec
from anabranch.models import Network, NetworkState, Subnet, SubnetSpec
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore
from anabranch_mock.text import check_name, parse_block

__all__ = ["Subnets", "free_addresses"]


class Subnets(SubnetsSpec[MockSettings]):
    """The hooks of the subnets."""

    @hookimpl
    async def list_subnets(self, cloud: MockCloud, cursor: str | None) -> Page[Subnet]:
        return await listing(cloud, "list_subnets", lambda store: store.page(store.subnets, cursor))

    @hookimpl
    async def get_subnet(self, cloud: MockCloud, subnet_id: str) -> Subnet:
        return await call(cloud, "get_subnet", lambda store: store.subnets.get(subnet_id))

    @hookimpl
    async def create_subnet(self, cloud: MockCloud, spec: SubnetSpec) -> Subnet:
        return await call(cloud, "create_subnet", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_subnet(self, cloud: MockCloud, subnet_id: str) -> None:
        await call(cloud, "destroy_subnet", lambda store: _destroy(store, subnet_id))


def free_addresses(store: MockStore, subnet: Subnet) -> Iterator[str]:
    """Yield the addresses of a subnet that no interface has, and its gateway has not."""
    taken = {
        ip
        for interface in store.network_interfaces
        if interface.subnet_id == subnet.id
        for ip in interface.ip_addresses
    }
    taken.add(subnet.gateway or "")
    for host in ip_network(subnet.address_block).hosts():
        if str(host) not in taken:
            yield str(host)


def _create(store: MockStore, spec: SubnetSpec) -> Subnet:
    check_name(spec.name)
    network = store.networks.need(spec.network_id, "network_id")
    block = parse_block(spec.address_block, "address_block")
    _check_block(store, network, block)
    store.subnets.require_room()
    subnet_id = store.subnets.new_id()
    subnet = Subnet(
        cloud=store.cloud,
        id=subnet_id,
        name=spec.name or subnet_id,
        network_id=network.id,
        address_block=str(block),
        state=NetworkState.UP,
        gateway=str(next(iter(block.hosts()))),
        kind="PRIVATE",
    )
    subnet_ids = (*network.subnet_ids, subnet_id)
    store.networks.put(msgspec.structs.replace(network, subnet_ids=subnet_ids))
    return store.subnets.add(subnet)


def _check_block(store: MockStore, network: Network, block: IPv4Network | IPv6Network) -> None:
    within = [ip_network(outer) for outer in network.address_blocks]
    if within and not any(_contains(outer, block) for outer in within):
        blocks = " or ".join(network.address_blocks)
        raise InvalidRequest(f"address_block: {block} is not within {blocks} of the network")
    for subnet_id in network.subnet_ids:
        other = store.subnets.get(subnet_id)
        if block.overlaps(ip_network(other.address_block)):
            raise Conflict(f"{block} overlaps {other.address_block} of subnet {subnet_id!r}")


def _contains(outer: IPv4Network | IPv6Network, inner: IPv4Network | IPv6Network) -> bool:
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.network_address in outer
    )


def _destroy(store: MockStore, subnet_id: str) -> None:
    subnet = store.subnets.get(subnet_id)
    users = [nic.id for nic in store.network_interfaces if nic.subnet_id == subnet_id]
    if users:
        raise Conflict(f"subnet {subnet_id!r} is in use by network interface {users[0]!r}")
    network = store.networks.get(subnet.network_id)
    rest = tuple(i for i in network.subnet_ids if i != subnet_id)
    store.networks.put(msgspec.structs.replace(network, subnet_ids=rest))
    store.subnets.remove(subnet_id)
