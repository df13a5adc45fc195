"""What all that is done with cinder shares."""

from __future__ import annotations

from functools import partial
from typing import Final

from anabranch.errors import CloudError, Conflict, InvalidRequest
from anabranch.models import StorageVolume
from anabranch.reading import Reader
from anabranch_openstack import convert_storage, wire_storage
from anabranch_openstack.catalog import BLOCK_STORAGE
from anabranch_openstack.client import Session, segment

__all__ = ["VOLUME", "as_conflict", "show_volume", "volume_path"]

VOLUME: Final = Reader(wire_storage.Volume)


def volume_path(storage_volume_id: str) -> str:
    """Return the path of a volume."""
    return f"/volumes/{segment(storage_volume_id)}"


async def show_volume(cinder: Session, storage_volume_id: str) -> StorageVolume:
    """Get a volume."""
    return await cinder.one(
        BLOCK_STORAGE,
        volume_path(storage_volume_id),
        "volume",
        reader=VOLUME,
        convert=partial(convert_storage.volume, cinder.cloud.name),
    )


def as_conflict(exc: InvalidRequest) -> CloudError:
    """Return the error that is meant: of a state that forbids something cinder says 400."""
    if not exc.message.startswith(("Invalid volume:", "Invalid snapshot:")):
        return exc
    return Conflict(exc.message, provider_code=exc.provider_code, request_id=exc.request_id)
