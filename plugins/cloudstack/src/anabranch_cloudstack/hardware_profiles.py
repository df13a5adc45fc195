"""Hardware profiles: service offerings."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.hardware_profiles import HardwareProfilesSpec
from anabranch.models import HardwareProfile
from anabranch.paging import Page
from anabranch_cloudstack import convert, wire
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.values import number

__all__ = ["HardwareProfiles", "custom_details", "smallest"]

_OFFERING: Final = Reader(wire.ServiceOffering, "serviceoffering")


class HardwareProfiles(HardwareProfilesSpec[CloudStackSettings]):
    """Service offerings."""

    @hookimpl
    async def list_hardware_profiles(
        self, cloud: CloudStackCloud, cursor: str | None
    ) -> Page[HardwareProfile]:
        return await session(cloud).page(
            "listServiceOfferings",
            reader=_OFFERING,
            convert=partial(convert.hardware_profile, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_hardware_profile(
        self, cloud: CloudStackCloud, hardware_profile_id: str
    ) -> HardwareProfile:
        return await session(cloud).one(
            "listServiceOfferings",
            {"id": hardware_profile_id},
            reader=_OFFERING,
            convert=partial(convert.hardware_profile, cloud.name),
            what=f"service offering {hardware_profile_id!r}",
        )


async def smallest(cloud: CloudStackCloud, zone_id: str) -> str:
    """Return the id of the fixed offering with the least memory, then the fewest processors.

    Raises:
        InvalidRequest: there is none.
    """
    page = await session(cloud).everything(
        "listServiceOfferings",
        reader=_OFFERING,
        convert=itself,
        parameters={"zoneid": zone_id},
    )
    fixed = [o for o in page.items if not o.iscustomized]
    if not fixed:
        raise InvalidRequest(
            "there is no service offering of a fixed size to choose",
            remedy="Name hardware_profile_id, or set service_offering for the cloud",
        )
    return min(fixed, key=lambda o: (number(o.memory) or 0, number(o.cpunumber) or 0)).id


async def custom_details(
    cloud: CloudStackCloud, offering_id: str, cpu: float | None, memory_mib: int | None
) -> Parameters:
    """Return what CloudStack wants to be told with a custom offering.

    Args:
        cloud: Where.
        offering_id: The offering.
        cpu: Number of processors wanted; None: as the offering begins.
        memory_mib: Memory wanted, MiB; None: likewise.

    Raises:
        InvalidRequest: the offering does not allow these.
    """
    offering = await session(cloud).one(
        "listServiceOfferings",
        {"id": offering_id},
        reader=_OFFERING,
        convert=itself,
        what=f"service offering {offering_id!r}",
    )
    profile = convert.hardware_profile(cloud.name, offering, msgspec.Raw(b"{}"))
    details: dict[str, str | int] = {}
    for name, wanted, held, fixed in (
        ("cpuNumber", cpu, profile.cpu, offering.cpunumber),
        ("memory", memory_mib, profile.memory_mib, offering.memory),
    ):
        if wanted is not None and (held is None or not held.allows(wanted)):
            allowed = "" if held is None else _range(held.value, held.first, held.last)
            raise InvalidRequest(
                f"the offering {offering.name or offering_id!r} does not allow "
                f"{wanted:g} for {name}",
                remedy=f"Ask for {allowed}" if allowed else "Name another offering",
            )
        if offering.iscustomized and fixed is None and held is not None:
            details[f"details[0].{name}"] = int(held.value if wanted is None else wanted)
    if details and offering.cpuspeed is None:
        details["details[0].cpuSpeed"] = cloud.settings.cpu_speed_mhz
    return details


def _range(value: float | str, first: float | None, last: float | None) -> str:
    return f"{value}" if first is None else f"{first:g} to {last:g}"
