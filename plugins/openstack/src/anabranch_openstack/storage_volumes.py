"""Storage volumes: cinder's."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from anabranch.errors import InvalidRequest
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_volumes import StorageVolumesSpec
from anabranch.models import StorageVolume, StorageVolumeSpec, StorageVolumeState
from anabranch.paging import Page
from anabranch_openstack import convert_storage
from anabranch_openstack.catalog import BLOCK_STORAGE
from anabranch_openstack.client import OpenStackCloud, session
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.storage import VOLUME, as_conflict, show_volume, volume_path

__all__ = ["StorageVolumes"]

_LENGTH: Final = {"max_length": "255"}


class StorageVolumes(StorageVolumesSpec[OpenStackSettings]):
    """Volumes: read, make, destroy."""

    @hookimpl
    async def list_storage_volumes(
        self, cloud: OpenStackCloud, cursor: str | None
    ) -> Page[StorageVolume]:
        return await session(cloud).page(
            BLOCK_STORAGE,
            "/volumes/detail",
            "volumes",
            reader=VOLUME,
            convert=partial(convert_storage.volume, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_storage_volume(
        self, cloud: OpenStackCloud, storage_volume_id: str
    ) -> StorageVolume:
        return await show_volume(session(cloud), storage_volume_id)

    @hookimpl
    @offers(
        Feature.VOLUME_NAME,
        Feature.VOLUME_DESCRIPTION,
        Feature.VOLUME_KIND,
        Feature.VOLUME_TAGS,
        constraints=dict.fromkeys(
            (Feature.VOLUME_NAME, Feature.VOLUME_DESCRIPTION, Feature.VOLUME_TAGS), _LENGTH
        ),
    )
    async def create_storage_volume(
        self, cloud: OpenStackCloud, spec: StorageVolumeSpec
    ) -> StorageVolume:
        try:
            return await session(cloud).one(
                BLOCK_STORAGE,
                "/volumes",
                "volume",
                reader=VOLUME,
                convert=partial(convert_storage.volume, cloud.name),
                method="POST",
                body={"volume": _wanted(spec)},
            )
        except InvalidRequest as exc:
            raise as_conflict(exc) from exc

    @hookimpl
    async def destroy_storage_volume(self, cloud: OpenStackCloud, storage_volume_id: str) -> None:
        cinder = session(cloud)
        try:
            await cinder.request(BLOCK_STORAGE, "DELETE", volume_path(storage_volume_id))
        except InvalidRequest as exc:
            volume = await show_volume(cinder, storage_volume_id)
            if volume.state is not StorageVolumeState.DELETING:
                raise as_conflict(exc) from exc


def _wanted(spec: StorageVolumeSpec) -> dict[str, Any]:
    size = spec.capacity_gb
    if size is None and spec.snapshot_id is None:
        size = 1
    wanted = {
        "size": size,
        "snapshot_id": spec.snapshot_id,
        "availability_zone": spec.realm_id,
        "name": spec.name or None,
        "description": spec.description or None,
        "volume_type": spec.kind,
        "metadata": dict(spec.tags) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}
