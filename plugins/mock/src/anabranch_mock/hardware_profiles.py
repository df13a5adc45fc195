"""Hardware profiles."""

from __future__ import annotations

from anabranch.hooks import hookimpl
from anabranch.hooks.hardware_profiles import HardwareProfilesSpec
from anabranch.models import HardwareProfile
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud

__all__ = ["HardwareProfiles"]


class HardwareProfiles(HardwareProfilesSpec[MockSettings]):
    """The hooks of the hardware profiles; they want no login, as in Deltacloud."""

    @hookimpl
    async def list_hardware_profiles(
        self, cloud: MockCloud, cursor: str | None
    ) -> Page[HardwareProfile]:
        return await listing(
            cloud,
            "list_hardware_profiles",
            lambda store: store.page(store.hardware_profiles, cursor),
        )

    @hookimpl
    async def get_hardware_profile(
        self, cloud: MockCloud, hardware_profile_id: str
    ) -> HardwareProfile:
        return await call(
            cloud,
            "get_hardware_profile",
            lambda store: store.hardware_profiles.get(hardware_profile_id),
        )
