"""Hardware profiles: the configured ones, and VM templates."""

from __future__ import annotations

from anabranch.hooks import hookimpl
from anabranch.hooks.hardware_profiles import HardwareProfilesSpec
from anabranch.models import HardwareProfile
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.sizes import configured, from_template, profile_of
from anabranch_opennebula.vm_templates import template_of

__all__ = ["HardwareProfiles"]


class HardwareProfiles(HardwareProfilesSpec[OpenNebulaSettings]):
    """Sizes. The first page begins with the configured ones."""

    @hookimpl
    async def list_hardware_profiles(
        self, cloud: OpenNebulaCloud, cursor: str | None
    ) -> Page[HardwareProfile]:
        def convert(thing: Thing) -> list[HardwareProfile]:
            profile = from_template(cloud.name, template_of(thing))
            return [profile.offered] if profile else []

        page = await pools.page(session(cloud), pools.TEMPLATES, cursor, convert)
        if cursor is not None:
            return page
        ours = [configured(cloud.name, s).offered for s in cloud.settings.hardware_profiles]
        return Page([*ours, *page.items], page.cursor, page.problems)

    @hookimpl
    async def get_hardware_profile(
        self, cloud: OpenNebulaCloud, hardware_profile_id: str
    ) -> HardwareProfile:
        return (await profile_of(session(cloud), hardware_profile_id)).offered
