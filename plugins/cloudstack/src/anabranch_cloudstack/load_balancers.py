"""Load balancers: all load balancer rules of one public address are one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import anyio

from anabranch.errors import CloudError, InvalidRequest, NotFound, OutcomeUnknown
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.load_balancers import LoadBalancersSpec
from anabranch.models import Listener, LoadBalancer, LoadBalancerSpec
from anabranch.paging import Page
from anabranch_cloudstack import convert_network, wire
from anabranch_cloudstack.addresses import (
    ask_for_address,
    find_address,
    release,
    wait_for_address,
)
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.guest_networks import find_network, network_for_balancing
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.realms import chosen_zone
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.tagging import add_tags

__all__ = ["LoadBalancers"]

_RULE: Final = Reader(wire.LoadBalancerRule, "loadbalancerrule", "loadbalancer")
_MEMBER: Final = Reader(wire.Identified, "loadbalancerruleinstance")

_OURS: Final = "anabranch_load_balancer"
"""The tag of an address that was taken for a balancer, and is given back with it."""

_PROTOCOLS: Final = {
    "HTTP": "tcp",
    "HTTPS": "tcp",
    "TCP": "tcp",
    "TCP-PROXY": "tcp-proxy",
    "UDP": "udp",
}
"""What a rule passes on. HTTPS goes through as it is: `ssl` of CloudStack needs a certificate."""

_AT_ONCE: Final = 4
_GIVING_UP: Final = 5.0
"""Seconds that a cancelled create may take to leave nothing behind."""

Members = dict[str, list[str]]


class LoadBalancers(LoadBalancersSpec[CloudStackSettings]):
    """Load balancer rules, by address: each is one port."""

    @hookimpl
    async def list_load_balancers(
        self, cloud: CloudStackCloud, cursor: str | None
    ) -> Page[LoadBalancer]:
        page = await session(cloud).everything(
            "listLoadBalancerRules",
            reader=_RULE,
            convert=itself,
            parameters=session(cloud).scope,
        )
        by_address: dict[str, list[wire.LoadBalancerRule]] = {}
        for rule in page.items:
            if rule.publicipid:
                by_address.setdefault(rule.publicipid, []).append(rule)
        found = [convert_network.load_balancer(cloud.name, rules) for rules in by_address.values()]
        return Page(found, None, page.problems)

    @hookimpl
    async def get_load_balancer(
        self, cloud: CloudStackCloud, load_balancer_id: str
    ) -> LoadBalancer:
        rules = await _rules(cloud, load_balancer_id)
        return _balancer(cloud, rules, await _members(cloud, rules))

    @hookimpl
    @offers(Feature.LOAD_BALANCER_NETWORK)
    async def create_load_balancer(
        self, cloud: CloudStackCloud, spec: LoadBalancerSpec
    ) -> LoadBalancer:
        if not spec.listeners:
            raise InvalidRequest("a load balancer needs a listener", remedy="Name one")
        for listener in spec.listeners:
            _protocol(listener)
        network = await _network(cloud, spec)
        where = {"vpcid": network.vpcid} if network.vpcid else {"networkid": network.id}
        accepted = await ask_for_address(cloud, where)
        address_id = accepted.made
        try:
            await wait_for_address(cloud, accepted)
            await add_tags(session(cloud), "PublicIpAddress", address_id, {_OURS: "true"})
            rules = [
                await _create_rule(cloud, spec.name, listener, address_id, network)
                for listener in spec.listeners
            ]
        except OutcomeUnknown as exc:
            exc.message = f"{exc.message}; the id of its address is {address_id}"
            raise
        except (CloudError, anyio.get_cancelled_exc_class()):
            await _give_up(cloud, address_id)
            raise
        return convert_network.load_balancer(cloud.name, rules)

    @hookimpl
    async def destroy_load_balancer(self, cloud: CloudStackCloud, load_balancer_id: str) -> None:
        rules = await _rules(cloud, load_balancer_id)
        address = await find_address(cloud, load_balancer_id)
        if any(tag.key == _OURS for tag in address.tags or ()) and not address.issourcenat:
            await release(cloud, load_balancer_id)
            return
        for rule in rules:
            await session(cloud).carry_out(
                "deleteLoadBalancerRule", {"id": rule.id}, idempotent=True
            )

    @hookimpl
    async def register_instance(
        self, cloud: CloudStackCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        rules = await _rules(cloud, load_balancer_id)
        members = await _members(cloud, rules)
        for rule in rules:
            if instance_id not in members[rule.id]:
                await session(cloud).carry_out(
                    "assignToLoadBalancerRule", {"id": rule.id, "virtualmachineids": instance_id}
                )
                members[rule.id].append(instance_id)
        return _balancer(cloud, rules, members)

    @hookimpl
    async def unregister_instance(
        self, cloud: CloudStackCloud, load_balancer_id: str, instance_id: str
    ) -> LoadBalancer:
        rules = await _rules(cloud, load_balancer_id)
        members = await _members(cloud, rules)
        for rule in rules:
            if instance_id in members[rule.id]:
                await session(cloud).carry_out(
                    "removeFromLoadBalancerRule",
                    {"id": rule.id, "virtualmachineids": instance_id},
                    idempotent=True,
                )
                members[rule.id].remove(instance_id)
        return _balancer(cloud, rules, members)


async def _rules(cloud: CloudStackCloud, address_id: str) -> list[wire.LoadBalancerRule]:
    """Return the rules of an address.

    Raises:
        NotFound: it has none, or there is no such address.
    """
    page = await session(cloud).everything(
        "listLoadBalancerRules",
        reader=_RULE,
        convert=itself,
        parameters={"publicipid": address_id, **session(cloud).scope},
    )
    if not page.items:
        raise NotFound(f"there is no load balancer {address_id!r}")
    return list(page.items)


async def _members(cloud: CloudStackCloud, rules: Sequence[wire.LoadBalancerRule]) -> Members:
    """Return the instances of each rule, which each has to be asked for."""
    found: Members = {}
    places = anyio.CapacityLimiter(_AT_ONCE)

    async def ask(rule: wire.LoadBalancerRule) -> None:
        async with places:
            page = await session(cloud).everything(
                "listLoadBalancerRuleInstances",
                reader=_MEMBER,
                convert=lambda member, _: member.id,
                parameters={"id": rule.id},
            )
        found[rule.id] = list(page.items)

    async with anyio.create_task_group() as group:
        for rule in rules:
            group.start_soon(ask, rule)
    return found


async def _give_up(cloud: CloudStackCloud, address_id: str) -> None:
    """Give the address of a balancer that is not made back, with what rules there are."""
    with anyio.move_on_after(_GIVING_UP, shield=True):
        try:
            await session(cloud).change(
                "disassociateIpAddress", {"id": address_id}, idempotent=True
            )
        except CloudError as exc:
            cloud.log.warning("cloudstack.address.left", address=address_id, error=str(exc))


def _balancer(
    cloud: CloudStackCloud, rules: Sequence[wire.LoadBalancerRule], members: Members
) -> LoadBalancer:
    everyone = [member for rule in rules for member in members[rule.id]]
    return convert_network.load_balancer(cloud.name, rules, everyone)


async def _network(cloud: CloudStackCloud, spec: LoadBalancerSpec) -> wire.Network:
    if spec.network_id is None:
        return await network_for_balancing(cloud, await chosen_zone(cloud, spec.realm_id))
    try:
        return await find_network(cloud, spec.network_id)
    except NotFound as exc:
        raise InvalidRequest(exc.message, remedy="Name an isolated network or a tier") from exc


async def _create_rule(
    cloud: CloudStackCloud, name: str, listener: Listener, address_id: str, network: wire.Network
) -> wire.LoadBalancerRule:
    cloudstack = session(cloud)
    parameters: dict[str, str | int | bool | None] = {
        "name": name,
        "algorithm": "roundrobin",
        "protocol": _protocol(listener),
        "publicport": listener.load_balancer_port,
        "privateport": listener.instance_port,
        "publicipid": address_id,
    }
    if network.vpcid:
        parameters |= {"networkid": network.id}
    else:
        # A balancer is for the world: without this nobody reaches it.
        parameters |= {"openfirewall": True}
    return _RULE.made(await cloudstack.carry_out("createLoadBalancerRule", parameters))[0]


def _protocol(listener: Listener) -> str:
    found = _PROTOCOLS.get(listener.protocol.upper())
    if found is None:
        raise InvalidRequest(
            f"CloudStack balances no {listener.protocol!r}",
            remedy=f"Use one of: {', '.join(_PROTOCOLS)}",
        )
    return found
