"""Storage volumes: persistent images of type DATABLOCK."""

from __future__ import annotations

import uuid
from typing import Final

import msgspec

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_volumes import StorageVolumesSpec
from anabranch.models import StorageVolume, StorageVolumeSpec
from anabranch.paging import Page
from anabranch_opennebula import own, pools
from anabranch_opennebula.after import after
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.image_documents import is_volume, volume_of
from anabranch_opennebula.machines import Disk, Machine
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import Attribute, template
from anabranch_opennebula.vms import change_vm, changed, look, vm_number
from anabranch_opennebula.volume_store import chosen_datastore

__all__ = ["StorageVolumes", "show_volume"]

_MIB: Final = 1024


class StorageVolumes(StorageVolumesSpec[OpenNebulaSettings]):
    """Data disks."""

    @hookimpl
    async def list_storage_volumes(
        self, cloud: OpenNebulaCloud, cursor: str | None
    ) -> Page[StorageVolume]:
        def convert(thing: Thing) -> tuple[StorageVolume, ...]:
            return (volume_of(cloud.name, thing),) if is_volume(thing) else ()

        return await pools.page(session(cloud), pools.IMAGES, cursor, convert, scoped=True)

    @hookimpl
    async def get_storage_volume(
        self, cloud: OpenNebulaCloud, storage_volume_id: str
    ) -> StorageVolume:
        return await show_volume(session(cloud), storage_volume_id)

    @hookimpl
    @offers(
        Feature.VOLUME_DESCRIPTION,
        Feature.VOLUME_KIND,
        Feature.VOLUME_NAME,
        Feature.VOLUME_TAGS,
        constraints={Feature.VOLUME_NAME: {"max_length": "128"}},
    )
    async def create_storage_volume(
        self, cloud: OpenNebulaCloud, spec: StorageVolumeSpec
    ) -> StorageVolume:
        if spec.snapshot_id is not None:
            raise InvalidRequest(
                "OpenNebula makes no volume of a snapshot",
                remedy="Leave snapshot_id out, and copy in an instance",
            )
        one = session(cloud)
        datastore = await chosen_datastore(one, spec.kind, spec.realm_id)
        body: list[Attribute] = [
            # Names are unique per owner, so one is made up that is nobody's.
            ("NAME", spec.name or f"anabranch-{uuid.uuid4().hex[:12]}"),
            ("TYPE", "DATABLOCK"),
            # Otherwise each attachment gets a copy, which goes with the instance.
            ("PERSISTENT", "YES"),
            ("SIZE", str((spec.capacity_gb or 1) * _MIB)),
        ]
        if spec.description:
            body.append(("DESCRIPTION", spec.description))
        if spec.tags:
            body.append((own.TAGS, own.written(spec.tags)))
        made = await one.change("image.allocate", template(body), int(datastore.id))
        with after(f"volume {made} was made"):
            return await show_volume(one, str(made))

    @hookimpl
    async def destroy_storage_volume(self, cloud: OpenNebulaCloud, storage_volume_id: str) -> None:
        one = session(cloud)
        await show_volume(one, storage_volume_id)
        await one.change("image.delete", int(storage_volume_id), idempotent=True)

    @hookimpl
    async def attach_storage_volume(
        self, cloud: OpenNebulaCloud, storage_volume_id: str, instance_id: str, device: str | None
    ) -> StorageVolume:
        one = session(cloud)
        number = vm_number(instance_id)
        volume = await show_volume(one, storage_volume_id)
        if volume.instance_id not in (None, instance_id):
            raise Conflict(f"the volume is attached to instance {volume.instance_id}")
        if volume.instance_id is None:
            disk = {"IMAGE_ID": storage_volume_id}
            if device:
                disk["TARGET"] = device.removeprefix("/dev/")
            await change_vm(one, "vm.attach", number, template([("DISK", disk)]))

        def there(machine: Machine) -> Disk | None:
            return machine.disk_of(storage_volume_id)

        found = await changed(
            one, number, f"volume {storage_volume_id} attached to instance {instance_id}", there
        )
        volume = await show_volume(one, storage_volume_id)
        where = f"/dev/{found.target}" if found.target else None
        return msgspec.structs.replace(volume, device=where)

    @hookimpl
    async def detach_storage_volume(
        self, cloud: OpenNebulaCloud, storage_volume_id: str
    ) -> StorageVolume:
        one = session(cloud)
        volume = await show_volume(one, storage_volume_id)
        if volume.instance_id is None:
            return volume
        number = vm_number(volume.instance_id)
        disk = (await look(one, number)).disk_of(storage_volume_id)
        if disk is not None:
            await change_vm(one, "vm.detach", number, disk.id)

        def gone(machine: Machine) -> bool | None:
            return True if machine.disk_of(storage_volume_id) is None else None

        what = f"volume {storage_volume_id} detached from instance {number}"
        await changed(one, number, what, gone)
        return await show_volume(one, storage_volume_id)


async def show_volume(one: Session, storage_volume_id: str) -> StorageVolume:
    """Get one volume.

    Raises:
        NotFound: no such volume, or it is an image of another kind.
    """

    def convert(thing: Thing) -> StorageVolume | None:
        return volume_of(one.cloud.name, thing) if is_volume(thing) else None

    number = number_of(storage_volume_id, "volume")
    found = await one.read(convert, "image.info", number)
    if found is None:
        raise NotFound(f"{number} is an image, and no volume: no persistent data disk")
    return found
