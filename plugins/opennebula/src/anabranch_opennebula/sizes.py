"""Sizes of instances: of the configured profiles, and of VM templates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from anabranch.errors import InvalidRequest, NotFound
from anabranch.models import NO_EXTRA, Hardware, HardwareProfile, HardwareProperty, RootType
from anabranch_opennebula.client import Session, number_of
from anabranch_opennebula.reading import extra_of, number
from anabranch_opennebula.settings import HardwareProfileSettings
from anabranch_opennebula.templates import Attribute
from anabranch_opennebula.vm_templates import VmTemplate, get_template

__all__ = [
    "Profile",
    "configured",
    "from_template",
    "profile_of",
    "size_attributes",
    "sized",
    "smallest",
]

_WITHOUT: Final = frozenset({"ID", "NAME"})
_RANGE: Final = re.compile(r"\s*(-?[\d.]+?)\.\.(-?[\d.]+)\s*")
_MIB: Final = 1024


class Profile(NamedTuple):
    """A size, and what the instance is made of beside that.

    Attributes:
        offered: The profile as users see it.
        vcpu: Processors that the guest sees.
        cpu: Share of physical processors.
        memory_mib: Memory, MiB.
        storage_gb: Root disk, GiB; 0: as it comes.
        template: The template that it is; None: it is a configured one.
        template_id: Id of the template to take the rest from.
    """

    offered: HardwareProfile
    vcpu: int
    cpu: float
    memory_mib: int
    storage_gb: float
    template: VmTemplate | None
    template_id: str | None


async def profile_of(session: Session, profile_id: str) -> Profile:
    """Return a profile: a configured one by its name, or a template by its id.

    Raises:
        NotFound: no such profile.
    """
    for settings in session.cloud.settings.hardware_profiles:
        if settings.name == profile_id:
            return configured(session.cloud.name, settings)
    number_ = number_of(profile_id, "hardware profile")
    profile = from_template(session.cloud.name, await get_template(session, number_))
    if profile is None:
        raise NotFound(f"template {profile_id} tells no memory, so it is no hardware profile")
    return profile


def configured(cloud: str, settings: HardwareProfileSettings) -> Profile:
    """Make the profile that is configured."""
    offered = HardwareProfile(
        cloud=cloud,
        id=settings.name,
        name=settings.name,
        cpu=HardwareProperty(value=settings.vcpu),
        memory_mib=HardwareProperty(value=settings.memory_mib),
        storage_gb=HardwareProperty(value=settings.storage_gb),
        root_type=RootType.TRANSIENT,
    )
    return Profile(
        offered=offered,
        vcpu=settings.vcpu,
        cpu=settings.vcpu if settings.cpu is None else settings.cpu,
        memory_mib=settings.memory_mib,
        storage_gb=settings.storage_gb,
        template=None,
        template_id=settings.template_id,
    )


def from_template(cloud: str, template: VmTemplate) -> Profile | None:
    """Make the profile that a template is; None: it tells no memory.

    Its user inputs (`M|range|Memory|512..4096|1024`) tell what else may be asked for.
    """
    inputs = template.vector("USER_INPUTS")
    memory = _property(template.scalar("MEMORY"), inputs.get("MEMORY"))
    if memory is None:
        return None
    vcpu = _property(template.scalar("VCPU") or "1", inputs.get("VCPU"))
    size = number(template.vector("DISK").get("SIZE"))
    storage = size / _MIB if size else 0
    offered = HardwareProfile(
        cloud=cloud,
        id=template.id,
        name=template.name,
        cpu=vcpu,
        memory_mib=memory,
        storage_gb=HardwareProperty(value=storage),
        root_type=RootType.TRANSIENT,
        extra=extra_of(template.thing, _WITHOUT) if template.thing else NO_EXTRA,
    )
    processors = int(vcpu.value) if vcpu else 1
    return Profile(
        offered=offered,
        vcpu=processors,
        cpu=number(template.scalar("CPU")) or processors,
        memory_mib=int(memory.value),
        storage_gb=storage,
        template=template,
        template_id=template.id,
    )


def smallest(profiles: Iterable[Profile]) -> Profile | None:
    """Return the smallest profile: by memory, then processors."""
    return min(profiles, key=lambda p: (p.memory_mib, p.vcpu, p.cpu, p.offered.id), default=None)


def sized(profile: Profile, hardware: Hardware) -> Profile:
    """Return a profile with what `hardware` wants instead; its share of CPU grows in proportion.

    Raises:
        InvalidRequest: the profile has a range or a choice, and this is not in it.
    """
    if hardware.architecture is not None:
        raise InvalidRequest(
            "OpenNebula takes the architecture from the template", remedy="Leave it out"
        )
    offered = profile.offered
    vcpu, memory = profile.vcpu, profile.memory_mib
    if hardware.cpu is not None:
        vcpu = int(_checked("cpu", hardware.cpu, offered.cpu))
    if hardware.memory_mib is not None:
        memory = int(_checked("memory_mib", hardware.memory_mib, offered.memory_mib))
    storage = profile.storage_gb if hardware.storage_gb is None else hardware.storage_gb
    return profile._replace(
        vcpu=vcpu,
        cpu=profile.cpu * vcpu / profile.vcpu,
        memory_mib=memory,
        storage_gb=storage,
    )


def size_attributes(profile: Profile) -> list[Attribute]:
    """Write the size as attributes of a template."""
    return [
        ("CPU", f"{profile.cpu:g}"),
        ("VCPU", str(profile.vcpu)),
        ("MEMORY", str(profile.memory_mib)),
    ]


def _checked(name: str, value: float, offered: HardwareProperty | None) -> float:
    if value < 1 or value != int(value):
        raise InvalidRequest(f"hardware.{name}: {value:g} is no whole number of 1 or more")
    free = offered is None or (offered.first is None and not offered.choices)
    if offered is not None and not free and not offered.allows(value):
        told = offered.choices or f"{offered.first} to {offered.last}"
        raise InvalidRequest(f"hardware.{name}: {value:g} is none of what is offered: {told}")
    return value


def _property(value: str, user_input: str | None) -> HardwareProperty | None:
    """Read a value, and the user input about it: `O|kind|description|choices|default`."""
    parts = (user_input or "").split("|")
    kind, choices = (parts[1].strip(), parts[3]) if len(parts) >= 4 else ("", "")
    default = number(value) or (number(parts[4]) if len(parts) > 4 else None)
    span = _RANGE.fullmatch(choices) if kind.startswith("range") else None
    if span:
        first, last = number(span[1]), number(span[2])
        if first is not None and last is not None:
            return HardwareProperty(value=default or first, first=first, last=last)
    if kind == "list":
        known = [n for choice in choices.split(",") if (n := number(choice)) is not None]
        if known:
            return HardwareProperty(value=default or known[0], choices=tuple(known))
    return HardwareProperty(value=default) if default else None
