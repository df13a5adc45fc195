"""Networks."""

from __future__ import annotations

from anabranch.errors import Conflict
from anabranch.hooks import hookimpl
from anabranch.hooks.networks import NetworksSpec
from anabranch.models import Network, NetworkSpec, NetworkState
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore
from anabranch_mock.text import check_name, parse_block

__all__ = ["Networks"]


class Networks(NetworksSpec[MockSettings]):
    """The hooks of the networks."""

    @hookimpl
    async def list_networks(self, cloud: MockCloud, cursor: str | None) -> Page[Network]:
        return await listing(
            cloud, "list_networks", lambda store: store.page(store.networks, cursor)
        )

    @hookimpl
    async def get_network(self, cloud: MockCloud, network_id: str) -> Network:
        return await call(cloud, "get_network", lambda store: store.networks.get(network_id))

    @hookimpl
    async def create_network(self, cloud: MockCloud, spec: NetworkSpec) -> Network:
        return await call(cloud, "create_network", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_network(self, cloud: MockCloud, network_id: str) -> None:
        await call(cloud, "destroy_network", lambda store: _destroy(store, network_id))


def _create(store: MockStore, spec: NetworkSpec) -> Network:
    check_name(spec.name)
    if spec.realm_id is not None:
        store.realms.need(spec.realm_id, "realm_id")
    blocks: tuple[str, ...] = ()
    if spec.address_block is not None:
        blocks = (str(parse_block(spec.address_block, "address_block")),)
    store.networks.require_room()
    network_id = store.networks.new_id()
    return store.networks.add(
        Network(
            cloud=store.cloud,
            id=network_id,
            name=spec.name or network_id,
            state=NetworkState.UP,
            address_blocks=blocks,
            realm_id=spec.realm_id,
        )
    )


def _destroy(store: MockStore, network_id: str) -> None:
    network = store.networks.get(network_id)
    if network.subnet_ids:
        raise Conflict(f"network {network_id!r} has subnets: {', '.join(network.subnet_ids)}")
    if any(address.network_id == network_id for address in store.addresses):
        raise Conflict(f"addresses of network {network_id!r} are in use")
    store.networks.remove(network_id)
