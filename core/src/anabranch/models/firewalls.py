"""Firewalls: sets of rules about the traffic of instances (security groups)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from anabranch.models._base import Resource

__all__ = [
    "Direction",
    "Firewall",
    "FirewallRule",
    "FirewallRuleSpec",
    "FirewallSpec",
    "RuleAction",
    "RuleSource",
    "SourceKind",
]


class Direction(StrEnum):
    """Which traffic a rule is about, seen from the instance."""

    INGRESS = "ingress"
    EGRESS = "egress"


class RuleAction(StrEnum):
    """What a rule does with the traffic."""

    ACCEPT = "accept"
    DENY = "deny"


class SourceKind(StrEnum):
    """What the other end of the traffic is given as."""

    ADDRESS = "address"
    GROUP = "group"


class RuleSource(msgspec.Struct, frozen=True, kw_only=True):
    """The other end of the traffic: a block of addresses, or the members of a firewall.

    Attributes:
        kind: Which of the two.
        cidr: The block, `192.0.2.0/24`.
        group: Id or name of the firewall.
        owner: Account that owns that firewall.
    """

    kind: SourceKind = SourceKind.ADDRESS
    cidr: str | None = None
    group: str | None = None
    owner: str | None = None


class FirewallRuleSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A rule to add.

    Attributes:
        protocol: `tcp`, `udp`, `icmp`, another name or number; None: any.
        port_from: First port, or ICMP type; None: any.
        port_to: Last port, or ICMP code; None: any.
        sources: The other ends; at least one.
        direction: Which traffic.
        action: What to do with it.
    """

    protocol: str | None = None
    port_from: int | None = None
    port_to: int | None = None
    sources: tuple[RuleSource, ...] = ()
    direction: Direction = Direction.INGRESS
    action: RuleAction = RuleAction.ACCEPT


class FirewallRule(FirewallRuleSpec, frozen=True, kw_only=True):
    """A rule of a firewall.

    Attributes:
        id: The platform's id of it.
        log: Whether what it applies to is logged.
    """

    id: str
    log: bool = False


class Firewall(Resource, frozen=True, kw_only=True):
    """A set of rules.

    Attributes:
        description: Free text.
        owner_id: Account that owns it.
        rules: In the platform's order.
    """

    description: str = ""
    owner_id: str | None = None
    rules: tuple[FirewallRule, ...] = ()


class FirewallSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The firewall to make; rules are added afterwards.

    Attributes:
        name: Its name.
        description: What it is for.
    """

    name: str
    description: str = ""
