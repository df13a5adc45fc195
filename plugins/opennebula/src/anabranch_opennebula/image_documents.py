"""IMAGE documents to images and volumes."""

from __future__ import annotations

import math
from typing import Final

from anabranch.models import Image, ImageState, RootType, StorageVolume, StorageVolumeState
from anabranch_opennebula import own
from anabranch_opennebula.reading import Thing, extra_of, flag, integer, when

__all__ = ["image_of", "is_image", "is_volume", "volume_of"]

_OS, _DATABLOCK = "0", "2"
_WITHOUT: Final = frozenset({"ID", "NAME", "UID", "REGTIME", "STATE"})
_MIB: Final = 1024

_STATES: Final = {
    0: ("INIT", ImageState.PENDING, StorageVolumeState.CREATING),
    1: ("READY", ImageState.AVAILABLE, StorageVolumeState.AVAILABLE),
    2: ("USED", ImageState.AVAILABLE, StorageVolumeState.IN_USE),
    3: ("DISABLED", ImageState.UNAVAILABLE, StorageVolumeState.UNKNOWN),
    4: ("LOCKED", ImageState.PENDING, StorageVolumeState.CREATING),
    5: ("ERROR", ImageState.ERROR, StorageVolumeState.ERROR),
    6: ("CLONE", ImageState.PENDING, StorageVolumeState.BUSY),
    7: ("DELETE", ImageState.DELETED, StorageVolumeState.DELETING),
    # A persistent image that is in use cannot be used again.
    8: ("USED_PERS", ImageState.UNAVAILABLE, StorageVolumeState.IN_USE),
    9: ("LOCKED_USED", ImageState.PENDING, StorageVolumeState.BUSY),
    10: ("LOCKED_USED_PERS", ImageState.PENDING, StorageVolumeState.BUSY),
}


def is_image(thing: Thing) -> bool:
    """Whether it is what instances boot from."""
    return thing.element.findtext("TYPE") == _OS


def is_volume(thing: Thing) -> bool:
    """Whether it is a data disk that stays: of one that is not persistent, instances get copies."""
    element = thing.element
    return element.findtext("TYPE") == _DATABLOCK and flag(element.findtext("PERSISTENT"))


def image_of(cloud: str, thing: Thing) -> Image:
    """Convert an image."""
    element = thing.element
    name, state, _ = _state(thing)
    size = integer(element.findtext("SIZE"))
    persistent = flag(element.findtext("PERSISTENT"))
    return Image(
        cloud=cloud,
        id=thing.id,
        name=element.findtext("NAME") or "",
        description=element.findtext("TEMPLATE/DESCRIPTION") or "",
        owner_id=element.findtext("UID") or None,
        state=state,
        platform_state=name,
        created_at=when(element.findtext("REGTIME")),
        size_bytes=None if size is None else size * _MIB**2,
        min_storage_gb=math.ceil((size or 0) / _MIB),
        root_type=RootType.PERSISTENT if persistent else RootType.TRANSIENT,
        public=flag(element.findtext("PERMISSIONS/OTHER_U")),
        tags=own.mapping_of(element.findtext(f"TEMPLATE/{own.TAGS}")),
        extra=extra_of(thing, _WITHOUT),
    )


def volume_of(cloud: str, thing: Thing) -> StorageVolume:
    """Convert a data disk."""
    element = thing.element
    name, _, state = _state(thing)
    size = integer(element.findtext("SIZE"))
    return StorageVolume(
        cloud=cloud,
        id=thing.id,
        name=element.findtext("NAME") or "",
        description=element.findtext("TEMPLATE/DESCRIPTION") or "",
        state=state,
        platform_state=name,
        capacity_gb=None if size is None else size / _MIB,
        kind=element.findtext("DATASTORE") or None,
        created_at=when(element.findtext("REGTIME")),
        instance_id=element.findtext("VMS/ID") or None,
        bootable=False,
        tags=own.mapping_of(element.findtext(f"TEMPLATE/{own.TAGS}")),
        extra=extra_of(thing, _WITHOUT),
    )


def _state(thing: Thing) -> tuple[str, ImageState, StorageVolumeState]:
    number = integer(thing.element.findtext("STATE"))
    unknown = f"STATE {number}", ImageState.UNKNOWN, StorageVolumeState.UNKNOWN
    return _STATES.get(-1 if number is None else number, unknown)
