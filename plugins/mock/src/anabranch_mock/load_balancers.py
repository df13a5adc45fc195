"""Load balancers."""

from __future__ import annotations

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.load_balancers import LoadBalancersSpec
from anabranch.models import Listener, LoadBalancer, LoadBalancerSpec
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore, now
from anabranch_mock.text import check_name

__all__ = ["LoadBalancers", "register"]

_PROTOCOLS = ("HTTP", "HTTPS", "TCP", "UDP")
_PORTS = range(1, 65536)


class LoadBalancers(LoadBalancersSpec[MockSettings]):
    """The hooks of the load balancers."""

    @hookimpl
    async def list_load_balancers(self, cloud: MockCloud, cursor: str | None) -> Page[LoadBalancer]:
        return await listing(
            cloud, "list_load_balancers", lambda store: store.page(store.load_balancers, cursor)
        )

    @hookimpl
    async def get_load_balancer(self, cloud: MockCloud, load_balancer_id: str) -> LoadBalancer:
        return await call(
            cloud, "get_load_balancer", lambda store: store.load_balancers.get(load_balancer_id)
        )

    @hookimpl
    @offers(Feature.LOAD_BALANCER_NETWORK)
    async def create_load_balancer(self, cloud: MockCloud, spec: LoadBalancerSpec) -> LoadBalancer:
        return await call(cloud, "create_load_balancer", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_load_balancer(self, cloud: MockCloud, load_balancer_id: str) -> None:
        await call(cloud, "destroy_load_balancer", lambda store: _destroy(store, load_balancer_id))

    @hookimpl
    async def register_instance(
        self, cloud: MockCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        return await call(
            cloud, "register_instance", lambda store: register(store, load_balancer_id, instance_id)
        )

    @hookimpl
    async def unregister_instance(
        self, cloud: MockCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        return await call(
            cloud,
            "unregister_instance",
            lambda store: _unregister(store, load_balancer_id, instance_id),
        )


def register(store: MockStore, load_balancer_id: str, instance_id: str) -> LoadBalancer:
    """Let a load balancer send traffic to an instance.

    Raises:
        NotFound: no such load balancer or instance.
    """
    balancer = store.load_balancers.get(load_balancer_id)
    store.instances.get(instance_id)
    known = dict.fromkeys((*balancer.instance_ids, instance_id))
    return store.load_balancers.put(msgspec.structs.replace(balancer, instance_ids=tuple(known)))


def _unregister(store: MockStore, load_balancer_id: str, instance_id: str) -> LoadBalancer:
    balancer = store.load_balancers.get(load_balancer_id)
    rest = tuple(i for i in balancer.instance_ids if i != instance_id)
    return store.load_balancers.put(msgspec.structs.replace(balancer, instance_ids=rest))


def _create(store: MockStore, spec: LoadBalancerSpec) -> LoadBalancer:
    check_name(spec.name, required=True)
    realm_id = store.realm(spec.realm_id)
    if spec.network_id is not None and spec.network_id not in store.subnets:
        store.networks.need(spec.network_id, "network_id")
    if not spec.listeners:
        raise InvalidRequest("listeners: at least one is required")
    for listener in spec.listeners:
        _check(listener)
    store.load_balancers.require_room()
    balancer_id = store.load_balancers.new_id()
    return store.load_balancers.add(
        LoadBalancer(
            cloud=store.cloud,
            id=balancer_id,
            name=spec.name,
            realm_id=realm_id,
            platform_state="active",
            created_at=now(),
            public_addresses=(f"{balancer_id}.public.com",),
            listeners=spec.listeners,
        )
    )


def _destroy(store: MockStore, load_balancer_id: str) -> None:
    store.load_balancers.get(load_balancer_id)
    store.load_balancers.remove(load_balancer_id)


def _check(listener: Listener) -> None:
    if listener.protocol not in _PROTOCOLS:
        raise InvalidRequest(
            f"listeners.protocol: {listener.protocol!r} is none of {', '.join(_PROTOCOLS)}"
        )
    for field in ("load_balancer_port", "instance_port"):
        port = getattr(listener, field)
        if port not in _PORTS:
            raise InvalidRequest(f"listeners.{field}: {port} is not within 1 to {_PORTS[-1]}")
