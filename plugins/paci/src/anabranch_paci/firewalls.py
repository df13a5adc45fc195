"""Firewalls: each server has one, whose rules are written all at once."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

from anabranch.errors import CloudError, InvalidRequest, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.firewalls import FirewallsSpec
from anabranch.models import (
    Direction,
    Firewall,
    FirewallRule,
    FirewallRuleSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch.paging import Page
from anabranch_paci import listing
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.convert import extra_of, integer
from anabranch_paci.markup import Node
from anabranch_paci.servers import part, refused
from anabranch_paci.settings import PaciSettings

__all__ = ["Firewalls"]

_PROTOCOLS: Final = ("tcp", "udp")
_KEYS: Final = frozenset({"rule"})


class Firewalls(FirewallsSpec[PaciSettings]):
    """The firewall of each server; its id is the server's name.

    The platform replaces all rules at once, and whoever writes gives them no ids. So a rule's id
    is made here of what it says: it stays the same when other rules change.
    """

    @hookimpl
    async def list_firewalls(self, cloud: PaciCloud, cursor: str | None) -> Page[Firewall]:
        paci = session(cloud)

        async def detail(info: Node) -> Sequence[Firewall]:
            name = info.attributes["name"]
            return (_model(cloud, name, *await _read(paci, name)),)

        return await listing.page(
            paci,
            listing.SERVERS,
            cursor,
            subscription=cloud.settings.subscription,
            detail=detail,
        )

    @hookimpl
    async def get_firewall(self, cloud: PaciCloud, firewall_id: str) -> Firewall:
        return _model(cloud, firewall_id, *await _read(session(cloud), firewall_id))

    @hookimpl
    async def add_firewall_rule(
        self, cloud: PaciCloud, firewall_id: str, spec: FirewallRuleSpec
    ) -> Firewall:
        paci = session(cloud)
        wanted = _rule(spec)
        async with paci.firewalls:
            root, content = await _read(paci, firewall_id)
            rules = list(root.all("rule"))
            if _rule_id(wanted) in map(_rule_id, rules):
                return _model(cloud, firewall_id, root, content)
            try:
                await _write(paci, firewall_id, (*rules, wanted), method="PUT" if rules else "POST")
            except CloudError as exc:
                # A POST that is tried again may be refused because the first one was done.
                if not refused(exc):
                    raise
                root, content = await _read(paci, firewall_id)
                if _rule_id(wanted) not in map(_rule_id, root.all("rule")):
                    raise
                return _model(cloud, firewall_id, root, content)
            return _model(cloud, firewall_id, *await _read(paci, firewall_id))

    @hookimpl
    async def remove_firewall_rule(
        self, cloud: PaciCloud, firewall_id: str, rule_id: str
    ) -> Firewall:
        paci = session(cloud)
        async with paci.firewalls:
            rules = list((await _read(paci, firewall_id))[0].all("rule"))
            rest = [rule for rule in rules if _rule_id(rule) != rule_id]
            if len(rest) == len(rules):
                raise NotFound(f"the firewall of {firewall_id!r} has no rule {rule_id!r}")
            if rest:
                await _write(paci, firewall_id, rest, method="PUT")
            else:
                await paci.act("DELETE", "ve", firewall_id, "firewall")
            return _model(cloud, firewall_id, *await _read(paci, firewall_id))


async def _read(paci: Session, name: str) -> tuple[Node, bytes]:
    return await part(paci, name, "firewall", root="firewall")


async def _write(paci: Session, name: str, rules: Iterable[Node], *, method: str) -> None:
    """Write all rules: POST makes the first ones, PUT replaces what is there. Both idempotent."""
    told = ("name", "protocol", "local-port", "remote-port")
    children = tuple(
        Node("rule", {k: v for k in told if (v := rule.get(k))}, children=rule.children)
        for rule in rules
    )
    await paci.act(
        method, "ve", name, "firewall", body=Node("firewall", children=children), idempotent=True
    )


def _model(cloud: PaciCloud, name: str, root: Node, content: bytes) -> Firewall:
    return Firewall(
        cloud=cloud.name,
        id=name,
        name=name,
        description=f"firewall of {name}",
        rules=tuple(_told(rule) for rule in root.all("rule")),
        extra=extra_of(content, _KEYS),
    )


def _told(rule: Node) -> FirewallRule:
    port = integer(rule.get("local-port")) or None
    return FirewallRule(
        id=_rule_id(rule),
        protocol=(rule.get("protocol") or "").lower() or None,
        port_from=port,
        port_to=port,
        sources=tuple(RuleSource(cidr=net) for net in _nets(rule)),
    )


def _rule(spec: FirewallRuleSpec) -> Node:
    """Return the rule that the platform is to have; it knows one port, or all, and no ranges."""
    protocol = (spec.protocol or "").lower()
    if protocol not in _PROTOCOLS:
        raise InvalidRequest(f"protocol: {spec.protocol!r} is none of {', '.join(_PROTOCOLS)}")
    if spec.direction is not Direction.INGRESS:
        raise InvalidRequest("direction: a firewall of PACI is about what comes in")
    if spec.action is not RuleAction.ACCEPT:
        raise InvalidRequest("action: a firewall of PACI says what is let in, the rest is not")
    if spec.port_from != spec.port_to or not 0 <= (spec.port_from or 0) <= 65535:
        raise InvalidRequest(
            f"port_from, port_to: {spec.port_from} to {spec.port_to} is not one port",
            remedy="Give one port, or none for all; several take a rule each",
        )
    if not spec.sources:
        raise InvalidRequest("sources: at least one is required")
    port = str(spec.port_from or 0)
    nets = tuple(Node("remote-net", text=_cidr(source)) for source in spec.sources)
    said = {"protocol": protocol.upper(), "local-port": port, "remote-port": "0"}
    unnamed = Node("rule", said, children=nets)
    name = f"{protocol}-{port}-{_rule_id(unnamed)[:8]}"
    return Node("rule", {"name": name, **said}, children=nets)


def _cidr(source: RuleSource) -> str:
    if source.kind is not SourceKind.ADDRESS:
        raise InvalidRequest("sources: a firewall of PACI knows blocks of addresses, no groups")
    try:
        return str(ipaddress.ip_network(source.cidr or "", strict=False))
    except ValueError:
        raise InvalidRequest(f"sources.cidr: {source.cidr!r} is no block of addresses") from None


def _nets(rule: Node) -> list[str]:
    return [net.text.strip() for net in rule.all("remote-net") if net.text.strip()]


def _rule_id(rule: Node) -> str:
    ports = (rule.get("local-port") or "0", rule.get("remote-port") or "0")
    said = ((rule.get("protocol") or "").lower(), *ports, *sorted(_nets(rule)))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
