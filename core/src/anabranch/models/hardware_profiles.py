"""Hardware profiles: the sizes in which instances come (flavors, instance types, offerings)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from anabranch.models._base import Resource

__all__ = ["HardwareProfile", "HardwareProperty", "PropertyKind", "RootType"]


class RootType(StrEnum):
    """What becomes of an instance's root disk when the instance goes."""

    TRANSIENT = "transient"
    PERSISTENT = "persistent"


class PropertyKind(StrEnum):
    """How free a property of a profile is."""

    FIXED = "fixed"
    RANGE = "range"
    ENUM = "enum"


class HardwareProperty(msgspec.Struct, frozen=True, kw_only=True):
    """One property of a profile: its default, and what else may be asked for.

    Attributes:
        value: The default.
        first: Least value of a range.
        last: Greatest value of a range.
        choices: The values of an enum; empty otherwise.
    """

    value: float | int | str
    first: float | int | None = None
    last: float | int | None = None
    choices: tuple[float | int | str, ...] = ()

    @property
    def kind(self) -> PropertyKind:
        """Fixed, a range, or an enum."""
        if self.choices:
            return PropertyKind.ENUM
        return PropertyKind.FIXED if self.first is None else PropertyKind.RANGE

    def allows(self, value: float | str) -> bool:
        """Whether `value` may be asked for."""
        if self.choices:
            return value in self.choices
        if self.first is None or self.last is None or isinstance(value, str):
            return value == self.value
        return self.first <= value <= self.last


class HardwareProfile(Resource, frozen=True, kw_only=True):
    """A size in which instances come. A property that is None is not told by the platform.

    Attributes:
        cpu: Number of (virtual) processors.
        memory_mib: Main memory, MiB.
        storage_gb: Root disk, GB (GiB where the platform counts so); 0: as the image needs.
        architecture: `x86_64`, `aarch64`, …
        root_type: What becomes of the root disk.
    """

    cpu: HardwareProperty | None = None
    memory_mib: HardwareProperty | None = None
    storage_gb: HardwareProperty | None = None
    architecture: HardwareProperty | None = None
    root_type: RootType | None = None

    @property
    def properties(self) -> dict[str, HardwareProperty]:
        """The properties that are told, by the names of the attributes."""
        names = ("cpu", "memory_mib", "storage_gb", "architecture")
        found = {name: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}
