"""A load balancer put together from what octavia and neutron tell in pieces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec

from anabranch.models import LoadBalancer
from anabranch.overlap import both
from anabranch.reading import Reader
from anabranch_openstack import convert_load_balancer as convert
from anabranch_openstack import wire_load_balancer as wire
from anabranch_openstack import wire_network
from anabranch_openstack.catalog import LOAD_BALANCER, NETWORK
from anabranch_openstack.client import Session, segment
from anabranch_openstack.convert_network import instance_of
from anabranch_openstack.load_balancer_changes import ask
from anabranch_openstack.ports import PORT
from anabranch_openstack.reading import listing
from anabranch_openstack.replies import decoded

__all__ = ["View", "instances", "listeners", "look", "model", "pools"]

_LISTENER: Final = Reader(wire.Listener)
_STATUS: Final = msgspec.json.Decoder(wire.StatusDocument)
_ADDRESSES_AT_ONCE: Final = 50
"""Addresses to ask neutron for by one request, so that its URL does not grow too long."""


class View(NamedTuple):
    """A load balancer with its JSON, its listeners, and its pools and members."""

    balancer: wire.LoadBalancer
    raw: msgspec.Raw
    listeners: list[wire.Listener]
    tree: wire.Tree


async def listeners(octavia: Session, load_balancer_id: str | None = None) -> list[wire.Listener]:
    """Return the listeners of one load balancer, or of all."""

    def keep(found: wire.Listener, raw: msgspec.Raw) -> wire.Listener:
        del raw
        return found

    return await octavia.every(
        LOAD_BALANCER,
        "/listeners",
        "listeners",
        reader=_LISTENER,
        convert=keep,
        params={"load_balancer_id": load_balancer_id} if load_balancer_id else None,
    )


async def look(octavia: Session, load_balancer_id: str, before: View | None = None) -> View:
    """Ask for a load balancer and what belongs to it, all at once.

    Args:
        octavia: Whom to ask.
        load_balancer_id: The load balancer.
        before: What was seen of it before, whose listeners will do.

    Raises:
        NotFound: no such load balancer.
    """

    async def parts() -> tuple[list[wire.Listener], wire.Tree]:
        if before:
            return before.listeners, await _tree(octavia, load_balancer_id)
        return await both(
            partial(listeners, octavia, load_balancer_id), partial(_tree, octavia, load_balancer_id)
        )

    (balancer, raw), found = await both(partial(ask, octavia, load_balancer_id), parts)
    return View(balancer, raw, *found)


async def _tree(octavia: Session, load_balancer_id: str) -> wire.Tree:
    path = f"/loadbalancers/{segment(load_balancer_id)}/status"
    reply = await octavia.request(LOAD_BALANCER, "GET", path)
    return decoded(reply, _STATUS).statuses.loadbalancer


async def model(octavia: Session, view: View) -> LoadBalancer:
    """Return the model of a load balancer."""
    ends = await instances(octavia, view)
    return convert.load_balancer(
        octavia.cloud.name,
        view.balancer,
        view.raw,
        view.listeners,
        view.tree,
        list(dict.fromkeys(ends.values())),
    )


async def instances(octavia: Session, view: View) -> dict[str, str]:
    """Return the instances that have the members' addresses, by the ids of the members.

    Several networks may have the same addresses. Then a member is the instance that it is named
    after, as it is if it was made here, or the one in the network of the load balancer.
    """
    members = [member for _, pool in pools(view) for member in pool.members]
    addresses = list(dict.fromkeys(member.address for member in members if member.address))
    ports: defaultdict[str | None, list[wire_network.Port]] = defaultdict(list)
    for start in range(0, len(addresses), _ADDRESSES_AT_ONCE):
        for port in await _ports_at(octavia, addresses[start : start + _ADDRESSES_AT_ONCE]):
            for fixed in port.fixed_ips or ():
                ports[fixed.ip_address].append(port)
    ends: dict[str, str] = {}
    for member in members:
        named = [p for p in ports[member.address] if instance_of(p) == member.name]
        near = [p for p in ports[member.address] if p.network_id == view.balancer.vip_network_id]
        if end := next((instance_of(p) for p in (*named, *near, *ports[member.address])), None):
            ends[member.id] = end
    return ends


def pools(view: View) -> Iterator[tuple[wire.Listener, wire.Pool]]:
    """Yield each pool once, with the first listener that leads to it."""
    by_id = {listener.id: listener for listener in view.listeners}
    seen: set[str] = set()
    for listener_id, pool in convert.pools(view.tree):
        if pool.id not in seen and listener_id in by_id:
            seen.add(pool.id)
            yield by_id[listener_id], pool


async def _ports_at(neutron: Session, addresses: Collection[str]) -> list[wire_network.Port]:
    params = [("fixed_ips", f"ip_address={address}") for address in addresses]
    reply = await neutron.request(NETWORK, "GET", "/ports", params=params)
    ports, _ = PORT.read_all(decoded(reply, listing("ports")).items, lambda port, _: port)
    return [port for port in ports if instance_of(port)]
