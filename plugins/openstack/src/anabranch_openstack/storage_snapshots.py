"""Storage snapshots: cinder's snapshots of volumes."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from anabranch.errors import InvalidRequest
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_snapshots import StorageSnapshotsSpec
from anabranch.models import StorageSnapshot, StorageSnapshotSpec, StorageSnapshotState
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_storage, wire_storage
from anabranch_openstack.catalog import BLOCK_STORAGE
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.storage import as_conflict

__all__ = ["StorageSnapshots"]

_SNAPSHOT: Final = Reader(wire_storage.Snapshot)
_LENGTH: Final = {"max_length": "255"}


class StorageSnapshots(StorageSnapshotsSpec[OpenStackSettings]):
    """Snapshots of volumes."""

    @hookimpl
    async def list_storage_snapshots(
        self, cloud: OpenStackCloud, cursor: str | None
    ) -> Page[StorageSnapshot]:
        return await session(cloud).page(
            BLOCK_STORAGE,
            "/snapshots/detail",
            "snapshots",
            reader=_SNAPSHOT,
            convert=partial(convert_storage.snapshot, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_storage_snapshot(
        self, cloud: OpenStackCloud, storage_snapshot_id: str
    ) -> StorageSnapshot:
        return await _show(session(cloud), storage_snapshot_id)

    @hookimpl
    @offers(
        Feature.SNAPSHOT_NAME,
        Feature.SNAPSHOT_DESCRIPTION,
        Feature.SNAPSHOT_OF_VOLUME,
        constraints={Feature.SNAPSHOT_NAME: _LENGTH, Feature.SNAPSHOT_DESCRIPTION: _LENGTH},
    )
    async def create_storage_snapshot(
        self, cloud: OpenStackCloud, spec: StorageSnapshotSpec
    ) -> StorageSnapshot:
        # Before 3.66 cinder takes one of a volume in use only with `force`.
        wanted: dict[str, Any] = {"volume_id": spec.storage_volume_id, "force": True}
        if spec.name:
            wanted["name"] = spec.name
        if spec.description:
            wanted["description"] = spec.description
        try:
            return await session(cloud).one(
                BLOCK_STORAGE,
                "/snapshots",
                "snapshot",
                reader=_SNAPSHOT,
                convert=partial(convert_storage.snapshot, cloud.name),
                method="POST",
                body={"snapshot": wanted},
            )
        except InvalidRequest as exc:
            raise as_conflict(exc) from exc

    @hookimpl
    async def destroy_storage_snapshot(
        self, cloud: OpenStackCloud, storage_snapshot_id: str
    ) -> None:
        cinder = session(cloud)
        try:
            await cinder.request(BLOCK_STORAGE, "DELETE", _path(storage_snapshot_id))
        except InvalidRequest as exc:
            found = await _show(cinder, storage_snapshot_id)
            if found.state is not StorageSnapshotState.DELETING:
                raise as_conflict(exc) from exc


async def _show(cinder: Session, storage_snapshot_id: str) -> StorageSnapshot:
    return await cinder.one(
        BLOCK_STORAGE,
        _path(storage_snapshot_id),
        "snapshot",
        reader=_SNAPSHOT,
        convert=partial(convert_storage.snapshot, cinder.cloud.name),
    )


def _path(storage_snapshot_id: str) -> str:
    return f"/snapshots/{segment(storage_snapshot_id)}"
