"""Hooks of the hardware profiles."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import HardwareProfile
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["HardwareProfilesSpec"]

S = TypeVar("S", bound=CloudSettings)


class HardwareProfilesSpec(Generic[S]):
    """What can be done with hardware profiles."""

    @operation
    async def list_hardware_profiles(
        self, cloud: Cloud[S], cursor: str | None
    ) -> Page[HardwareProfile]:
        """Return one page of hardware profiles.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_hardware_profile(
        self, cloud: Cloud[S], hardware_profile_id: str
    ) -> HardwareProfile:
        """Return one hardware profile.

        Raises:
            NotFound: no such hardware profile.
        """
        raise NotImplementedError
