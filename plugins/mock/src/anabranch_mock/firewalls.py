"""Firewalls and their rules."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.hooks import hookimpl
from anabranch.hooks.firewalls import FirewallsSpec
from anabranch.models import Firewall, FirewallRule, FirewallRuleSpec, FirewallSpec, SourceKind
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore
from anabranch_mock.text import check_name, parse_block

__all__ = ["Firewalls", "add_rule"]

_PROTOCOLS: Final = ("tcp", "udp", "icmp")
_LAST_PORT: Final = 65535


class Firewalls(FirewallsSpec[MockSettings]):
    """The hooks of the firewalls."""

    @hookimpl
    async def list_firewalls(self, cloud: MockCloud, cursor: str | None) -> Page[Firewall]:
        return await listing(
            cloud, "list_firewalls", lambda store: store.page(store.firewalls, cursor)
        )

    @hookimpl
    async def get_firewall(self, cloud: MockCloud, firewall_id: str) -> Firewall:
        return await call(cloud, "get_firewall", lambda store: store.firewalls.get(firewall_id))

    @hookimpl
    async def create_firewall(self, cloud: MockCloud, spec: FirewallSpec) -> Firewall:
        return await call(cloud, "create_firewall", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_firewall(self, cloud: MockCloud, firewall_id: str) -> None:
        await call(cloud, "destroy_firewall", lambda store: _destroy(store, firewall_id))

    @hookimpl
    async def add_firewall_rule(
        self, cloud: MockCloud, firewall_id: str, spec: FirewallRuleSpec
    ) -> Firewall:
        return await call(
            cloud, "add_firewall_rule", lambda store: add_rule(store, firewall_id, spec)
        )

    @hookimpl
    async def remove_firewall_rule(
        self, cloud: MockCloud, firewall_id: str, rule_id: str
    ) -> Firewall:
        return await call(
            cloud, "remove_firewall_rule", lambda store: _remove_rule(store, firewall_id, rule_id)
        )


def add_rule(store: MockStore, firewall_id: str, spec: FirewallRuleSpec) -> Firewall:
    """Add a rule to a firewall, unless it is there already.

    Raises:
        NotFound: no such firewall.
        InvalidRequest: the rule makes no sense.
        QuotaExceeded: the firewall has as many rules as it may.
    """
    firewall = store.firewalls.get(firewall_id)
    _check_rule(store, spec)
    fields = msgspec.structs.asdict(spec)
    if any(fields.items() <= msgspec.structs.asdict(rule).items() for rule in firewall.rules):
        return firewall
    limit = store.settings.quotas.firewall_rules
    if len(firewall.rules) >= limit:
        raise QuotaExceeded(f"firewall {firewall_id!r} has {limit} rules, as many as it may")
    rule = FirewallRule(id=f"rule{next(store.rule_numbers)}", **fields)
    return store.firewalls.put(msgspec.structs.replace(firewall, rules=(*firewall.rules, rule)))


def _create(store: MockStore, spec: FirewallSpec) -> Firewall:
    check_name(spec.name, required=True)
    if any(firewall.name == spec.name for firewall in store.firewalls):
        raise Conflict(f"there is a firewall named {spec.name!r} already")
    return store.firewalls.add(
        Firewall(
            cloud=store.cloud,
            id=store.firewalls.new_id(),
            name=spec.name,
            description=spec.description,
            owner_id=store.settings.username,
        )
    )


def _destroy(store: MockStore, firewall_id: str) -> None:
    store.firewalls.get(firewall_id)
    users = [i.id for i in store.instances if firewall_id in i.firewall_ids]
    if users:
        raise Conflict(f"firewall {firewall_id!r} is in use by instance {users[0]!r}")
    store.firewalls.remove(firewall_id)


def _remove_rule(store: MockStore, firewall_id: str, rule_id: str) -> Firewall:
    firewall = store.firewalls.get(firewall_id)
    rules = tuple(rule for rule in firewall.rules if rule.id != rule_id)
    if len(rules) == len(firewall.rules):
        raise NotFound(f"firewall {firewall_id!r} has no rule {rule_id!r}")
    return store.firewalls.put(msgspec.structs.replace(firewall, rules=rules))


def _check_rule(store: MockStore, spec: FirewallRuleSpec) -> None:
    if spec.protocol is not None and spec.protocol not in _PROTOCOLS:
        raise InvalidRequest(f"protocol: {spec.protocol!r} is none of {', '.join(_PROTOCOLS)}")
    first = 0 if spec.port_from is None else spec.port_from
    last = _LAST_PORT if spec.port_to is None else spec.port_to
    if spec.protocol != "icmp" and not 0 <= first <= last <= _LAST_PORT:
        raise InvalidRequest(
            f"port_from, port_to: {first} to {last} is no range within 0 to {_LAST_PORT}"
        )
    if not spec.sources:
        raise InvalidRequest("sources: at least one is required")
    for source in spec.sources:
        if source.kind is SourceKind.ADDRESS:
            parse_block(source.cidr or "", "sources.cidr")
        elif not any(source.group in (f.id, f.name) for f in store.firewalls):
            raise InvalidRequest(f"sources.group: there is no firewall {source.group!r}")
