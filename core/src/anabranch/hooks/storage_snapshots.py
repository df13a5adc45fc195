"""Hooks of the storage snapshots."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import StorageSnapshot, StorageSnapshotSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["StorageSnapshotsSpec"]

S = TypeVar("S", bound=CloudSettings)


class StorageSnapshotsSpec(Generic[S]):
    """What can be done with storage snapshots."""

    @operation
    async def list_storage_snapshots(
        self, cloud: Cloud[S], cursor: str | None
    ) -> Page[StorageSnapshot]:
        """Return one page of storage snapshots.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_storage_snapshot(
        self, cloud: Cloud[S], storage_snapshot_id: str
    ) -> StorageSnapshot:
        """Return one storage snapshot.

        Raises:
            NotFound: no such storage snapshot.
        """
        raise NotImplementedError

    @operation
    async def create_storage_snapshot(
        self, cloud: Cloud[S], spec: StorageSnapshotSpec
    ) -> StorageSnapshot:
        """Make a storage snapshot and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_storage_snapshot(self, cloud: Cloud[S], storage_snapshot_id: str) -> None:
        """Destroy a storage snapshot. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such storage snapshot.
            Conflict: it is in use.
        """
        raise NotImplementedError
