"""Realms: zones; and which of them is meant where none is named."""

from __future__ import annotations

from functools import partial
from typing import Final

import anyio

from anabranch.cloud import SingleFlight
from anabranch.errors import InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.realms import RealmsSpec
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch_cloudstack import convert, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["Realms", "chosen_zone", "known_zones"]

_ZONE: Final = Reader(wire.Zone, "zone")
_LIFE: Final = 300.0
"""Seconds that the list of zones is believed."""


class Realms(RealmsSpec[CloudStackSettings]):
    """Zones."""

    @hookimpl
    async def list_realms(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Realm]:
        return await session(cloud).page(
            "listZones", reader=_ZONE, convert=partial(convert.realm, cloud.name), cursor=cursor
        )

    @hookimpl
    async def get_realm(self, cloud: CloudStackCloud, realm_id: str) -> Realm:
        return await session(cloud).one(
            "listZones",
            {"id": realm_id},
            reader=_ZONE,
            convert=partial(convert.realm, cloud.name),
            what=f"zone {realm_id!r}",
        )


class _Zones:
    """The zones of a cloud, asked for again after a while."""

    def __init__(self, cloud: CloudStackCloud) -> None:
        self._cloud = cloud
        self._held: tuple[wire.Zone, ...] = ()
        self._until = 0.0
        self._asking = SingleFlight[tuple[wire.Zone, ...]]()

    async def get(self) -> tuple[wire.Zone, ...]:
        if not self._held or anyio.current_time() > self._until:
            self._held = await self._asking.get(self._ask)
            self._until = anyio.current_time() + _LIFE
        return self._held

    async def _ask(self) -> tuple[wire.Zone, ...]:
        page = await session(self._cloud).everything("listZones", reader=_ZONE, convert=itself)
        return tuple(page.items)


async def known_zones(cloud: CloudStackCloud) -> tuple[wire.Zone, ...]:
    """Return the zones, as they were some minutes ago at most."""
    return await cloud.local(_Zones).get()


async def chosen_zone(cloud: CloudStackCloud, realm_id: str | None) -> str:
    """Return the id of the zone to use: the one named, the configured, or the first enabled.

    Raises:
        InvalidRequest: there is none, or not the configured one.
    """
    if realm_id is not None:
        return realm_id
    zones = await known_zones(cloud)
    wanted = cloud.settings.zone
    if wanted is not None:
        for zone in zones:
            if wanted in (zone.id, zone.name):
                return zone.id
        names = ", ".join(zone.name or zone.id for zone in zones)
        raise InvalidRequest(
            f"there is no zone {wanted!r}", remedy=f"Correct the setting zone; known: {names}"
        )
    for zone in zones:
        if zone.allocationstate in (None, "Enabled"):
            return zone.id
    raise InvalidRequest("the cloud has no zone that is enabled")
