"""Realms: nova's availability zones, in the region that is worked in."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.realms import RealmsSpec
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, session
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Realms"]

_ZONE: Final = Reader(wire.AvailabilityZone)


class Realms(RealmsSpec[OpenStackSettings]):
    """Availability zones."""

    @hookimpl
    async def list_realms(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Realm]:
        return await _all(cloud)

    @hookimpl
    async def get_realm(self, cloud: OpenStackCloud, realm_id: str) -> Realm:
        for realm in (await _all(cloud)).items:
            if realm.id == realm_id:
                return realm
        raise NotFound(f"there is no availability zone {realm_id!r}")


async def _all(cloud: OpenStackCloud) -> Page[Realm]:
    nova = session(cloud)
    region = await nova.region()

    def make(zone: wire.AvailabilityZone, raw: msgspec.Raw) -> Realm:
        return convert.realm(cloud.name, zone, raw, region)

    return await nova.page(
        COMPUTE,
        "/os-availability-zone",
        "availabilityZoneInfo",
        reader=_ZONE,
        convert=make,
        paged=False,
    )
