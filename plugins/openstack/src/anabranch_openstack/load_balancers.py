"""Load balancers: octavia's, with the listeners, pools and members that belong to one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.load_balancers import LoadBalancersSpec
from anabranch.models import LoadBalancer, LoadBalancerSpec
from anabranch.paging import Page
from anabranch_openstack import convert_load_balancer as convert
from anabranch_openstack import wire_load_balancer as wire
from anabranch_openstack import wire_network
from anabranch_openstack.catalog import LOAD_BALANCER
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.load_balancer_changes import (
    BALANCER,
    change,
    destroy,
    pair,
    settled,
)
from anabranch_openstack.load_balancer_views import instances, listeners, look, model, pools
from anabranch_openstack.network_choice import choose_network
from anabranch_openstack.ports import ports_of
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["LoadBalancers"]


class LoadBalancers(LoadBalancersSpec[OpenStackSettings]):
    """Load balancers. One without any listener octavia makes too, and it is listed."""

    @hookimpl
    async def list_load_balancers(
        self, cloud: OpenStackCloud, cursor: str | None
    ) -> Page[LoadBalancer]:
        """Return a page without the instances, which octavia tells of one balancer at a time."""
        octavia = session(cloud)
        page = await octavia.page(
            LOAD_BALANCER,
            "/loadbalancers",
            "loadbalancers",
            reader=BALANCER,
            convert=pair,
            cursor=cursor,
        )
        known = await listeners(octavia) if page.items else []
        items = [convert.load_balancer(cloud.name, *found, known) for found in page.items]
        return Page(items, page.cursor, page.problems)

    @hookimpl
    async def get_load_balancer(self, cloud: OpenStackCloud, load_balancer_id: str) -> LoadBalancer:
        octavia = session(cloud)
        return await model(octavia, await look(octavia, load_balancer_id))

    @hookimpl
    @offers(Feature.LOAD_BALANCER_NETWORK)
    async def create_load_balancer(
        self, cloud: OpenStackCloud, spec: LoadBalancerSpec
    ) -> LoadBalancer:
        """Make a load balancer with listeners and pools by one request; it is PENDING_CREATE."""
        octavia = session(cloud)
        body = _balancer(spec, cloud.settings.load_balancer_algorithm)
        default = cloud.settings.default_network
        network = spec.network_id or (None if default in ("auto", "none") else default)
        if network is None:
            network = await choose_network(octavia, external=False)
        try:
            return await _create(octavia, {**body, "vip_network_id": network})
        except InvalidRequest as exc:
            # Nothing was made; the id may be one of a subnet.
            if not spec.network_id or "Network" not in exc.message:
                raise
            return await _create(octavia, {**body, "vip_subnet_id": network})

    @hookimpl
    async def destroy_load_balancer(self, cloud: OpenStackCloud, load_balancer_id: str) -> None:
        await destroy(session(cloud), load_balancer_id)

    @hookimpl
    async def register_instance(
        self, cloud: OpenStackCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        """Make an address of a server a member of every pool, one after the other.

        Whoever is cancelled in between leaves it in some pools; the same call goes on from there.
        """
        octavia = session(cloud)
        view = await look(octavia, load_balancer_id)
        leads = list(pools(view))
        if not leads:
            raise InvalidRequest("the load balancer has no listener with a pool")
        end = _end(view.balancer, await ports_of(octavia, instance_id))
        for listener, pool in leads:
            port = convert.instance_port(listener, view.tree)
            if any(m.address == end.ip_address and m.protocol_port == port for m in pool.members):
                continue
            member = {
                "name": instance_id,
                "address": end.ip_address,
                "protocol_port": port,
                "subnet_id": end.subnet_id,
            }
            await _join(octavia, load_balancer_id, _members(pool), member)
        found = await model(octavia, await look(octavia, load_balancer_id, view))
        if instance_id not in found.instance_ids:
            raise Conflict(f"another instance is a member of the same address, {end.ip_address}")
        return found

    @hookimpl
    async def unregister_instance(
        self, cloud: OpenStackCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        """Remove the members that are a server, or that were made for it and are none any more."""
        octavia = session(cloud)
        view = await look(octavia, load_balancer_id)
        ends = await instances(octavia, view)
        for _, pool in pools(view):
            for member in pool.members:
                if ends.get(member.id, member.name) == instance_id:
                    path = f"{_members(pool)}/{segment(member.id)}"
                    with suppress(NotFound):
                        await change(octavia, load_balancer_id, "DELETE", path)
                    await settled(octavia, load_balancer_id)
        return await model(octavia, await look(octavia, load_balancer_id, view))


def _balancer(spec: LoadBalancerSpec, algorithm: str) -> dict[str, Any]:
    balancer: dict[str, Any] = {"name": spec.name, "listeners": []}
    if spec.realm_id:
        balancer["availability_zone"] = spec.realm_id
    names: set[str] = set()
    for listener in spec.listeners:
        protocol = listener.protocol.upper()
        name = f"{protocol}-{listener.load_balancer_port}"
        if name in names:
            # Octavia finds that out when it has an address already, and leaves that behind.
            raise InvalidRequest(
                f"two listeners are for {protocol} at port {listener.load_balancer_port}"
            )
        names.add(name)
        balancer["listeners"].append(
            {
                "protocol": protocol,
                "protocol_port": listener.load_balancer_port,
                "tags": [f"{convert.INSTANCE_PORT}{listener.instance_port}"],
                "default_pool": {
                    "name": name,
                    "protocol": protocol,
                    "lb_algorithm": algorithm,
                },
            }
        )
    return balancer


async def _create(octavia: Session, balancer: dict[str, Any]) -> LoadBalancer:
    def make(found: wire.LoadBalancer, raw: msgspec.Raw) -> LoadBalancer:
        return convert.load_balancer(octavia.cloud.name, found, raw, found.listeners or ())

    return await octavia.one(
        LOAD_BALANCER,
        "/loadbalancers",
        "loadbalancer",
        reader=BALANCER,
        convert=make,
        method="POST",
        body={"loadbalancer": balancer},
    )


def _members(pool: wire.Pool) -> str:
    return f"/pools/{segment(pool.id)}/members"


def _end(balancer: wire.LoadBalancer, ports: Sequence[wire_network.Port]) -> wire_network.FixedIp:
    """Choose the address of a server that is nearest to the balancer's own."""
    ipv6 = ":" in (balancer.vip_address or "")

    def distance(end: tuple[wire_network.Port, wire_network.FixedIp]) -> tuple[bool, bool, bool]:
        port, fixed = end
        return (
            (":" in fixed.ip_address) is not ipv6,
            fixed.subnet_id != balancer.vip_subnet_id,
            port.network_id != balancer.vip_network_id,
        )

    return min([(p, f) for p in ports for f in p.fixed_ips or ()], key=distance)[1]


async def _join(octavia: Session, load_balancer_id: str, path: str, member: dict[str, Any]) -> None:
    """Add a member to a pool, unless somebody did so in between."""
    try:
        await change(octavia, load_balancer_id, "POST", path, {"member": member})
    except Conflict as exc:
        if "already using ip" not in exc.message:
            raise
    await settled(octavia, load_balancer_id)
