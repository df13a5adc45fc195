"""Hooks of the storage volumes."""

from __future__ import annotations

from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import StorageVolume, StorageVolumeSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["StorageVolumesSpec"]

S = TypeVar("S", bound=CloudSettings)


class StorageVolumesSpec(Generic[S]):
    """What can be done with storage volumes."""

    @operation
    async def list_storage_volumes(
        self, cloud: Cloud[S], cursor: str | None
    ) -> Page[StorageVolume]:
        """Return one page of storage volumes.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.


        Raises:
            CloudError: the page cannot be had.
        """
        raise NotImplementedError

    @operation
    async def get_storage_volume(self, cloud: Cloud[S], storage_volume_id: str) -> StorageVolume:
        """Return one storage volume.

        Raises:
            NotFound: no such storage volume.
        """
        raise NotImplementedError

    @operation
    async def create_storage_volume(
        self, cloud: Cloud[S], spec: StorageVolumeSpec
    ) -> StorageVolume:
        """Make a storage volume and return it as the cloud now reports it. Not idempotent.

        Raises:
            InvalidRequest: the cloud refuses a parameter.
            QuotaExceeded: the account may have no more.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def destroy_storage_volume(self, cloud: Cloud[S], storage_volume_id: str) -> None:
        """Destroy a storage volume. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such storage volume.
            Conflict: it is in use.
        """
        raise NotImplementedError

    @operation
    async def attach_storage_volume(
        self, cloud: Cloud[S], storage_volume_id: str, instance_id: str, device: str | None
    ) -> StorageVolume:
        """Attach a volume to an instance and return it as the cloud now reports it.

        Args:
            cloud: Where.
            storage_volume_id: The volume.
            instance_id: The instance.
            device: Device to make it there (`/dev/vdb`), a wish on many platforms; None: any.

        Raises:
            NotFound: no such volume or instance.
            Conflict: the volume is attached to another instance, or busy.
        """
        raise NotImplementedError

    @operation
    async def detach_storage_volume(self, cloud: Cloud[S], storage_volume_id: str) -> StorageVolume:
        """Detach a volume from the instance that has it, and return it. Idempotent.

        Raises:
            NotFound: no such volume.
            Conflict: it is busy.
        """
        raise NotImplementedError
