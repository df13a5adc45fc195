"""Hooks about a cloud as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from anabranch.errors import (
    CloudError,
    InvalidRequest,
    OperationNotSupported,
    PermissionDenied,
)
from anabranch.features import Feature
from anabranch.hooks import CloudIdentity, DiscoveredCloud, Lacks, hookimpl
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch.redaction import redact_url
from anabranch_cloudstack import wire
from anabranch_cloudstack.capabilities import capabilities
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.commands import COMMANDS, FEATURE_COMMANDS
from anabranch_cloudstack.discover import find_clouds
from anabranch_cloudstack.firewalls import NO_GROUPS, has_groups
from anabranch_cloudstack.quotas import owner
from anabranch_cloudstack.realms import chosen_zone
from anabranch_cloudstack.replies import decoded
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["Lifecycle"]

_OWNER: Final = msgspec.json.Decoder(wire.Account)
_VERSION: Final = re.compile(r"(\d+)\.(\d+)")
_FORCED_REBOOT: Final = (4, 16)
_NO_GROUPS_THERE: Final = (
    "the zone that instances are put in has no security groups; if another has, set zone"
)


class Lifecycle(LifecycleSpec[CloudStackSettings]):
    """Discovery, check and probe."""

    @hookimpl
    async def discover(self, environment: Mapping[str, str]) -> list[DiscoveredCloud]:
        return await find_clouds(environment)

    @hookimpl
    async def check(self, cloud: CloudStackCloud) -> CloudIdentity:
        able = await capabilities(cloud)
        document = await owner(session(cloud))
        account = wire.Account(id="") if document is None else decoded(document, _OWNER)
        name = account.name or "account not told"
        return CloudIdentity(
            account=f"{name} (domain {account.domain})" if account.domain else name,
            endpoint=redact_url(cloud.settings.endpoint),
            version=able.cloudstackversion,
            owner_id=account.name,
        )

    @hookimpl
    async def probe(self, cloud: CloudStackCloud) -> Lacks:
        try:
            known = await session(cloud).apis()
        except (PermissionDenied, OperationNotSupported):
            return Lacks()  # a role that may not even ask what it may: nothing is known
        operations: dict[str, str] = {}
        for operation, needed in COMMANDS.items():
            if absent := [name for name in needed if name not in known]:
                operations[operation] = _reason(absent)
        features: dict[tuple[str, Feature], str] = {}
        for place, needed in FEATURE_COMMANDS.items():
            if absent := [name for name in needed if name not in known]:
                features[place] = _reason(absent)
        if not await has_groups(cloud):
            operations.setdefault("create_firewall", NO_GROUPS)
        if not await _groups_where_instances_go(cloud):
            features["create_instance", Feature.FIREWALLS] = _NO_GROUPS_THERE
        if await _older(cloud, _FORCED_REBOOT):
            text = "this cloud is older than 4.16, and reboots in one way"
            features["reboot_instance", Feature.HARD_REBOOT] = text
        return Lacks(operations=operations, features=features)


def _reason(absent: list[str]) -> str:
    return f"the key's role may not call {', '.join(absent)}, or the cloud has no such command"


async def _groups_where_instances_go(cloud: CloudStackCloud) -> bool:
    try:
        return await has_groups(cloud, await chosen_zone(cloud, None))
    except InvalidRequest:
        return False


async def _older(cloud: CloudStackCloud, version: tuple[int, int]) -> bool:
    try:
        match = _VERSION.match((await capabilities(cloud)).cloudstackversion)
    except CloudError as exc:
        if exc.retryable:
            raise
        return False
    return match is not None and (int(match[1]), int(match[2])) < version
