"""Rules of security groups: oned's to ours and back.

oned's rules have no ids, and one of them may be about several ranges of ports. Each range is a
rule of ours, and its id is made of what it says: the same rule has the same id wherever and
whenever it is read, and a rule that is changed is another rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import Final

from anabranch.errors import InvalidRequest
from anabranch.models import (
    Direction,
    FirewallRule,
    FirewallRuleSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch_opennebula.reading import integer

__all__ = ["Rule", "rules_of", "to_rules", "without"]

Rule = Mapping[str, str]
"""A rule of a security group, as oned has it."""

NETWORK: Final = "network:"
"""What the `group` of a source begins with that is a network: the members of that."""

_TYPES: Final = {Direction.INGRESS: "inbound", Direction.EGRESS: "outbound"}
_PROTOCOLS: Final = frozenset({"tcp", "udp", "icmp", "icmpv6", "ipsec"})
_ICMP_TYPES: Final = {"icmp": "ICMP_TYPE", "icmpv6": "ICMPV6_TYPE"}
_WITH_PORTS: Final = frozenset({"tcp", "udp"})
_LAST_PORT: Final = 65535
_MOST_ADDRESSES: Final = 2**31
_ANYWHERE: Final = RuleSource(cidr="0.0.0.0/0")


def rules_of(rules: Iterable[Rule]) -> tuple[FirewallRule, ...]:
    """Convert the rules of a security group; equal ones are one."""
    found = [_rule(piece) for rule in rules for piece in _pieces(rule)]
    return tuple({rule.id: rule for rule in found}.values())


def to_rules(spec: FirewallRuleSpec) -> list[Rule]:
    """Write a rule as oned takes it: one for each source.

    Raises:
        InvalidRequest: OpenNebula has no such rule.
    """
    if spec.action is not RuleAction.ACCEPT:
        raise InvalidRequest("security groups accept traffic; what no rule accepts is dropped")
    protocol = (spec.protocol or "all").lower()
    if protocol not in (*_PROTOCOLS, "all"):
        raise InvalidRequest(
            f"protocol: {spec.protocol!r} is none of {', '.join(sorted(_PROTOCOLS))}"
        )
    rule = {"PROTOCOL": protocol.upper(), "RULE_TYPE": _TYPES[spec.direction]}
    rule.update(_numbers(protocol, spec.port_from, spec.port_to))
    return [{**rule, **_target(source)} for source in spec.sources or (_ANYWHERE,)]


def without(rules: Iterable[Rule], rule_id: str) -> list[Rule]:
    """Leave one rule of ours out; the others of the same rule of oned stay together."""
    left: list[Rule] = []
    for rule in rules:
        pieces = _pieces(rule)
        kept = [piece for piece in pieces if _id(piece) != rule_id]
        if len(kept) == len(pieces):
            left.append(rule)
        elif kept:
            left.append({**rule, "RANGE": ",".join([piece["RANGE"] for piece in kept])})
    return left


def _pieces(rule: Rule) -> list[Rule]:
    ranges = [part.strip() for part in rule.get("RANGE", "").split(",") if part.strip()]
    return [{**rule, "RANGE": part} for part in ranges] if ranges else [rule]


def _id(piece: Rule) -> str:
    said = sorted((name, value.strip().lower()) for name, value in piece.items() if value.strip())
    text = "\n".join([f"{name}={value}" for name, value in said])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _rule(piece: Rule) -> FirewallRule:
    protocol = piece.get("PROTOCOL", "").strip().lower()
    outbound = piece.get("RULE_TYPE", "").strip().lower() == "outbound"
    first, _, last = piece.get("RANGE", "").partition(":")
    port_from = integer(first)
    port_to = integer(last) if last else port_from
    if protocol in _ICMP_TYPES:
        port_from, port_to = integer(piece.get(_ICMP_TYPES[protocol])), None
    return FirewallRule(
        id=_id(piece),
        protocol=None if protocol in ("all", "") else protocol,
        port_from=port_from,
        port_to=port_to,
        sources=_sources(piece),
        direction=Direction.EGRESS if outbound else Direction.INGRESS,
    )


def _sources(piece: Rule) -> tuple[RuleSource, ...]:
    if network := piece.get("NETWORK_ID", "").strip():
        return (RuleSource(kind=SourceKind.GROUP, group=f"{NETWORK}{network}"),)
    first = piece.get("IP", "").strip()
    if not first:
        return (_ANYWHERE,)
    size = integer(piece.get("SIZE")) or 1
    return tuple([RuleSource(cidr=str(block)) for block in _blocks(first, size)])


def _blocks(first: str, size: int) -> Sequence[IPv4Network | IPv6Network]:
    try:
        start = ip_address(first)
        if isinstance(start, IPv4Address):
            return list(summarize_address_range(start, start + (size - 1)))
        return list(summarize_address_range(start, start + (size - 1)))
    except ValueError:
        return []


def _numbers(protocol: str, first: int | None, last: int | None) -> Mapping[str, str]:
    if protocol in _ICMP_TYPES:
        if last not in (None, -1):
            raise InvalidRequest("port_to: OpenNebula takes the type of ICMP, and no code")
        if first is not None and not -1 <= first <= 255:
            raise InvalidRequest(f"port_from: {first} is no type of ICMP")
        return {} if first in (None, -1) else {_ICMP_TYPES[protocol]: str(first)}
    if first is None and last is None:
        return {}
    if protocol not in _WITH_PORTS:
        raise InvalidRequest(f"protocol: {protocol} has no ports, tcp and udp have")
    start = 1 if first is None else first
    end = _LAST_PORT if last is None else last
    if not 0 <= start <= end <= _LAST_PORT:
        raise InvalidRequest(f"port_from, port_to: {start} to {end} is no range of ports")
    return {"RANGE": str(start) if start == end else f"{start}:{end}"}


def _target(source: RuleSource) -> Mapping[str, str]:
    if source.kind is SourceKind.GROUP:
        group = source.group or ""
        if group.startswith(NETWORK) and group.removeprefix(NETWORK).isdigit():
            return {"NETWORK_ID": group.removeprefix(NETWORK)}
        raise InvalidRequest(
            "sources.group: OpenNebula takes a network in its place",
            remedy=f"Write the id of a network, as {NETWORK}0",
        )
    try:
        block = ip_network(source.cidr or "0.0.0.0/0", strict=False)
    except ValueError:
        raise InvalidRequest(f"sources.cidr: {source.cidr!r} is no block of addresses") from None
    if block.prefixlen == 0:
        return {}
    if block.num_addresses > _MOST_ADDRESSES:
        raise InvalidRequest(f"sources.cidr: {block} is larger than OpenNebula can say")
    return {"IP": str(block.network_address), "SIZE": str(block.num_addresses)}
