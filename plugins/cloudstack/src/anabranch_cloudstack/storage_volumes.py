"""Storage volumes: root and data disks."""

from __future__ import annotations

import re
from functools import partial
from typing import Final

from anabranch.errors import CloudError, Conflict, InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_volumes import StorageVolumesSpec
from anabranch.models import StorageVolume, StorageVolumeSpec, StorageVolumeState
from anabranch.paging import Page
from anabranch_cloudstack import convert_storage, wire
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.disk_offerings import chosen_offering
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.realms import chosen_zone
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.tagging import add_tags, made_untagged

__all__ = ["StorageVolumes", "root_volume"]

_VOLUME: Final = Reader(wire.Volume, "volume")

_DEVICE: Final = re.compile(r"(?:/dev/)?(?:xvd|vd|sd|hd)(?P<letter>[a-z])")


class StorageVolumes(StorageVolumesSpec[CloudStackSettings]):
    """Volumes."""

    @hookimpl
    async def list_storage_volumes(
        self, cloud: CloudStackCloud, cursor: str | None
    ) -> Page[StorageVolume]:
        return await session(cloud).page(
            "listVolumes",
            reader=_VOLUME,
            convert=partial(convert_storage.volume, cloud.name),
            cursor=cursor,
            parameters=session(cloud).scope,
        )

    @hookimpl
    async def get_storage_volume(
        self, cloud: CloudStackCloud, storage_volume_id: str
    ) -> StorageVolume:
        return await _show(cloud, storage_volume_id)

    @hookimpl
    @offers(Feature.VOLUME_KIND, Feature.VOLUME_NAME, Feature.VOLUME_TAGS)
    async def create_storage_volume(
        self, cloud: CloudStackCloud, spec: StorageVolumeSpec
    ) -> StorageVolume:
        cloudstack = session(cloud)
        zone_id = await chosen_zone(cloud, spec.realm_id)
        name = spec.name or "anabranch-volume"
        parameters: dict[str, str | int | bool | None] = {
            "name": name,
            "zoneid": zone_id,
            "snapshotid": spec.snapshot_id,
            **cloudstack.project,
        }
        if spec.snapshot_id is None or spec.kind:
            parameters.update(await chosen_offering(cloud, spec.kind, spec.capacity_gb))
        elif spec.capacity_gb is not None:
            parameters["size"] = spec.capacity_gb
        try:
            accepted = await cloudstack.change("createVolume", parameters)
        except NotFound as exc:
            raise InvalidRequest(exc.message, provider_code=exc.provider_code) from exc
        volume_id = accepted.made
        try:
            await add_tags(cloudstack, "Volume", volume_id, spec.tags)
        except CloudError as exc:
            raise made_untagged(exc, f"the volume {volume_id}") from exc
        kind = parameters.get("diskofferingid")
        return StorageVolume(
            cloud=cloud.name,
            id=volume_id,
            name=name,
            state=StorageVolumeState.CREATING,
            capacity_gb=spec.capacity_gb,
            realm_id=zone_id,
            kind=None if kind is None else str(kind),
            snapshot_id=spec.snapshot_id,
            bootable=False,
            tags=dict(spec.tags),
        )

    @hookimpl
    async def destroy_storage_volume(self, cloud: CloudStackCloud, storage_volume_id: str) -> None:
        await session(cloud).carry_out("deleteVolume", {"id": storage_volume_id}, idempotent=True)

    @hookimpl
    async def attach_storage_volume(
        self, cloud: CloudStackCloud, storage_volume_id: str, instance_id: str, device: str | None
    ) -> StorageVolume:
        device_id = _device_id(device)
        before = await _show(cloud, storage_volume_id)
        if before.instance_id == instance_id:
            return before
        if before.instance_id is not None:
            raise Conflict(f"the volume is attached to the instance {before.instance_id}")
        return await _done(
            cloud,
            storage_volume_id,
            "attachVolume",
            {
                "id": storage_volume_id,
                "virtualmachineid": instance_id,
                "deviceid": device_id,
            },
        )

    @hookimpl
    async def detach_storage_volume(
        self, cloud: CloudStackCloud, storage_volume_id: str
    ) -> StorageVolume:
        before = await _show(cloud, storage_volume_id)
        if before.instance_id is None:
            return before
        return await _done(cloud, storage_volume_id, "detachVolume", {"id": storage_volume_id})


async def root_volume(cloud: CloudStackCloud, instance_id: str) -> StorageVolume:
    """Return the root disk of an instance.

    Raises:
        NotFound: it has none.
    """
    return await session(cloud).one(
        "listVolumes",
        {"virtualmachineid": instance_id, "type": "ROOT", **session(cloud).scope},
        reader=_VOLUME,
        convert=partial(convert_storage.volume, cloud.name),
        what=f"root disk of the instance {instance_id!r}",
    )


async def _show(cloud: CloudStackCloud, volume_id: str) -> StorageVolume:
    return await session(cloud).one(
        "listVolumes",
        {"id": volume_id, **session(cloud).scope},
        reader=_VOLUME,
        convert=partial(convert_storage.volume, cloud.name),
        what=f"volume {volume_id!r}",
    )


async def _done(
    cloud: CloudStackCloud, volume_id: str, command: str, parameters: Parameters
) -> StorageVolume:
    body = await session(cloud).carry_out(command, parameters)
    raw = _VOLUME.wrapped(body)
    if raw is None:
        return await _show(cloud, volume_id)
    return convert_storage.volume(cloud.name, _VOLUME.read(raw), raw)


def _device_id(device: str | None) -> int | None:
    """Read a device, `/dev/vdb` or CloudStack's number of it; 0 is the root disk."""
    if device is None:
        return None
    if device.isdecimal():
        return int(device)
    match = _DEVICE.fullmatch(device)
    if match is None or match["letter"] == "a":
        raise InvalidRequest(
            f"{device!r} is no device for a data disk", remedy="Write /dev/vdb, or the number 1"
        )
    return ord(match["letter"]) - ord("a")
