"""Hardware profiles: nova's flavors."""

from __future__ import annotations

from functools import partial
from typing import Final

from anabranch.errors import InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.hardware_profiles import HardwareProfilesSpec
from anabranch.models import HardwareProfile, HardwareProperty
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["HardwareProfiles", "smallest"]

_FLAVOR: Final = Reader(wire.Flavor)
_WITH_EXTRA_SPECS: Final = (2, 61)


class HardwareProfiles(HardwareProfilesSpec[OpenStackSettings]):
    """Flavors."""

    @hookimpl
    async def list_hardware_profiles(
        self, cloud: OpenStackCloud, cursor: str | None
    ) -> Page[HardwareProfile]:
        return await _page(session(cloud), cursor)

    @hookimpl
    async def get_hardware_profile(
        self, cloud: OpenStackCloud, hardware_profile_id: str
    ) -> HardwareProfile:
        nova = session(cloud)
        return await nova.one(
            COMPUTE,
            f"/flavors/{segment(hardware_profile_id)}",
            "flavor",
            reader=_FLAVOR,
            convert=partial(convert.hardware_profile, cloud.name),
            microversion=await nova.microversion(_WITH_EXTRA_SPECS, (2, 1)),
        )


async def smallest(nova: Session) -> str:
    """Return the id of the smallest flavor: by memory, then processors, then disk.

    Raises:
        InvalidRequest: the cloud shows no flavor.
    """
    found: list[HardwareProfile] = []
    cursor: str | None = None
    while True:
        page = await _page(nova, cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            break
    if not found:
        raise InvalidRequest("no hardware profile is given, and the cloud shows none")
    return min(
        found, key=lambda p: (_size(p.memory_mib), _size(p.cpu), _size(p.storage_gb), p.id)
    ).id


async def _page(nova: Session, cursor: str | None) -> Page[HardwareProfile]:
    return await nova.page(
        COMPUTE,
        "/flavors/detail",
        "flavors",
        reader=_FLAVOR,
        convert=partial(convert.hardware_profile, nova.cloud.name),
        cursor=cursor,
        microversion=await nova.microversion(_WITH_EXTRA_SPECS, (2, 1)),
    )


def _size(found: HardwareProperty | None) -> float:
    return float(found.value) if found else float("inf")
