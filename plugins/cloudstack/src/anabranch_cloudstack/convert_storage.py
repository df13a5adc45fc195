"""Documents of volumes and snapshots to models: pure functions."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.models import (
    Extra,
    StorageSnapshot,
    StorageSnapshotState,
    StorageVolume,
    StorageVolumeState,
)
from anabranch_cloudstack import wire
from anabranch_cloudstack.values import gib, tags_of, utc

__all__ = ["snapshot", "volume"]

_VOLUME: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire.Volume))
_SNAPSHOT: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire.Snapshot))

_V = StorageVolumeState
_VOLUME_STATES: Final = {
    "Allocated": _V.AVAILABLE,
    "Ready": _V.AVAILABLE,
    "Uploaded": _V.AVAILABLE,
    "Creating": _V.CREATING,
    "NotUploaded": _V.CREATING,
    "UploadInProgress": _V.CREATING,
    "UploadOp": _V.CREATING,
    "Attaching": _V.ATTACHING,
    "Copying": _V.BUSY,
    "Migrating": _V.BUSY,
    "Resizing": _V.BUSY,
    "Restoring": _V.BUSY,
    "RevertSnapshotting": _V.BUSY,
    "Snapshotting": _V.BUSY,
    "Destroy": _V.DELETING,
    "Destroying": _V.DELETING,
    "Destroyed": _V.DELETING,
    "Expunging": _V.DELETING,
    "Expunged": _V.DELETING,
    "UploadError": _V.ERROR,
    "UploadAbandoned": _V.ERROR,
}
_S = StorageSnapshotState
_SNAPSHOT_STATES: Final = {
    "Allocated": _S.CREATING,
    "Creating": _S.CREATING,
    "CreatedOnPrimary": _S.CREATING,
    "BackingUp": _S.CREATING,
    "Copying": _S.CREATING,
    "BackedUp": _S.AVAILABLE,
    "Destroying": _S.DELETING,
    "Destroyed": _S.DELETING,
    "Error": _S.ERROR,
}


def volume(cloud: str, found: wire.Volume, raw: msgspec.Raw) -> StorageVolume:
    """Convert a volume; its device is the number that CloudStack tells."""
    state = _VOLUME_STATES.get(found.state, _V.UNKNOWN)
    if state is _V.AVAILABLE and found.virtualmachineid:
        state = _V.IN_USE
    return StorageVolume(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        state=state,
        platform_state=found.state,
        capacity_gb=gib(found.size),
        realm_id=found.zoneid,
        kind=found.diskofferingid,
        created_at=utc(found.created),
        instance_id=found.virtualmachineid or None,
        device=None if found.deviceid is None else str(found.deviceid),
        snapshot_id=found.snapshotid,
        bootable=found.type == "ROOT" if found.type else None,
        tags=tags_of(found.tags),
        extra=Extra(raw, _VOLUME),
    )


def snapshot(cloud: str, found: wire.Snapshot, raw: msgspec.Raw) -> StorageSnapshot:
    """Convert a snapshot."""
    return StorageSnapshot(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        state=_SNAPSHOT_STATES.get(found.state, _S.UNKNOWN),
        platform_state=found.state,
        storage_volume_id=found.volumeid,
        size_gb=gib(found.virtualsize),
        created_at=utc(found.created),
        extra=Extra(raw, _SNAPSHOT),
    )
