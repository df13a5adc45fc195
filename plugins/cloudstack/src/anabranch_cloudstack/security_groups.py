"""Security groups: the firewalls of machines in zones that have them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from anabranch.errors import InvalidRequest, NotFound
from anabranch.models import (
    Direction,
    Extra,
    Firewall,
    FirewallRuleSpec,
    FirewallSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch.paging import Page
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.rules import missing_cidrs, ports, same, security_rule

__all__ = ["SecurityGroups"]

_GROUP: Final = Reader(wire.SecurityGroup, "securitygroup")
_EXTRA: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire.SecurityGroup))
_VERBS: Final = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}


class SecurityGroups:
    """The security groups of one cloud."""

    def __init__(self, cloud: CloudStackCloud) -> None:
        self._cloud, self._session = cloud, session(cloud)

    async def page(self, cursor: str | None) -> Page[Firewall]:
        """Return a page of them."""
        return await self._session.page(
            "listSecurityGroups",
            reader=_GROUP,
            convert=partial(_firewall, self._cloud.name),
            cursor=cursor,
            parameters=self._session.scope,
        )

    async def get(self, ident: str) -> Firewall:
        """Return one.

        Raises:
            NotFound: there is none.
        """
        return await self._session.one(
            "listSecurityGroups",
            {"id": ident, **self._session.scope},
            reader=_GROUP,
            convert=partial(_firewall, self._cloud.name),
            what=f"security group {ident!r}",
        )

    async def create(self, spec: FirewallSpec) -> Firewall:
        """Make one."""
        body = await self._session.carry_out(
            "createSecurityGroup",
            {
                "name": spec.name,
                "description": spec.description or None,
                **self._session.project,
            },
        )
        return _firewall(self._cloud.name, *_GROUP.made(body))

    async def destroy(self, ident: str) -> None:
        """Destroy one."""
        await self._session.carry_out(
            "deleteSecurityGroup", {"id": ident, **self._session.project}, idempotent=True
        )

    async def add(self, ident: str, spec: FirewallRuleSpec) -> Firewall:
        """Add what is not there yet of a rule: CloudStack refuses what is, without saying so."""
        if spec.action is RuleAction.DENY:
            raise InvalidRequest(
                "a security group only accepts", remedy="Use a network ACL, of a VPC, to deny"
            )
        fields = ports(spec)
        before = await self.get(ident)
        wanted = spec.sources or (RuleSource(),)
        cidrs = missing_cidrs(before.rules, spec, wanted)
        groups = [s for s in wanted if s.kind is SourceKind.GROUP]
        held = {s.group for rule in before.rules if same(rule, spec) for s in rule.sources}
        known = await self._names(groups) if groups else {}
        missing = [s for s in groups if known.get(s.group or "", s.group) not in held]
        command = f"authorizeSecurityGroup{_VERBS[spec.direction]}"
        # One request tells either blocks or groups.
        if cidrs:
            await self._authorize(command, ident, {**fields, "cidrlist": ",".join(cidrs)})
        if missing:
            others = _groups(missing, known, before.owner_id)
            await self._authorize(command, ident, {**fields, **others})
        return await self.get(ident) if cidrs or missing else before

    async def remove(self, ident: str, rule_id: str) -> Firewall:
        """Remove a rule.

        Raises:
            NotFound: there is none.
        """
        before = await self.get(ident)
        for rule in before.rules:
            if rule.id == rule_id:
                await self._session.carry_out(
                    f"revokeSecurityGroup{_VERBS[rule.direction]}",
                    {"id": rule_id},
                    idempotent=True,
                )
                left = tuple(r for r in before.rules if r.id != rule_id)
                return msgspec.structs.replace(before, rules=left)
        raise NotFound(f"the security group has no rule {rule_id!r}")

    async def _authorize(self, command: str, ident: str, fields: Parameters) -> None:
        await self._session.carry_out(command, {"securitygroupid": ident, **fields})

    async def _names(self, sources: Sequence[RuleSource]) -> dict[str, str]:
        """Return the names of the groups that are given by id: a rule can be told names only."""
        page = await self._session.everything(
            "listSecurityGroups",
            reader=_GROUP,
            convert=partial(_firewall, self._cloud.name),
            parameters=self._session.scope,
        )
        wanted = {source.group for source in sources}
        return {group.id: group.name for group in page.items if group.id in wanted}


def _groups(
    sources: Sequence[RuleSource], names: dict[str, str], owner: str | None
) -> dict[str, str]:
    fields: dict[str, str] = {}
    for index, source in enumerate(sources):
        account = source.owner or owner
        if not source.group or not account:
            raise InvalidRequest(
                "the source names no firewall and owner", remedy="Name group and owner"
            )
        fields[f"usersecuritygrouplist[{index}].account"] = account
        fields[f"usersecuritygrouplist[{index}].group"] = names.get(source.group, source.group)
    return fields


def _firewall(cloud: str, group: wire.SecurityGroup, raw: msgspec.Raw) -> Firewall:
    ingress = [security_rule(r, Direction.INGRESS) for r in group.ingressrule or ()]
    egress = [security_rule(r, Direction.EGRESS) for r in group.egressrule or ()]
    return Firewall(
        cloud=cloud,
        id=group.id,
        name=group.name or "",
        description=group.description or "",
        owner_id=group.account,
        rules=(*ingress, *egress),
        extra=Extra(raw, _EXTRA),
    )
