"""The documents of cinder, as far as they are translated."""

from __future__ import annotations

from datetime import datetime

import msgspec

__all__ = ["Snapshot", "Volume", "VolumeAttachment"]


class VolumeAttachment(msgspec.Struct, gc=False):
    """Where a volume is attached."""

    server_id: str | None = None
    device: str | None = None


class Volume(msgspec.Struct, gc=False):
    """A volume; `size` in GiB. Whether it is bootable is a text, `true` or `false`."""

    id: str
    name: str | None = None
    description: str | None = None
    status: str = ""
    size: int | None = None
    availability_zone: str | None = None
    created_at: datetime | None = None
    volume_type: str | None = None
    snapshot_id: str | None = None
    bootable: str | None = None
    attachments: list[VolumeAttachment] | None = None
    metadata: dict[str, str] | None = None


class Snapshot(msgspec.Struct, gc=False):
    """A snapshot of a volume; `size` in GiB is the volume's."""

    id: str
    name: str | None = None
    description: str | None = None
    status: str = ""
    volume_id: str | None = None
    size: int | None = None
    created_at: datetime | None = None
