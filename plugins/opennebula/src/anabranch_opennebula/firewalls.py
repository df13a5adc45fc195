"""Firewalls: security groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from anabranch.errors import Conflict, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.firewalls import FirewallsSpec
from anabranch.models import Firewall, FirewallRuleSpec, FirewallSpec
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.firewall_rules import Rule, rules_of, to_rules, without
from anabranch_opennebula.reading import Thing, extra_of
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import Attribute, attributes, template

__all__ = ["Firewalls"]

_WITHOUT: Final = frozenset({"ID", "NAME", "UID"})
_TRIES: Final = 3


class _Group(NamedTuple):
    """A security group, and its template as it must be written back."""

    firewall: Firewall
    rules: list[Rule]
    rest: list[Attribute]


class Firewalls(FirewallsSpec[OpenNebulaSettings]):
    """Security groups and their rules."""

    @hookimpl
    async def list_firewalls(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Firewall]:
        def convert(thing: Thing) -> tuple[Firewall]:
            return (_group(cloud.name, thing).firewall,)

        return await pools.page(session(cloud), pools.FIREWALLS, cursor, convert)

    @hookimpl
    async def get_firewall(self, cloud: OpenNebulaCloud, firewall_id: str) -> Firewall:
        return (await _read(session(cloud), number_of(firewall_id, "firewall"))).firewall

    @hookimpl
    async def create_firewall(self, cloud: OpenNebulaCloud, spec: FirewallSpec) -> Firewall:
        one = session(cloud)
        body: list[Attribute] = [("NAME", spec.name)]
        if spec.description:
            body.append(("DESCRIPTION", spec.description))
        made = await one.change("secgroup.allocate", template(body))
        with after(f"firewall {made} was made"):
            return (await _read(one, made)).firewall

    @hookimpl
    async def destroy_firewall(self, cloud: OpenNebulaCloud, firewall_id: str) -> None:
        number = number_of(firewall_id, "firewall")
        await session(cloud).change("secgroup.delete", number, idempotent=True)

    @hookimpl
    async def add_firewall_rule(
        self, cloud: OpenNebulaCloud, firewall_id: str, spec: FirewallRuleSpec
    ) -> Firewall:
        added = to_rules(spec)
        wanted = {rule.id for rule in rules_of(added)}

        def add(group: _Group) -> list[Rule]:
            there = {rule.id for rule in group.firewall.rules}
            return [*group.rules, *(r for r in added if rules_of([r])[0].id not in there)]

        def done(firewall: Firewall) -> bool:
            return wanted <= {rule.id for rule in firewall.rules}

        return await _rewrite(session(cloud), firewall_id, add, done)

    @hookimpl
    async def remove_firewall_rule(
        self, cloud: OpenNebulaCloud, firewall_id: str, rule_id: str
    ) -> Firewall:
        def remove(group: _Group) -> list[Rule]:
            if not _has(group.firewall, rule_id):
                raise NotFound(f"firewall {firewall_id} has no rule {rule_id!r}")
            return without(group.rules, rule_id)

        def done(firewall: Firewall) -> bool:
            return not _has(firewall, rule_id)

        return await _rewrite(session(cloud), firewall_id, remove, done)


def _has(firewall: Firewall, rule_id: str) -> bool:
    return any(rule.id == rule_id for rule in firewall.rules)


async def _read(one: Session, number: int) -> _Group:
    def convert(thing: Thing) -> _Group:
        return _group(one.cloud.name, thing)

    return await one.read(convert, "secgroup.info", number)


async def _rewrite(
    one: Session,
    firewall_id: str,
    change: Callable[[_Group], Sequence[Rule]],
    done: Callable[[Firewall], bool],
) -> Firewall:
    """Replace the rules, and see that nobody else replaced them at the same time.

    oned replaces a whole template, or merges into it, but it takes no single rule out.

    Raises:
        Conflict: others change them all the time.
    """
    number = number_of(firewall_id, "firewall")
    async with one.rewriting:
        group = await _read(one, number)
        for _ in range(_TRIES):
            rules = change(group)
            if rules == group.rules:
                return group.firewall
            body = template([*group.rest, *(("RULE", rule) for rule in rules)])
            await one.change("secgroup.update", number, body, 0, idempotent=True)
            group = await _read(one, number)
            if done(group.firewall):
                return group.firewall
    raise Conflict("others change the rules of this firewall at the same time", remedy="Try again")


def _group(cloud: str, thing: Thing) -> _Group:
    element = thing.element
    body = element.find("TEMPLATE")
    told = attributes(body) if body is not None else []
    rules: list[Rule] = [v for n, v in told if n == "RULE" and not isinstance(v, str)]
    firewall = Firewall(
        cloud=cloud,
        id=thing.id,
        name=element.findtext("NAME") or "",
        description=element.findtext("TEMPLATE/DESCRIPTION") or "",
        owner_id=element.findtext("UID") or None,
        rules=rules_of(rules),
        extra=extra_of(thing, _WITHOUT),
    )
    return _Group(firewall, rules, [(n, v) for n, v in told if n != "RULE"])
