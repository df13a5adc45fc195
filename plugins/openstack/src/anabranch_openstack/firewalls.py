"""Firewalls: neutron's security groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import msgspec

from anabranch.errors import Conflict, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.firewalls import FirewallsSpec
from anabranch.models import Firewall, FirewallRuleSpec, FirewallSpec
from anabranch.paging import Page
from anabranch_openstack import convert_network as convert
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.firewall_rules import GROUP, rules_to_add
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Firewalls"]

_EXISTS: Final = "SecurityGroupRuleExists"
_RULES: Final = "/security-group-rules"


class Firewalls(FirewallsSpec[OpenStackSettings]):
    """Security groups, which neutron lists with their rules."""

    @hookimpl
    async def list_firewalls(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Firewall]:
        return await session(cloud).page(
            NETWORK,
            "/security-groups",
            "security_groups",
            reader=GROUP,
            convert=partial(convert.firewall, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_firewall(self, cloud: OpenStackCloud, firewall_id: str) -> Firewall:
        return await _ask(session(cloud), "GET", _path(firewall_id))

    @hookimpl
    async def create_firewall(self, cloud: OpenStackCloud, spec: FirewallSpec) -> Firewall:
        """Make a security group; neutron gives it two rules, by which all may go out."""
        group = {"name": spec.name, "description": spec.description}
        return await _ask(session(cloud), "POST", "/security-groups", {"security_group": group})

    @hookimpl
    async def destroy_firewall(self, cloud: OpenStackCloud, firewall_id: str) -> None:
        await session(cloud).request(NETWORK, "DELETE", _path(firewall_id))

    @hookimpl
    async def add_firewall_rule(
        self, cloud: OpenStackCloud, firewall_id: str, spec: FirewallRuleSpec
    ) -> Firewall:
        """Add one rule per source: all of them or, if neutron refuses one, none.

        Where some are there already, the others are added one by one: a quota may end that halfway.
        """
        neutron = session(cloud)
        await _add(neutron, await rules_to_add(neutron, firewall_id, spec))
        return await _ask(neutron, "GET", _path(firewall_id))

    @hookimpl
    async def remove_firewall_rule(
        self, cloud: OpenStackCloud, firewall_id: str, rule_id: str
    ) -> Firewall:
        neutron = session(cloud)
        found = await _ask(neutron, "GET", _path(firewall_id))
        rest = tuple([rule for rule in found.rules if rule.id != rule_id])
        if len(rest) == len(found.rules):
            raise NotFound(f"the firewall has no rule {rule_id!r}")
        await neutron.request(NETWORK, "DELETE", f"{_RULES}/{segment(rule_id)}")
        return msgspec.structs.replace(found, rules=rest)


def _path(firewall_id: str) -> str:
    return f"/security-groups/{segment(firewall_id)}"


async def _ask(
    neutron: Session, method: str, path: str, body: dict[str, Any] | None = None
) -> Firewall:
    return await neutron.one(
        NETWORK,
        path,
        "security_group",
        reader=GROUP,
        convert=partial(convert.firewall, neutron.cloud.name),
        method=method,
        body=body,
    )


async def _add(neutron: Session, rules: Sequence[dict[str, Any]]) -> None:
    """Add rules. One that is there already is refused by neutron, so twice does no harm."""
    try:
        await neutron.request(
            NETWORK, "POST", _RULES, body={"security_group_rules": rules}, idempotent=True
        )
    except Conflict as exc:
        if exc.provider_code != _EXISTS:
            raise
        if len(rules) > 1:
            # That refused the others with it.
            for rule in rules:
                await _add(neutron, [rule])
