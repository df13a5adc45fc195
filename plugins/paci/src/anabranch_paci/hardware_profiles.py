"""Hardware profiles: those of the settings, because the platform has none."""

from __future__ import annotations

from typing import NamedTuple

from anabranch.errors import InvalidRequest, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.hardware_profiles import HardwareProfilesSpec
from anabranch.models import Hardware, HardwareProfile, HardwareProperty, RootType
from anabranch.paging import Page
from anabranch_paci.client import PaciCloud
from anabranch_paci.convert import usual
from anabranch_paci.settings import PaciSettings, ProfileSettings, SizeRange

__all__ = ["HardwareProfiles", "Sizes", "profile_of", "sizes"]


class Sizes(NamedTuple):
    """What a server is to have."""

    cpu: int
    memory_mib: int
    storage_gb: int


class HardwareProfiles(HardwareProfilesSpec[PaciSettings]):
    """The configured profiles."""

    @hookimpl
    async def list_hardware_profiles(
        self, cloud: PaciCloud, cursor: str | None
    ) -> Page[HardwareProfile]:
        return Page([_model(cloud, p) for p in cloud.settings.hardware_profiles])

    @hookimpl
    async def get_hardware_profile(
        self, cloud: PaciCloud, hardware_profile_id: str
    ) -> HardwareProfile:
        return _model(cloud, profile_of(cloud, hardware_profile_id))


def profile_of(cloud: PaciCloud, name: str | None) -> ProfileSettings:
    """Return the profile of a name; None: the smallest, by memory, processors, then disk.

    Raises:
        NotFound: there is none of that name.
    """
    profiles = cloud.settings.hardware_profiles
    if name is None:
        return min(profiles, key=lambda p: (usual(p.memory_mib), usual(p.cpu), usual(p.storage_gb)))
    for profile in profiles:
        if profile.name == name:
            return profile
    known = ", ".join(p.name for p in profiles)
    raise NotFound(f"there is no hardware profile {name!r}", remedy=f"Known: {known}")


def sizes(profile: ProfileSettings, hardware: Hardware | None = None) -> Sizes:
    """Return what a profile comes to with what is asked for in its place.

    Raises:
        InvalidRequest: the profile does not let that be chosen.
    """
    wanted = hardware or Hardware()
    if wanted.architecture is not None:
        raise InvalidRequest("the architecture is that of the image and cannot be chosen")
    return Sizes(
        _chosen("cpu", profile.cpu, wanted.cpu),
        _chosen("memory_mib", profile.memory_mib, wanted.memory_mib),
        _chosen("storage_gb", profile.storage_gb, wanted.storage_gb),
    )


def _chosen(name: str, size: int | SizeRange, wanted: float | None) -> int:
    if wanted is None:
        return usual(size)
    first, last = (size.first, size.last) if isinstance(size, SizeRange) else (size, size)
    if not float(wanted).is_integer() or not first <= wanted <= last:
        allowed = f"{first} to {last}" if first < last else str(first)
        raise InvalidRequest(f"{name}: {wanted:g} cannot be had, only {allowed} in whole numbers")
    return int(wanted)


def _model(cloud: PaciCloud, profile: ProfileSettings) -> HardwareProfile:
    return HardwareProfile(
        cloud=cloud.name,
        id=profile.name,
        name=profile.name,
        cpu=_property(profile.cpu),
        memory_mib=_property(profile.memory_mib),
        storage_gb=_property(profile.storage_gb),
        root_type=RootType.PERSISTENT,
    )


def _property(size: int | SizeRange) -> HardwareProperty:
    if isinstance(size, SizeRange):
        return HardwareProperty(value=size.value, first=size.first, last=size.last)
    return HardwareProperty(value=size)
