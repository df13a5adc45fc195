"""Rules of firewalls: from CloudStack's three kinds to ours, and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

import msgspec

from anabranch.errors import InvalidRequest, NotFound
from anabranch.models import (
    Direction,
    Firewall,
    FirewallRule,
    FirewallRuleSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import Parameters
from anabranch_cloudstack.values import number

__all__ = [
    "acl_rule",
    "address_rule",
    "blocks_of",
    "missing_cidrs",
    "ports",
    "same",
    "security_rule",
    "without",
]

_ANYWHERE: Final = "0.0.0.0/0"
_ANY: Final = -1
"""CloudStack's word for any ICMP type or code."""


class _Ports(Protocol):
    @property
    def protocol(self) -> str | None: ...
    @property
    def startport(self) -> wire.Number: ...
    @property
    def endport(self) -> wire.Number: ...
    @property
    def icmptype(self) -> wire.Number: ...
    @property
    def icmpcode(self) -> wire.Number: ...


def security_rule(rule: wire.SecurityRule, direction: Direction) -> FirewallRule:
    """Convert a rule of a security group: each has one source."""
    protocol, port_from, port_to = _read_ports(rule)
    if rule.securitygroupname:
        source = RuleSource(kind=SourceKind.GROUP, group=rule.securitygroupname, owner=rule.account)
    else:
        source = RuleSource(cidr=rule.cidr or _ANYWHERE)
    return FirewallRule(
        id=rule.ruleid,
        protocol=protocol,
        port_from=port_from,
        port_to=port_to,
        sources=(source,),
        direction=direction,
    )


def address_rule(rule: wire.Rule) -> FirewallRule:
    """Convert a rule of the firewall of a public address."""
    protocol, port_from, port_to = _read_ports(rule)
    return FirewallRule(
        id=rule.id,
        protocol=protocol,
        port_from=port_from,
        port_to=port_to,
        sources=_sources(rule.cidrlist),
    )


def acl_rule(rule: wire.AclRule) -> FirewallRule:
    """Convert a network ACL."""
    protocol, port_from, port_to = _read_ports(rule)
    egress = (rule.traffictype or "").lower() == "egress"
    denied = (rule.action or "").lower() == "deny"
    return FirewallRule(
        id=rule.id,
        protocol=protocol,
        port_from=port_from,
        port_to=port_to,
        sources=_sources(rule.cidrlist),
        direction=Direction.EGRESS if egress else Direction.INGRESS,
        action=RuleAction.DENY if denied else RuleAction.ACCEPT,
    )


def ports(spec: FirewallRuleSpec) -> Parameters:
    """Return the parameters for protocol and ports, or ICMP type and code.

    Raises:
        InvalidRequest: a port is out of range, or there is one without a protocol that has any.
    """
    protocol = (spec.protocol or "all").lower()
    if protocol == "icmp":
        return {
            "protocol": protocol,
            "icmptype": _ANY if spec.port_from is None else spec.port_from,
            "icmpcode": _ANY if spec.port_to is None else spec.port_to,
        }
    first = spec.port_from if spec.port_from is not None else spec.port_to
    last = spec.port_to if spec.port_to is not None else first
    if protocol not in ("tcp", "udp"):
        if first is not None:
            raise InvalidRequest(
                f"the protocol {protocol} has no ports", remedy="Leave the ports out"
            )
        return {"protocol": protocol}
    first, last = (1, 65535) if first is None or last is None else (first, last)
    if not 0 < first <= last < 65536:
        raise InvalidRequest(f"{first} to {last} is no range of ports", remedy="Use 1 to 65535")
    return {"protocol": protocol, "startport": first, "endport": last}


def same(rule: FirewallRule, spec: FirewallRuleSpec) -> bool:
    """Whether a rule is about the same traffic, its sources aside."""
    wanted = ports(spec)
    try:
        held = ports(rule)
    except InvalidRequest:  # made elsewhere, of a kind that cannot be asked for here
        return False
    return rule.direction is spec.direction and rule.action is spec.action and held == wanted


def missing_cidrs(
    rules: Iterable[FirewallRule], spec: FirewallRuleSpec, sources: Iterable[RuleSource]
) -> list[str]:
    """Return the blocks of addresses among the sources for which no rule does the same."""
    there = [s for rule in rules if same(rule, spec) for s in rule.sources]
    return [cidr for cidr in _cidrs_of(sources) if cidr not in _cidrs_of(there)]


def blocks_of(spec: FirewallRuleSpec) -> tuple[RuleSource, ...]:
    """Return the sources of a rule for a firewall that knows only blocks of addresses.

    Raises:
        InvalidRequest: one is a group.
    """
    sources = spec.sources or (RuleSource(),)
    if any(source.kind is SourceKind.GROUP for source in sources):
        raise InvalidRequest("this firewall knows no groups", remedy="Name blocks of addresses")
    return sources


def without(firewall: Firewall, rule_id: str) -> Firewall:
    """Return a firewall without one of its rules.

    Raises:
        NotFound: it has no such rule.
    """
    left = tuple(rule for rule in firewall.rules if rule.id != rule_id)
    if len(left) == len(firewall.rules):
        raise NotFound(f"the firewall has no rule {rule_id!r}")
    return msgspec.structs.replace(firewall, rules=left)


def _cidrs_of(sources: Iterable[RuleSource]) -> list[str]:
    """Return the blocks of addresses among the sources."""
    return [s.cidr or _ANYWHERE for s in sources if s.kind is SourceKind.ADDRESS]


def _read_ports(rule: _Ports) -> tuple[str | None, int | None, int | None]:
    protocol = (rule.protocol or "all").lower()
    if protocol == "icmp":
        kind, code = number(rule.icmptype), number(rule.icmpcode)
        return protocol, None if kind == _ANY else kind, None if code == _ANY else code
    if protocol == "all":
        return None, None, None
    return protocol, number(rule.startport) or None, number(rule.endport) or None


def _sources(cidrlist: str | None) -> tuple[RuleSource, ...]:
    return tuple(
        RuleSource(cidr=cidr.strip()) for cidr in (cidrlist or _ANYWHERE).split(",") if cidr.strip()
    )
