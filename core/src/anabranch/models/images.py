"""Images: what instances are booted from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from anabranch.models._base import Resource
from anabranch.models.hardware_profiles import RootType

__all__ = ["Image", "ImageSpec", "ImageState"]


class ImageState(StrEnum):
    """Whether an image can be booted."""

    PENDING = "PENDING"
    AVAILABLE = "AVAILABLE"
    UNAVAILABLE = "UNAVAILABLE"
    ERROR = "ERROR"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"


class Image(Resource, frozen=True, kw_only=True):
    """What an instance is booted from.

    Attributes:
        description: Free text.
        owner_id: Account that owns it.
        architecture: `x86_64`, `aarch64`, …; None: not told.
        state: Whether it can be booted.
        platform_state: The platform's own word for the state.
        created_at: When it was made, UTC.
        size_bytes: Size of its file, bytes.
        min_memory_mib: Least memory that it boots with, MiB; 0: any.
        min_storage_gb: Least root disk that it fits on, GB; 0: any.
        root_type: Root disk of instances made from it.
        hardware_profile_ids: Profiles that it may be booted with; empty: any, or not told.
        public: Whether everybody on the cloud may use it; None: not told.
        tags: Names and values that users gave it.
    """

    description: str = ""
    owner_id: str | None = None
    architecture: str | None = None
    state: ImageState = ImageState.AVAILABLE
    platform_state: str = ""
    created_at: datetime | None = None
    size_bytes: int | None = None
    min_memory_mib: int = 0
    min_storage_gb: int = 0
    root_type: RootType | None = None
    hardware_profile_ids: tuple[str, ...] = ()
    public: bool | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class ImageSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What to make an image of.

    Attributes:
        instance_id: The instance whose root disk is copied.
        name: Name of the image (feature `image_name`).
        description: Free text (feature `image_description`).
        tags: Names and values to give it (feature `image_tags`).
    """

    instance_id: str
    name: str = ""
    description: str = ""
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
