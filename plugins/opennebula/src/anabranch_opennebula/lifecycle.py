"""Hooks about a cloud as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch.hooks import CloudIdentity, DiscoveredCloud, Lacks, hookimpl
from anabranch.hooks.lifecycle import LifecycleSpec
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.discover import find_clouds
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.volume_store import image_datastores

__all__ = ["Lifecycle"]

_LEAST: Final = (5, 10)
_OF_MACHINES: Final = (
    "list_instances",
    "list_network_interfaces",
    "list_storage_snapshots",
)


class Lifecycle(LifecycleSpec[OpenNebulaSettings]):
    """Discovery, check and probe."""

    @hookimpl
    async def discover(self, environment: Mapping[str, str]) -> list[DiscoveredCloud]:
        return await find_clouds(environment)

    @hookimpl
    async def check(self, cloud: OpenNebulaCloud) -> CloudIdentity:
        one = session(cloud)
        who = await one.identity()
        return CloudIdentity(
            account=f"{who.name} (group {who.group})" if who.group else who.name,
            endpoint=cloud.settings.endpoint,
            version=await one.version(),
            owner_id=str(who.uid),
        )

    @hookimpl
    async def probe(self, cloud: OpenNebulaCloud) -> Lacks:
        one = session(cloud)
        lacks: dict[str, str] = {}
        version = await one.version()
        if _numbers(version) < _LEAST:
            reason = f"OpenNebula {version} is too old: it has no one.vmpool.infoextended"
            lacks.update(dict.fromkeys(_OF_MACHINES, reason))
        if not await image_datastores(one):
            lacks["create_storage_volume"] = "the user may see no image datastore"
        return Lacks(operations=lacks)


def _numbers(version: str) -> tuple[int, ...]:
    """Read a version; one that cannot be read counts as new."""
    parts = version.split(".")[:2]
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        return _LEAST
    return tuple(int(part) for part in parts)
