"""Storage volumes."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Final

import msgspec

from anabranch.errors import Conflict, InvalidRequest
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_volumes import StorageVolumesSpec
from anabranch.models import (
    AttachedVolume,
    Instance,
    StorageVolume,
    StorageVolumeSpec,
    StorageVolumeState,
)
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore, now
from anabranch_mock.text import check_name, check_tags

__all__ = ["StorageVolumes", "attach", "create", "detach"]

_KINDS: Final = ("standard", "ssd")
_LARGEST_GB: Final = 64 * 1024


class StorageVolumes(StorageVolumesSpec[MockSettings]):
    """The hooks of the storage volumes."""

    @hookimpl
    async def list_storage_volumes(
        self, cloud: MockCloud, cursor: str | None
    ) -> Page[StorageVolume]:
        return await listing(
            cloud, "list_storage_volumes", lambda store: store.page(store.storage_volumes, cursor)
        )

    @hookimpl
    async def get_storage_volume(self, cloud: MockCloud, storage_volume_id: str) -> StorageVolume:
        return await call(
            cloud, "get_storage_volume", lambda store: store.storage_volumes.get(storage_volume_id)
        )

    @hookimpl
    @offers(
        Feature.VOLUME_DESCRIPTION,
        Feature.VOLUME_KIND,
        Feature.VOLUME_NAME,
        Feature.VOLUME_TAGS,
        constraints={Feature.VOLUME_KIND: {"values": ", ".join(_KINDS)}},
    )
    async def create_storage_volume(
        self, cloud: MockCloud, spec: StorageVolumeSpec
    ) -> StorageVolume:
        delay = cloud.settings.delays.creating
        return await call(
            cloud, "create_storage_volume", lambda store: create(store, spec, delay=delay)
        )

    @hookimpl
    async def destroy_storage_volume(self, cloud: MockCloud, storage_volume_id: str) -> None:
        await call(
            cloud, "destroy_storage_volume", lambda store: _destroy(store, storage_volume_id)
        )

    @hookimpl
    async def attach_storage_volume(
        self, cloud: MockCloud, storage_volume_id: str, instance_id: str, device: str | None
    ) -> StorageVolume:
        return await call(
            cloud,
            "attach_storage_volume",
            lambda store: attach(store, storage_volume_id, instance_id, device),
        )

    @hookimpl
    async def detach_storage_volume(
        self, cloud: MockCloud, storage_volume_id: str
    ) -> StorageVolume:
        return await call(
            cloud, "detach_storage_volume", lambda store: detach(store, storage_volume_id)
        )


def create(store: MockStore, spec: StorageVolumeSpec, *, delay: float) -> StorageVolume:
    """Make a volume, empty or of a snapshot, that is ready `delay` seconds from now.

    Raises:
        InvalidRequest: a parameter is wrong.
        QuotaExceeded: there are as many as there may be.
    """
    check_name(spec.name)
    check_tags(spec.tags)
    realm_id = store.realm(spec.realm_id)
    if spec.kind is not None and spec.kind not in _KINDS:
        raise InvalidRequest(f"kind: {spec.kind!r} is none of {', '.join(_KINDS)}")
    least: float = 1
    if spec.snapshot_id is not None:
        snapshot = store.storage_snapshots.need(spec.snapshot_id, "snapshot_id")
        least = snapshot.size_gb or least
    capacity = least if spec.capacity_gb is None else spec.capacity_gb
    if not least <= capacity <= _LARGEST_GB:
        raise InvalidRequest(f"capacity_gb: {capacity} is not within {least} to {_LARGEST_GB}")
    store.storage_volumes.require_room()
    volume_id = store.storage_volumes.new_id()
    volume = StorageVolume(
        cloud=store.cloud,
        id=volume_id,
        name=spec.name or volume_id,
        description=spec.description,
        state=StorageVolumeState.CREATING,
        platform_state="creating",
        capacity_gb=capacity,
        realm_id=realm_id,
        kind=spec.kind or _KINDS[0],
        created_at=now(),
        snapshot_id=spec.snapshot_id,
        bootable=False,
        tags=dict(spec.tags),
    )
    store.storage_volumes.add(volume)

    def finish() -> None:
        _set_state(store, volume_id, StorageVolumeState.AVAILABLE)

    store.later(delay, finish)
    return store.storage_volumes.get(volume_id)


def attach(store: MockStore, volume_id: str, instance_id: str, device: str | None) -> StorageVolume:
    """Attach a volume to an instance.

    Raises:
        NotFound: no such volume or instance.
        Conflict: the volume is attached elsewhere or not ready, or the device is taken.
    """
    volume, instance = store.storage_volumes.get(volume_id), store.instances.get(instance_id)
    if volume.instance_id == instance_id:
        return volume
    if volume.instance_id is not None:
        raise Conflict(f"volume {volume_id!r} is attached to instance {volume.instance_id!r}")
    if volume.state is not StorageVolumeState.AVAILABLE:
        raise Conflict(f"volume {volume_id!r} is {volume.state}")
    place = _choose_device(instance, device)
    attached = (*instance.storage_volumes, AttachedVolume(volume_id, place))
    store.instances.put(msgspec.structs.replace(instance, storage_volumes=attached))
    store.storage_volumes.put(
        msgspec.structs.replace(volume, instance_id=instance_id, device=place)
    )
    return _set_state(store, volume_id, StorageVolumeState.IN_USE)


def _choose_device(instance: Instance, device: str | None) -> str:
    """Return the device that a volume becomes in an instance: the one wanted, or a free one.

    Raises:
        Conflict: it is taken, or all are.
    """
    taken = {volume.device for volume in instance.storage_volumes}
    if device is not None:
        if device in taken:
            raise Conflict(f"device {device!r} of instance {instance.id!r} is taken")
        return device
    for letter in ascii_lowercase[1:]:
        if (free := f"/dev/vd{letter}") not in taken:
            return free
    raise Conflict(f"instance {instance.id!r} has no device left")


def detach(store: MockStore, volume_id: str) -> StorageVolume:
    """Detach a volume from the instance that has it, if one has.

    Raises:
        NotFound: no such volume.
    """
    volume = store.storage_volumes.get(volume_id)
    if volume.instance_id is None:
        return volume
    instance = store.instances.get(volume.instance_id)
    rest = tuple(v for v in instance.storage_volumes if v.storage_volume_id != volume_id)
    store.instances.put(msgspec.structs.replace(instance, storage_volumes=rest))
    store.storage_volumes.put(msgspec.structs.replace(volume, instance_id=None, device=None))
    return _set_state(store, volume_id, StorageVolumeState.AVAILABLE)


def _destroy(store: MockStore, volume_id: str) -> None:
    volume = store.storage_volumes.get(volume_id)
    if volume.state not in (StorageVolumeState.AVAILABLE, StorageVolumeState.ERROR):
        where = f", attached to instance {volume.instance_id!r}" if volume.instance_id else ""
        raise Conflict(f"volume {volume_id!r} is {volume.state}{where}")
    store.storage_volumes.remove(volume_id)


def _set_state(store: MockStore, volume_id: str, state: StorageVolumeState) -> StorageVolume:
    volume = store.storage_volumes.get(volume_id)
    return store.storage_volumes.put(
        msgspec.structs.replace(volume, state=state, platform_state=state.lower())
    )
