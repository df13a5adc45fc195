"""Storage snapshots: of volumes, while they are attached, and of instances that run.

OpenNebula has no objects for them. Those of a disk are kept by the VM while the disk is attached,
and by the image after that; those of a VM by the VM. So the list goes through the images that are
attached nowhere, and then through the VMs. An id says of what a snapshot is: `volume.2.0` is
snapshot 0 of image 2, `instance.5.0` is snapshot 0 of VM 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, NamedTuple

from anabranch.errors import Conflict, InvalidState, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_snapshots import StorageSnapshotsSpec
from anabranch.models import StorageSnapshot, StorageSnapshotSpec, StorageSnapshotState
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.client import OpenNebulaCloud, Session, number_of, session
from anabranch_opennebula.machines import Disk, Machine, machine_of
from anabranch_opennebula.reading import Thing, integer, when
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.storage_volumes import show_volume
from anabranch_opennebula.templates import leaves
from anabranch_opennebula.vms import change_vm, changed, look, vm_number

__all__ = ["StorageSnapshots"]

_VOLUME, _INSTANCE = "volume", "instance"
_THEN: Final = "vms:"
"""What the cursors of the second half of the list begin with."""
_MIB: Final = 1024
_DEFAULT_NAME: Final = "anabranch"


class _Id(NamedTuple):
    """What a snapshot is of, the number of that, and its own number there."""

    kind: str
    of: int
    number: int

    @classmethod
    def parse(cls, text: str) -> _Id:
        parts = text.split(".")
        if len(parts) == 3 and parts[0] in (_VOLUME, _INSTANCE):
            return cls(parts[0], *(number_of(part, "snapshot") for part in parts[1:]))
        raise NotFound(f"there is no snapshot {text!r}")

    def __str__(self) -> str:
        return f"{self.kind}.{self.of}.{self.number}"


class StorageSnapshots(StorageSnapshotsSpec[OpenNebulaSettings]):
    """Snapshots of volumes and of instances."""

    @hookimpl
    async def list_storage_snapshots(
        self, cloud: OpenNebulaCloud, cursor: str | None
    ) -> Page[StorageSnapshot]:
        one = session(cloud)
        if cursor is None or not cursor.startswith(_THEN):
            convert = partial(_of_image, cloud.name)
            page = await pools.page(one, pools.IMAGES, cursor, convert, scoped=True)
            return Page(page.items, page.cursor or _THEN, page.problems)
        rest = cursor.removeprefix(_THEN) or None
        page = await pools.page(one, pools.VMS, rest, partial(_of_vm, cloud.name))
        return Page(page.items, _THEN + page.cursor if page.cursor else None, page.problems)

    @hookimpl
    async def get_storage_snapshot(
        self, cloud: OpenNebulaCloud, storage_snapshot_id: str
    ) -> StorageSnapshot:
        return (await _find(session(cloud), _Id.parse(storage_snapshot_id)))[0]

    @hookimpl
    @offers(
        Feature.SNAPSHOT_NAME,
        Feature.SNAPSHOT_OF_INSTANCE,
        Feature.SNAPSHOT_OF_VOLUME,
    )
    async def create_storage_snapshot(
        self, cloud: OpenNebulaCloud, spec: StorageSnapshotSpec
    ) -> StorageSnapshot:
        one = session(cloud)
        name = spec.name or _DEFAULT_NAME
        if spec.instance_id:
            number = vm_number(spec.instance_id)
            made = await change_vm(one, "vm.snapshotcreate", number, name)
            ident = _Id(_INSTANCE, number, made)
        else:
            number, disk = await _attached(one, spec.storage_volume_id)
            made = await change_vm(one, "vm.disksnapshotcreate", number, disk.id, name)
            ident = _Id(_VOLUME, int(spec.storage_volume_id), made)

        def there(machine: Machine) -> StorageSnapshot | None:
            return _among(machine, cloud.name, ident)

        return await changed(one, number, f"snapshot {ident} taken", there)

    @hookimpl
    async def destroy_storage_snapshot(
        self, cloud: OpenNebulaCloud, storage_snapshot_id: str
    ) -> None:
        one = session(cloud)
        ident = _Id.parse(storage_snapshot_id)
        _, vm, disk = await _find(one, ident)
        try:
            if vm is None:
                await one.change("image.snapshotdelete", ident.of, ident.number)
                return
            if disk is None:
                await change_vm(one, "vm.snapshotdelete", vm, ident.number)
            else:
                await change_vm(one, "vm.disksnapshotdelete", vm, disk.id, ident.number)
        except Conflict as exc:
            if ident.kind == _VOLUME:
                exc.remedy = (
                    "OpenNebula keeps the snapshot that the disk goes on from, and those that "
                    "others go on from, until the volume is destroyed"
                )
            raise

        def gone(machine: Machine) -> bool | None:
            return True if _among(machine, cloud.name, ident) is None else None

        await changed(one, vm, f"snapshot {ident} destroyed", gone)


async def _attached(one: Session, storage_volume_id: str) -> tuple[int, Disk]:
    """Return the VM that has a volume, and the disk that it is there.

    Raises:
        NotFound: no such volume.
        InvalidState: it is attached nowhere.
    """
    volume = await show_volume(one, storage_volume_id)
    if volume.instance_id is not None:
        number = vm_number(volume.instance_id)
        disk = (await look(one, number)).disk_of(storage_volume_id)
        if disk is not None:
            return number, disk
    raise InvalidState(
        f"volume {storage_volume_id} is attached to no instance, and OpenNebula takes a snapshot "
        "of a disk only there",
        remedy="Attach it",
    )


async def _find(one: Session, ident: _Id) -> tuple[StorageSnapshot, int | None, Disk | None]:
    """Return a snapshot, the VM that keeps it, and the disk of that it is of.

    Raises:
        NotFound: no such snapshot.
    """
    cloud = one.cloud.name
    vm: int | None = ident.of
    disk: Disk | None = None
    found: StorageSnapshot | None
    if ident.kind == _INSTANCE:
        found = _among(await look(one, ident.of), cloud, ident)
    else:
        image = await one.read(partial(_image_snapshots, cloud), "image.info", ident.of)
        vm, kept = image
        found = next((s for s in kept if s.id == str(ident)), None)
        if vm is not None:
            machine = await look(one, vm)
            found = _among(machine, cloud, ident)
            disk = machine.disk_of(str(ident.of))
    if found is None:
        raise NotFound(f"there is no snapshot {ident}")
    return found, vm, disk


def _image_snapshots(cloud: str, image: Thing) -> tuple[int | None, list[StorageSnapshot]]:
    found = [
        _disk_snapshot(cloud, image.id, None, leaves(element))
        for element in image.element.iterfind("SNAPSHOTS/SNAPSHOT")
    ]
    return integer(image.element.findtext("VMS/ID")), [s for s in found if s is not None]


def _of_image(cloud: str, image: Thing) -> list[StorageSnapshot]:
    """The snapshots that an image keeps; while it is attached, the VM keeps them."""
    vm, found = _image_snapshots(cloud, image)
    return found if vm is None else []


def _of_vm(cloud: str, vm: Thing) -> list[StorageSnapshot]:
    return _kept(machine_of(vm), cloud)


def _kept(machine: Machine, cloud: str) -> list[StorageSnapshot]:
    """The snapshots that a VM keeps: its own, and those of its volumes.

    (Those of a disk that is a copy of an image go with the VM, and are of no volume.)
    """
    volumes = {disk.id: disk for disk in machine.disks if disk.persistent}
    found = [_own_snapshot(cloud, machine.id, fields) for fields in machine.own_snapshots]
    for disk_id, disk in volumes.items():
        found += [
            _disk_snapshot(cloud, disk.image_id, str(machine.id), fields)
            for fields in machine.snapshots.get(disk_id, ())
        ]
    return [snapshot for snapshot in found if snapshot is not None]


def _among(machine: Machine, cloud: str, ident: _Id) -> StorageSnapshot | None:
    return next((s for s in _kept(machine, cloud) if s.id == str(ident)), None)


def _own_snapshot(cloud: str, vm: int, fields: Mapping[str, str]) -> StorageSnapshot | None:
    number = integer(fields.get("SNAPSHOT_ID"))
    if number is None:
        return None
    return StorageSnapshot(
        cloud=cloud,
        id=str(_Id(_INSTANCE, vm, number)),
        name=fields.get("NAME", ""),
        state=StorageSnapshotState.AVAILABLE,
        instance_id=str(vm),
        created_at=when(fields.get("TIME")),
    )


def _disk_snapshot(
    cloud: str, image_id: str, instance_id: str | None, fields: Mapping[str, str]
) -> StorageSnapshot | None:
    number, size = integer(fields.get("ID")), integer(fields.get("SIZE"))
    if number is None or not image_id.isdigit():
        return None
    return StorageSnapshot(
        cloud=cloud,
        id=str(_Id(_VOLUME, int(image_id), number)),
        name=fields.get("NAME", ""),
        state=StorageSnapshotState.AVAILABLE,
        storage_volume_id=image_id,
        instance_id=instance_id,
        size_gb=None if size is None else size / _MIB,
        created_at=when(fields.get("DATE")),
    )
