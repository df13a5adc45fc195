"""Load balancers."""

from __future__ import annotations

from datetime import datetime

import msgspec

from anabranch.models._base import Resource

__all__ = ["Listener", "LoadBalancer", "LoadBalancerSpec"]


class Listener(msgspec.Struct, frozen=True, kw_only=True):
    """A port of the balancer and the port of the instances that it leads to.

    Attributes:
        protocol: `HTTP`, `TCP`, …
        load_balancer_port: 1 to 65535.
        instance_port: 1 to 65535.
    """

    protocol: str
    load_balancer_port: int
    instance_port: int


class LoadBalancer(Resource, frozen=True, kw_only=True):
    """A load balancer.

    Attributes:
        realm_id: Realm that it is in.
        platform_state: The platform's own word for its state.
        created_at: When it was made, UTC.
        public_addresses: Where it is reached.
        listeners: What it listens for.
        instance_ids: Instances registered with it.
    """

    realm_id: str | None = None
    platform_state: str = ""
    created_at: datetime | None = None
    public_addresses: tuple[str, ...] = ()
    listeners: tuple[Listener, ...] = ()
    instance_ids: tuple[str, ...] = ()


class LoadBalancerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The load balancer to make.

    Attributes:
        name: Its name.
        listeners: What it listens for; at least one.
        realm_id: Realm to put it in; None: the cloud chooses.
        network_id: Network or subnet to put it on (feature `load_balancer_network`).
    """

    name: str
    listeners: tuple[Listener, ...]
    realm_id: str | None = None
    network_id: str | None = None
