"""Addresses, which come from the block of an external network."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import islice

import msgspec

from anabranch.errors import Conflict, InvalidRequest, QuotaExceeded
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.addresses import AddressesSpec
from anabranch.models import (
    Address,
    AddressSpec,
    Network,
    NetworkAddress,
    NetworkAddressKind,
)
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.machines import public_name
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore

__all__ = ["Addresses", "associate", "disassociate"]

_POOL_SIZE = 254


class Addresses(AddressesSpec[MockSettings]):
    """The hooks of the addresses. An address is its own id."""

    @hookimpl
    async def list_addresses(self, cloud: MockCloud, cursor: str | None) -> Page[Address]:
        return await listing(
            cloud, "list_addresses", lambda store: store.page(store.addresses, cursor)
        )

    @hookimpl
    async def get_address(self, cloud: MockCloud, address_id: str) -> Address:
        return await call(cloud, "get_address", lambda store: store.addresses.get(address_id))

    @hookimpl
    @offers(Feature.ADDRESS_NETWORK, Feature.ADDRESS_REALM)
    async def create_address(self, cloud: MockCloud, spec: AddressSpec) -> Address:
        return await call(cloud, "create_address", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_address(self, cloud: MockCloud, address_id: str) -> None:
        await call(cloud, "destroy_address", lambda store: _destroy(store, address_id))

    @hookimpl
    async def associate_address(
        self, cloud: MockCloud, address_id: str, instance_id: str
    ) -> Address:
        return await call(
            cloud, "associate_address", lambda store: associate(store, address_id, instance_id)
        )

    @hookimpl
    async def disassociate_address(self, cloud: MockCloud, address_id: str) -> Address:
        return await call(
            cloud, "disassociate_address", lambda store: disassociate(store, address_id)
        )


def associate(store: MockStore, address_id: str, instance_id: str) -> Address:
    """Let an address lead to an instance, in the place of its public name.

    Raises:
        NotFound: no such address or instance.
        Conflict: it leads to another instance.
    """
    address, instance = store.addresses.get(address_id), store.instances.get(instance_id)
    if address.instance_id == instance_id:
        return address
    if address.instance_id is not None:
        raise Conflict(f"address {address_id} leads to instance {address.instance_id!r}")
    led_here = [a for a in instance.public_addresses if a.kind is not NetworkAddressKind.HOSTNAME]
    store.instances.put(
        msgspec.structs.replace(instance, public_addresses=(*led_here, NetworkAddress(address.ip)))
    )
    return store.addresses.put(
        msgspec.structs.replace(address, instance_id=instance_id, platform_state="in-use")
    )


def disassociate(store: MockStore, address_id: str) -> Address:
    """Let an address lead nowhere.

    Raises:
        NotFound: no such address.
    """
    address = store.addresses.get(address_id)
    if address.instance_id is None:
        return address
    instance = store.instances.get(address.instance_id)
    rest = tuple(a for a in instance.public_addresses if a.address != address.ip)
    store.instances.put(
        msgspec.structs.replace(instance, public_addresses=rest or (public_name(instance),))
    )
    return store.addresses.put(
        msgspec.structs.replace(address, instance_id=None, platform_state="free")
    )


def _create(store: MockStore, spec: AddressSpec) -> Address:
    network = _pool(store, spec.network_id)
    if spec.realm_id is not None:
        store.realms.need(spec.realm_id, "realm_id")
    store.addresses.require_room()
    pool = islice(ip_network(network.address_blocks[0]).hosts(), _POOL_SIZE)
    free = (str(ip) for ip in pool if str(ip) not in store.addresses)
    ip = next(free, None)
    if ip is None:
        raise QuotaExceeded(f"all addresses of network {network.id!r} are taken")
    return store.addresses.add(
        Address(
            cloud=store.cloud,
            id=ip,
            name=ip,
            ip=ip,
            network_id=network.id,
            realm_id=spec.realm_id,
            platform_state="free",
        )
    )


def _pool(store: MockStore, network_id: str | None) -> Network:
    if network_id is not None:
        network = store.networks.need(network_id, "network_id")
        if not network.external:
            raise InvalidRequest(f"network_id: network {network_id!r} does not lead outside")
        return network
    for network in store.networks:
        if network.external:
            return network
    raise InvalidRequest("network_id: there is no network that leads outside")


def _destroy(store: MockStore, address_id: str) -> None:
    address = store.addresses.get(address_id)
    if address.associated:
        raise Conflict(f"address {address_id} leads to instance {address.instance_id!r}")
    store.addresses.remove(address_id)
