"""What cinder remembers."""

from __future__ import annotations

import uuid
from typing import TypeVar

import msgspec

from anabranch_openstack.simulator.wire import Request

__all__ = ["At", "Item", "Snapshot", "Volume", "VolumeType", "Volumes"]


T = TypeVar("T", bound="Item")


class At(msgspec.Struct, kw_only=True):
    """Where a volume is attached."""

    id: str
    server_id: str
    device: str
    since: float


class Item(msgspec.Struct, kw_only=True):
    """What volumes and snapshots have in common; `size` in GiB.

    An item on the way to another status has `due`: when, and what then.
    """

    id: str
    project_id: str
    user_id: str
    size: int
    created: float
    name: str | None = None
    description: str | None = None
    status: str = "available"
    metadata: dict[str, str] = {}
    due: tuple[float, str] | None = None


class Volume(Item, kw_only=True):
    """A volume."""

    updated: float | None = None
    type: str | None = None
    zone: str = "nova"
    snapshot_id: str | None = None
    source_id: str | None = None
    bootable: bool = False
    attachments: list[At] = []


class Snapshot(Item, kw_only=True):
    """A snapshot of a volume."""

    volume_id: str


class VolumeType(msgspec.Struct, kw_only=True):
    """A kind of storage."""

    id: str
    name: str
    description: str | None = None


class Volumes:
    """Volumes, snapshots and types of one region, by id; `limit` is the number of volumes."""

    def __init__(self) -> None:
        self.volumes: dict[str, Volume] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.types: dict[str, VolumeType] = {}
        self.limit = 300

    def own(self, volume_id: str, project_id: str) -> Volume | None:
        """A volume of the project's."""
        volume = self.volumes.get(volume_id)
        return volume if volume is not None and volume.project_id == project_id else None

    def own_snapshot(self, request: Request, snapshot_id: str) -> Snapshot | None:
        """A snapshot of the project's."""
        snapshot = self.snapshots.get(snapshot_id)
        mine = snapshot is not None and snapshot.project_id == request.token.project_id
        return snapshot if mine else None

    def make(self, request: Request, size: int) -> Volume:
        """A new volume that is there at once."""
        volume = Volume(
            id=str(uuid.uuid4()),
            project_id=request.token.project_id,
            user_id=request.token.user.id,
            size=size,
            created=request.now,
            bootable=True,
        )
        self.volumes[volume.id] = volume
        return volume

    def attach(
        self,
        volume_id: str,
        server_id: str,
        attachment_id: str,
        device: str,
        now: float,
        delay: float = 0,
    ) -> None:
        """Attach a volume: it is in use after the delay."""
        volume = self.volumes[volume_id]
        volume.attachments = [At(id=attachment_id, server_id=server_id, device=device, since=now)]
        volume.status, volume.due = "attaching", (now + delay, "in-use")

    def detach(self, volume_id: str, server_id: str, now: float, delay: float = 0) -> None:
        """Detach a volume: it is available, and at no server, after the delay."""
        volume = self.volumes.get(volume_id)
        if volume is not None and any(a.server_id == server_id for a in volume.attachments):
            volume.status, volume.due = "detaching", (now + delay, "available")

    def release(self, server_id: str) -> None:
        """Free the volumes of a server that is gone."""
        for volume in self.volumes.values():
            if any(a.server_id == server_id for a in volume.attachments):
                volume.attachments = []
                volume.status, volume.due = "available", None

    def advance(self, now: float) -> None:
        """Bring everything to the status that is due."""
        _advance(self.volumes, now)
        _advance(self.snapshots, now)


def _advance(store: dict[str, T], now: float) -> None:
    for item in list(store.values()):
        if item.due is None or item.due[0] > now:
            continue
        item.status, item.due = item.due[1], None
        if isinstance(item, Volume) and item.status == "available":
            item.attachments = []
        if item.status == "deleted":
            del store[item.id]
