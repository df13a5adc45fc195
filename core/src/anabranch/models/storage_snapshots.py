"""Storage snapshots: volumes, or on some platforms whole instances, as they were at one time."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from anabranch.models._base import Resource

__all__ = ["StorageSnapshot", "StorageSnapshotSpec", "StorageSnapshotState"]


class StorageSnapshotState(StrEnum):
    """Whether a snapshot can be used."""

    CREATING = "CREATING"
    AVAILABLE = "AVAILABLE"
    DELETING = "DELETING"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"


class StorageSnapshot(Resource, frozen=True, kw_only=True):
    """A snapshot.

    Attributes:
        description: Free text.
        state: In the common words.
        platform_state: The platform's own word.
        storage_volume_id: Volume that it is of.
        instance_id: Instance that it is of, where the platform takes those.
        size_gb: Size of the volume, GB.
        created_at: When it was made, UTC.
    """

    description: str = ""
    state: StorageSnapshotState = StorageSnapshotState.UNKNOWN
    platform_state: str = ""
    storage_volume_id: str | None = None
    instance_id: str | None = None
    size_gb: float | int | None = None
    created_at: datetime | None = None


class StorageSnapshotSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The snapshot to take: of a volume or of a whole instance, whichever the platform can.

    Attributes:
        storage_volume_id: Volume to take it of (feature `snapshot_of_volume`) …
        instance_id: … or instance to take it of (feature `snapshot_of_instance`).
        name: (feature `snapshot_name`).
        description: (feature `snapshot_description`).

    Raises:
        ValueError: neither a volume nor an instance is named, or both.
    """

    storage_volume_id: str = ""
    instance_id: str = ""
    name: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        """See that it is of one thing."""
        if bool(self.storage_volume_id) is bool(self.instance_id):
            raise ValueError("name either the volume or the instance to take a snapshot of")
