"""Lists of network ACLs: the firewalls of the tiers of VPCs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from anabranch.models import (
    Direction,
    Extra,
    Firewall,
    FirewallRule,
    FirewallRuleSpec,
    RuleAction,
)
from anabranch.paging import Page
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.rules import acl_rule, blocks_of, missing_cidrs, ports, without

__all__ = ["NetworkAcls"]

_LIST: Final = Reader(wire.AclList, "networkacllist")
_RULE: Final = Reader(wire.AclRule, "networkacl")
_EXTRA: Final = frozenset({"id", "name", "description"})


class NetworkAcls:
    """The lists of network ACLs of one cloud."""

    prefix = "acl-"

    def __init__(self, cloud: CloudStackCloud) -> None:
        self._cloud, self._session = cloud, session(cloud)

    async def page(self, cursor: str | None) -> Page[Firewall]:
        """Return a page of them: one request for the lists, one for all rules."""
        rules = await self._rules({})

        def make(found: wire.AclList, raw: msgspec.Raw) -> Firewall:
            return _firewall(self._cloud.name, found, rules.get(found.id, []), raw)

        return await self._session.page(
            "listNetworkACLLists",
            reader=_LIST,
            convert=make,
            cursor=cursor,
            parameters=self._session.scope,
        )

    async def get(self, ident: str) -> Firewall:
        """Return one.

        Raises:
            NotFound: there is none.
        """
        found, raw = await self._session.one(
            "listNetworkACLLists",
            {"id": ident, **self._session.scope},
            reader=_LIST,
            convert=lambda found, raw: (found, raw),
            what=f"list of network ACLs {ident!r}",
        )
        rules = await self._rules({"aclid": ident})
        return _firewall(self._cloud.name, found, rules.get(ident, []), raw)

    async def destroy(self, ident: str) -> None:
        """Destroy one."""
        await self._session.carry_out("deleteNetworkACLList", {"id": ident}, idempotent=True)

    async def add(self, ident: str, spec: FirewallRuleSpec) -> Firewall:
        """Add what is not there yet of a rule, behind those that are: the first match decides."""
        sources = blocks_of(spec)
        fields = ports(spec)
        before = await self.get(ident)
        cidrs = missing_cidrs(before.rules, spec, sources)
        if not cidrs:
            return before
        await self._session.carry_out(
            "createNetworkACL",
            {
                "aclid": ident,
                "cidrlist": ",".join(cidrs),
                "traffictype": "Egress" if spec.direction is Direction.EGRESS else "Ingress",
                "action": "Deny" if spec.action is RuleAction.DENY else "Allow",
                **fields,
            },
        )
        return await self.get(ident)

    async def remove(self, ident: str, rule_id: str) -> Firewall:
        """Remove a rule.

        Raises:
            NotFound: there is none.
        """
        left = without(await self.get(ident), rule_id)
        await self._session.carry_out("deleteNetworkACL", {"id": rule_id}, idempotent=True)
        return left

    async def _rules(self, parameters: Parameters) -> dict[str, list[FirewallRule]]:
        page = await self._session.everything(
            "listNetworkACLs",
            reader=_RULE,
            convert=itself,
            parameters={**parameters, **self._session.scope},
        )
        found: dict[str, list[FirewallRule]] = {}
        for rule in page.items:
            if rule.aclid:
                found.setdefault(rule.aclid, []).append(acl_rule(rule))
        return found


def _firewall(
    cloud: str, found: wire.AclList, rules: Sequence[FirewallRule], raw: msgspec.Raw
) -> Firewall:
    return Firewall(
        cloud=cloud,
        id=f"{NetworkAcls.prefix}{found.id}",
        name=found.name or "",
        description=found.description or "",
        rules=tuple(rules),
        extra=Extra(raw, _EXTRA),
    )
