"""The rules of a firewall as neutron wants them: one for each source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any, Final

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.models import FirewallRuleSpec, RuleAction, RuleSource, SourceKind
from anabranch.reading import Reader
from anabranch_openstack import wire_network as wire
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import Session

__all__ = ["GROUP", "rules_to_add"]

GROUP: Final = Reader(wire.SecurityGroup)

_UUID: Final = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_IPV6_PROTOCOLS: Final = frozenset({"icmpv6", "58"})


async def rules_to_add(
    neutron: Session, firewall_id: str, spec: FirewallRuleSpec
) -> list[dict[str, Any]]:
    """Return the rules to ask neutron for; a group that is named is looked up.

    Raises:
        InvalidRequest: neutron has no such rules.
    """
    if spec.action is not RuleAction.ACCEPT:
        raise InvalidRequest(
            "a security group of OpenStack only accepts traffic, and denies the rest"
        )
    if not spec.sources:
        raise InvalidRequest(
            "the rule has no source", remedy="0.0.0.0/0 and ::/0 stand for everybody"
        )
    common = {
        "security_group_id": firewall_id,
        "direction": spec.direction.value,
        "protocol": spec.protocol,
        "port_range_min": spec.port_from,
        "port_range_max": spec.port_to,
    }
    common = {name: value for name, value in common.items() if value is not None}
    rules = [{**common, **await _end(neutron, source, spec.protocol)} for source in spec.sources]
    return [rule for index, rule in enumerate(rules) if rule not in rules[:index]]


async def _end(neutron: Session, source: RuleSource, protocol: str | None) -> Mapping[str, str]:
    if source.kind is SourceKind.GROUP:
        if not source.group:
            raise InvalidRequest("a source that is a firewall needs its id or name")
        named = _UUID.fullmatch(source.group) is None
        group = await _find(neutron, source.group, source.owner) if named else source.group
        version = 6 if _is_ipv6(protocol or "") else 4
        return {"remote_group_id": group, "ethertype": f"IPv{version}"}
    try:
        block = ip_network(source.cidr or "", strict=False)
    except ValueError:
        raise InvalidRequest(
            f"{source.cidr!r} is no block of addresses", remedy="Write it like 192.0.2.0/24"
        ) from None
    return {"remote_ip_prefix": str(block), "ethertype": f"IPv{block.version}"}


def _is_ipv6(protocol: str) -> bool:
    return protocol.startswith("ipv6-") or protocol in _IPV6_PROTOCOLS


async def _find(neutron: Session, name: str, owner: str | None) -> str:
    def ident(group: wire.SecurityGroup, raw: msgspec.Raw) -> str:
        del raw
        return group.id

    found = await neutron.every(
        NETWORK,
        "/security-groups",
        "security_groups",
        reader=GROUP,
        convert=ident,
        params={"name": name, **({"project_id": owner} if owner else {})},
    )
    if len(found) != 1:
        many = "several firewalls are" if found else "no firewall is"
        raise InvalidRequest(f"{many} named {name!r}", remedy="Use the id of one")
    return found[0]
