"""Cinder's documents to models: pure functions."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from anabranch.models import (
    Extra,
    Quota,
    StorageSnapshot,
    StorageSnapshotState,
    StorageVolume,
    StorageVolumeState,
)
from anabranch_openstack import wire_storage
from anabranch_openstack.times import utc

__all__ = ["quotas", "snapshot", "volume"]

_VOLUME_KEYS: Final = frozenset(
    f.encode_name
    for f in msgspec.structs.fields(wire_storage.Volume)
    if f.name != "attachments"  # a volume may be at several instances, and the model tells one
) | {"links"}
_SNAPSHOT_KEYS: Final = frozenset(
    f.encode_name for f in msgspec.structs.fields(wire_storage.Snapshot)
)

_V = StorageVolumeState
_VOLUME_STATES: Final = {
    "attaching": _V.ATTACHING,
    "available": _V.AVAILABLE,
    "awaiting-transfer": _V.AVAILABLE,
    "backing-up": _V.BUSY,
    "creating": _V.CREATING,
    "deleting": _V.DELETING,
    "detaching": _V.BUSY,
    "downloading": _V.CREATING,
    "extending": _V.BUSY,
    "in-use": _V.IN_USE,
    "maintenance": _V.BUSY,
    "managing": _V.CREATING,
    "reserved": _V.ATTACHING,
    "restoring-backup": _V.CREATING,
    "retyping": _V.BUSY,
    "reverting": _V.BUSY,
    "uploading": _V.BUSY,
}

_S = StorageSnapshotState
_SNAPSHOT_STATES: Final = {
    "available": _S.AVAILABLE,
    "backing-up": _S.AVAILABLE,
    "creating": _S.CREATING,
    "deleted": _S.DELETING,
    "deleting": _S.DELETING,
    "restoring": _S.AVAILABLE,
    "unmanaging": _S.DELETING,
}

_QUOTAS: Final = (
    ("volumes", "maxTotalVolumes", "totalVolumesUsed", "count"),
    ("snapshots", "maxTotalSnapshots", "totalSnapshotsUsed", "count"),
    ("volume_storage", "maxTotalVolumeGigabytes", "totalGigabytesUsed", "GiB"),
    ("backups", "maxTotalBackups", "totalBackupsUsed", "count"),
    ("backup_storage", "maxTotalBackupGigabytes", "totalBackupGigabytesUsed", "GiB"),
)


def volume(cloud: str, found: wire_storage.Volume, raw: msgspec.Raw) -> StorageVolume:
    """Convert a volume; of several attachments the first is told, the others are in `extra`."""
    attachment = next(iter(found.attachments or ()), None)
    status = found.status
    error = status.startswith("error")  # error_deleting, error_restoring, …
    return StorageVolume(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        description=found.description or "",
        state=_V.ERROR if error else _VOLUME_STATES.get(status, _V.UNKNOWN),
        platform_state=status,
        capacity_gb=found.size,
        realm_id=found.availability_zone,
        kind=found.volume_type,
        created_at=utc(found.created_at),
        instance_id=attachment.server_id if attachment else None,
        device=attachment.device if attachment else None,
        snapshot_id=found.snapshot_id,
        bootable=found.bootable.lower() == "true" if found.bootable else None,
        tags=found.metadata or {},
        extra=Extra(raw, _VOLUME_KEYS),
    )


def snapshot(cloud: str, found: wire_storage.Snapshot, raw: msgspec.Raw) -> StorageSnapshot:
    """Convert a snapshot."""
    error = found.status.startswith("error")
    return StorageSnapshot(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        description=found.description or "",
        state=_S.ERROR if error else _SNAPSHOT_STATES.get(found.status, _S.UNKNOWN),
        platform_state=found.status,
        storage_volume_id=found.volume_id,
        size_gb=found.size,
        created_at=utc(found.created_at),
        extra=Extra(raw, _SNAPSHOT_KEYS),
    )


def quotas(cloud: str, absolute: dict[str, Any]) -> list[Quota]:
    """Convert cinder's absolute limits; -1 is no limit."""
    found: list[Quota] = []
    for name, most, used, unit in _QUOTAS:
        limit, count = absolute.get(most), absolute.get(used)
        if isinstance(limit, int):
            found.append(
                Quota(
                    cloud=cloud,
                    id=name,
                    name=name,
                    limit=None if limit < 0 else limit,
                    used=count if isinstance(count, int) else None,
                    unit=unit,
                )
            )
    return found
