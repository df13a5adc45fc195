"""Octavia's documents to models: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from anabranch.models import Extra, Listener, LoadBalancer
from anabranch_openstack import wire_load_balancer as wire
from anabranch_openstack.times import utc

__all__ = ["INSTANCE_PORT", "instance_port", "load_balancer", "pools"]

INSTANCE_PORT: Final = "anabranch:instance_port="
"""What the tag of a listener begins with that tells the port of the instances.

Octavia knows that port of each member, and of a listener without members not at all.
"""

_KEYS: Final = frozenset(
    {"id", "name", "provisioning_status", "created_at", "vip_address", "availability_zone"}
) | {"listeners", "pools"}


def load_balancer(
    cloud: str,
    found: wire.LoadBalancer,
    raw: msgspec.Raw,
    listeners: Iterable[wire.Listener],
    tree: wire.Tree | None = None,
    instance_ids: Sequence[str] = (),
) -> LoadBalancer:
    """Convert a load balancer.

    Args:
        cloud: Name of the cloud.
        found: The load balancer.
        raw: Its JSON.
        listeners: Listeners; those of others are left out.
        tree: Its pools and members, where they were asked for.
        instance_ids: The instances that are its members.
    """
    mine = {listener.id for listener in found.listeners or ()}
    vips = [found.vip_address, *(vip.ip_address for vip in found.additional_vips or ())]
    return LoadBalancer(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        realm_id=found.availability_zone,
        platform_state="/".join(filter(None, (found.provisioning_status, found.operating_status))),
        created_at=utc(found.created_at),
        public_addresses=tuple(filter(None, vips)),
        listeners=tuple(
            Listener(
                protocol=listener.protocol or "",
                load_balancer_port=listener.protocol_port,
                instance_port=instance_port(listener, tree),
            )
            for listener in sorted(listeners, key=_order)
            if listener.id in mine and listener.protocol_port
        ),
        instance_ids=tuple(instance_ids),
        extra=Extra(raw, _KEYS),
    )


def _order(listener: wire.Listener) -> tuple[int, str]:
    """By port: octavia lists them in any order."""
    return listener.protocol_port or 0, listener.protocol or ""


def instance_port(listener: wire.Listener, tree: wire.Tree | None) -> int:
    """Return the port of the instances that a listener leads to.

    It is what our tag says, or the port of a member; where neither is told, the listener's own.
    """
    for tag in listener.tags or ():
        port = tag.removeprefix(INSTANCE_PORT)
        if port != tag and port.isdecimal():
            return int(port)
    for listener_id, pool in pools(tree):
        if listener_id == listener.id:
            for member in pool.members:
                if member.protocol_port:
                    return member.protocol_port
    return listener.protocol_port or 0


def pools(tree: wire.Tree | None) -> Iterator[tuple[str, wire.Pool]]:
    """Yield the pools of a load balancer, each with the id of its listener."""
    for branch in tree.listeners if tree else ():
        for pool in branch.pools:
            yield branch.id, pool
