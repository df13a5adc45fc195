"""Firewalls: security groups, the firewalls of public addresses, and lists of network ACLs.

Which of them a machine is behind is a matter of its zone and network. The ids of the second and
third kind begin with `address-` and `acl-`.
"""

from __future__ import annotations

from typing import Final

from anabranch.errors import InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.firewalls import FirewallsSpec
from anabranch.models import Firewall, FirewallRuleSpec, FirewallSpec
from anabranch.paging import Page
from anabranch_cloudstack.address_firewalls import AddressFirewalls
from anabranch_cloudstack.client import CloudStackCloud
from anabranch_cloudstack.network_acls import NetworkAcls
from anabranch_cloudstack.realms import known_zones
from anabranch_cloudstack.security_groups import SecurityGroups
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.stages import staged

__all__ = ["NO_GROUPS", "Firewalls", "has_groups"]

NO_GROUPS: Final = "no zone of this cloud has security groups"

_Kind = SecurityGroups | AddressFirewalls | NetworkAcls


class Firewalls(FirewallsSpec[CloudStackSettings]):
    """Firewalls of the three kinds."""

    @hookimpl
    async def list_firewalls(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Firewall]:
        return await staged(
            cursor,
            (
                SecurityGroups(cloud).page,
                AddressFirewalls(cloud).page,
                NetworkAcls(cloud).page,
            ),
        )

    @hookimpl
    async def get_firewall(self, cloud: CloudStackCloud, firewall_id: str) -> Firewall:
        kind, ident = _kind(cloud, firewall_id)
        return await kind.get(ident)

    @hookimpl
    async def create_firewall(self, cloud: CloudStackCloud, spec: FirewallSpec) -> Firewall:
        if not await has_groups(cloud):
            raise InvalidRequest(
                NO_GROUPS, remedy="Add rules to the firewall of a public address instead"
            )
        return await SecurityGroups(cloud).create(spec)

    @hookimpl
    async def destroy_firewall(self, cloud: CloudStackCloud, firewall_id: str) -> None:
        kind, ident = _kind(cloud, firewall_id)
        await kind.destroy(ident)

    @hookimpl
    async def add_firewall_rule(
        self, cloud: CloudStackCloud, firewall_id: str, spec: FirewallRuleSpec
    ) -> Firewall:
        kind, ident = _kind(cloud, firewall_id)
        return await kind.add(ident, spec)

    @hookimpl
    async def remove_firewall_rule(
        self, cloud: CloudStackCloud, firewall_id: str, rule_id: str
    ) -> Firewall:
        kind, ident = _kind(cloud, firewall_id)
        return await kind.remove(ident, rule_id)


async def has_groups(cloud: CloudStackCloud, zone_id: str | None = None) -> bool:
    """Whether a zone, or any, has security groups."""
    return any(
        zone.securitygroupsenabled and zone_id in (None, zone.id)
        for zone in await known_zones(cloud)
    )


def _kind(cloud: CloudStackCloud, firewall_id: str) -> tuple[_Kind, str]:
    for kind in (AddressFirewalls, NetworkAcls):
        if firewall_id.startswith(kind.prefix):
            return kind(cloud), firewall_id.removeprefix(kind.prefix)
    return SecurityGroups(cloud), firewall_id
