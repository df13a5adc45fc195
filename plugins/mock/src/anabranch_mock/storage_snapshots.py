"""Storage snapshots."""

from __future__ import annotations

import msgspec

from anabranch.errors import Conflict
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_snapshots import StorageSnapshotsSpec
from anabranch.models import StorageSnapshot, StorageSnapshotSpec, StorageSnapshotState
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore, now
from anabranch_mock.text import check_name

__all__ = ["StorageSnapshots"]


class StorageSnapshots(StorageSnapshotsSpec[MockSettings]):
    """The hooks of the storage snapshots."""

    @hookimpl
    async def list_storage_snapshots(
        self, cloud: MockCloud, cursor: str | None
    ) -> Page[StorageSnapshot]:
        return await listing(
            cloud,
            "list_storage_snapshots",
            lambda store: store.page(store.storage_snapshots, cursor),
        )

    @hookimpl
    async def get_storage_snapshot(
        self, cloud: MockCloud, storage_snapshot_id: str
    ) -> StorageSnapshot:
        return await call(
            cloud,
            "get_storage_snapshot",
            lambda store: store.storage_snapshots.get(storage_snapshot_id),
        )

    @hookimpl
    @offers(
        Feature.SNAPSHOT_DESCRIPTION,
        Feature.SNAPSHOT_NAME,
        Feature.SNAPSHOT_OF_INSTANCE,
        Feature.SNAPSHOT_OF_VOLUME,
    )
    async def create_storage_snapshot(
        self, cloud: MockCloud, spec: StorageSnapshotSpec
    ) -> StorageSnapshot:
        return await call(cloud, "create_storage_snapshot", lambda store: _create(store, spec))

    @hookimpl
    async def destroy_storage_snapshot(self, cloud: MockCloud, storage_snapshot_id: str) -> None:
        await call(
            cloud, "destroy_storage_snapshot", lambda store: _destroy(store, storage_snapshot_id)
        )


def _create(store: MockStore, spec: StorageSnapshotSpec) -> StorageSnapshot:
    volume = instance = None
    if spec.instance_id:
        instance = store.instances.need(spec.instance_id, "instance_id")
    else:
        volume = store.storage_volumes.need(spec.storage_volume_id, "storage_volume_id")
    check_name(spec.name)
    store.storage_snapshots.require_room()
    snapshot_id = store.storage_snapshots.new_id()
    snapshot = StorageSnapshot(
        cloud=store.cloud,
        id=snapshot_id,
        name=spec.name or snapshot_id,
        description=spec.description,
        state=StorageSnapshotState.CREATING,
        platform_state="PENDING",
        storage_volume_id=volume.id if volume else None,
        instance_id=instance.id if instance else None,
        size_gb=volume.capacity_gb if volume else None,
        created_at=now(),
    )
    store.storage_snapshots.add(snapshot)

    def finish() -> None:
        store.storage_snapshots.put(
            msgspec.structs.replace(
                snapshot, state=StorageSnapshotState.AVAILABLE, platform_state="COMPLETED"
            )
        )

    store.later(store.settings.delays.creating, finish)
    return store.storage_snapshots.get(snapshot_id)


def _destroy(store: MockStore, snapshot_id: str) -> None:
    # Volumes made of it have their own copy: they do not keep it.
    snapshot = store.storage_snapshots.get(snapshot_id)
    if snapshot.state is StorageSnapshotState.CREATING:
        raise Conflict(f"snapshot {snapshot_id!r} is still being made")
    store.storage_snapshots.remove(snapshot_id)
