"""Storage snapshots: of volumes."""

from __future__ import annotations

from functools import partial
from typing import Final

from anabranch.errors import InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_snapshots import StorageSnapshotsSpec
from anabranch.models import StorageSnapshot, StorageSnapshotSpec, StorageSnapshotState
from anabranch.paging import Page
from anabranch_cloudstack import convert_storage, wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["StorageSnapshots"]

_SNAPSHOT: Final = Reader(wire.Snapshot, "snapshot")


class StorageSnapshots(StorageSnapshotsSpec[CloudStackSettings]):
    """Snapshots of volumes."""

    @hookimpl
    async def list_storage_snapshots(
        self, cloud: CloudStackCloud, cursor: str | None
    ) -> Page[StorageSnapshot]:
        page = await session(cloud).page(
            "listSnapshots",
            reader=_SNAPSHOT,
            convert=partial(convert_storage.snapshot, cloud.name),
            cursor=cursor,
            # Since 4.19 a snapshot has a row for each zone with a copy, unless it is asked not to.
            parameters={"showunique": True, **session(cloud).scope},
        )
        unique = {snapshot.id: snapshot for snapshot in page.items}
        return Page(list(unique.values()), page.cursor, page.problems)

    @hookimpl
    async def get_storage_snapshot(
        self, cloud: CloudStackCloud, storage_snapshot_id: str
    ) -> StorageSnapshot:
        return await session(cloud).one(
            "listSnapshots",
            {"id": storage_snapshot_id, **session(cloud).scope},
            reader=_SNAPSHOT,
            convert=partial(convert_storage.snapshot, cloud.name),
            what=f"snapshot {storage_snapshot_id!r}",
        )

    @hookimpl
    @offers(Feature.SNAPSHOT_NAME, Feature.SNAPSHOT_OF_VOLUME)
    async def create_storage_snapshot(
        self, cloud: CloudStackCloud, spec: StorageSnapshotSpec
    ) -> StorageSnapshot:
        try:
            accepted = await session(cloud).change(
                "createSnapshot", {"volumeid": spec.storage_volume_id, "name": spec.name or None}
            )
        except NotFound as exc:
            raise InvalidRequest(exc.message, provider_code=exc.provider_code) from exc
        return StorageSnapshot(
            cloud=cloud.name,
            id=accepted.made,
            name=spec.name,
            state=StorageSnapshotState.CREATING,
            storage_volume_id=spec.storage_volume_id,
        )

    @hookimpl
    async def destroy_storage_snapshot(
        self, cloud: CloudStackCloud, storage_snapshot_id: str
    ) -> None:
        await session(cloud).carry_out(
            "deleteSnapshot", {"id": storage_snapshot_id}, idempotent=True
        )
