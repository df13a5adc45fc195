"""Storage volumes: disks that live apart from instances."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from anabranch.models._base import Resource

__all__ = ["StorageVolume", "StorageVolumeSpec", "StorageVolumeState"]


class StorageVolumeState(StrEnum):
    """What a volume is doing."""

    CREATING = "CREATING"
    AVAILABLE = "AVAILABLE"
    ATTACHING = "ATTACHING"
    IN_USE = "IN-USE"
    BUSY = "BUSY"
    DELETING = "DELETING"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


class StorageVolume(Resource, frozen=True, kw_only=True):
    """A disk.

    Attributes:
        description: Free text.
        state: In the common words.
        platform_state: The platform's own word.
        capacity_gb: Size, GB (GiB where the platform counts so).
        realm_id: Realm that it is in.
        kind: The platform's type of volume.
        created_at: When it was made, UTC.
        instance_id: Instance that has it.
        device: Device that it is there (`/dev/vdb`).
        snapshot_id: Snapshot that it was made from.
        bootable: Whether an instance can boot from it; None: not told.
        tags: Names and values that users gave it.
    """

    description: str = ""
    state: StorageVolumeState = StorageVolumeState.UNKNOWN
    platform_state: str = ""
    capacity_gb: float | int | None = None
    realm_id: str | None = None
    kind: str | None = None
    created_at: datetime | None = None
    instance_id: str | None = None
    device: str | None = None
    snapshot_id: str | None = None
    bootable: bool | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class StorageVolumeSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The volume to make.

    Attributes:
        capacity_gb: Size, GB; None: 1, or the size of the snapshot.
        snapshot_id: Snapshot to make it from.
        realm_id: Realm to put it in.
        name: (feature `volume_name`).
        description: (feature `volume_description`).
        kind: The platform's type of volume (feature `volume_kind`).
        tags: Names and values to give it (feature `volume_tags`).
    """

    capacity_gb: int | None = None
    snapshot_id: str | None = None
    realm_id: str | None = None
    name: str = ""
    description: str = ""
    kind: str | None = None
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
