"""The firewalls of public addresses: what an isolated network lets in at each of its addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from anabranch.errors import Conflict, InvalidRequest, NotFound
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
from anabranch_cloudstack.addresses import ADDRESS, find_address
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.rules import address_rule, blocks_of, missing_cidrs, ports, without

__all__ = ["AddressFirewalls"]

_RULE: Final = Reader(wire.Rule, "firewallrule")
_EXTRA: Final = frozenset({"id", "ipaddress", "account"})


class AddressFirewalls:
    """The firewalls of one cloud's public addresses; each is there as long as its address."""

    prefix = "address-"

    def __init__(self, cloud: CloudStackCloud) -> None:
        self._cloud, self._session = cloud, session(cloud)

    async def page(self, cursor: str | None) -> Page[Firewall]:
        """Return a page of them: one request for the addresses, one for all rules."""
        rules = await self._rules({})

        def make(address: wire.Address, raw: msgspec.Raw) -> Firewall | None:
            if address.vpcid:
                return None
            return _firewall(self._cloud.name, address, rules.get(address.id, []), raw)

        return await self._session.page(
            "listPublicIpAddresses",
            reader=ADDRESS,
            convert=make,
            cursor=cursor,
            parameters=self._session.scope,
        )

    async def get(self, ident: str) -> Firewall:
        """Return one.

        Raises:
            NotFound: there is no such address, or it belongs to a VPC.
        """
        address = await find_address(self._cloud, ident)
        if address.vpcid:
            raise NotFound(f"the address {ident!r} belongs to a VPC, and has no firewall")
        rules = await self._rules({"ipaddressid": ident})
        raw = msgspec.Raw(msgspec.json.encode(address))
        return _firewall(self._cloud.name, address, rules.get(ident, []), raw)

    async def destroy(self, ident: str) -> None:
        """Refuse to destroy one.

        Raises:
            NotFound: there is no such address.
            Conflict: there is.
        """
        await find_address(self._cloud, ident)
        raise Conflict("the firewall of an address goes with it", remedy="Destroy the address")

    async def add(self, ident: str, spec: FirewallRuleSpec) -> Firewall:
        """Add what is not there yet of a rule."""
        if spec.direction is Direction.EGRESS or spec.action is RuleAction.DENY:
            raise InvalidRequest("the firewall of an address only accepts, and only ingress")
        sources = blocks_of(spec)
        fields = ports(spec)
        before = await self.get(ident)
        cidrs = missing_cidrs(before.rules, spec, sources)
        if not cidrs:
            return before
        await self._session.carry_out(
            "createFirewallRule", {"ipaddressid": ident, "cidrlist": ",".join(cidrs), **fields}
        )
        return await self.get(ident)

    async def remove(self, ident: str, rule_id: str) -> Firewall:
        """Remove a rule.

        Raises:
            NotFound: there is none.
        """
        left = without(await self.get(ident), rule_id)
        await self._session.carry_out("deleteFirewallRule", {"id": rule_id}, idempotent=True)
        return left

    async def _rules(self, parameters: Parameters) -> dict[str, list[FirewallRule]]:
        page = await self._session.everything(
            "listFirewallRules",
            reader=_RULE,
            convert=itself,
            parameters={**parameters, **self._session.scope},
        )
        found: dict[str, list[FirewallRule]] = {}
        for rule in page.items:
            if rule.ipaddressid:
                found.setdefault(rule.ipaddressid, []).append(address_rule(rule))
        return found


def _firewall(
    cloud: str, address: wire.Address, rules: Sequence[FirewallRule], raw: msgspec.Raw
) -> Firewall:
    return Firewall(
        cloud=cloud,
        id=f"{AddressFirewalls.prefix}{address.id}",
        name=address.ipaddress or "",
        description=f"what is let in at {address.ipaddress}",
        owner_id=address.account,
        rules=tuple(rules),
        extra=Extra(raw, _EXTRA),
    )
