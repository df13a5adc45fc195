"""Storage volumes at instances: nova attaches, cinder tells how far it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import anyio

from anabranch.errors import Conflict, DeadlineExceeded, InvalidRequest, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.storage_volumes import StorageVolumesSpec
from anabranch.models import StorageVolume, StorageVolumeState
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, Session, segment, session
from anabranch_openstack.servers import server_path
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.storage import show_volume

__all__ = ["VolumeAttachments"]

_ATTACHMENTS: Final = "os-volume_attachments"
_DETACHING: Final = "detaching"
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_S = StorageVolumeState


class VolumeAttachments(StorageVolumesSpec[OpenStackSettings]):
    """Volumes: attach and detach. Both wait for the end: nova's acceptance alone tells little."""

    @hookimpl
    async def attach_storage_volume(
        self, cloud: OpenStackCloud, storage_volume_id: str, instance_id: str, device: str | None
    ) -> StorageVolume:
        nova = session(cloud)
        wanted = {"volumeId": storage_volume_id, **({"device": device} if device else {})}
        try:
            await nova.request(
                COMPUTE,
                "POST",
                server_path(instance_id, _ATTACHMENTS),
                body={"volumeAttachment": wanted},
                idempotent=True,  # the second one would be told that it is attached
            )
        except InvalidRequest as exc:
            # 400 stands for a bad argument as well as for a volume that is attached already.
            volume = await show_volume(nova, storage_volume_id)
            if not await _is_at(nova, volume, instance_id):
                raise _refused(exc, volume) from exc
        return await _attached(nova, storage_volume_id, instance_id)

    @hookimpl
    async def detach_storage_volume(
        self, cloud: OpenStackCloud, storage_volume_id: str
    ) -> StorageVolume:
        nova = session(cloud)
        volume = await show_volume(nova, storage_volume_id)
        if volume.state is _S.ATTACHING:  # until that is over, nova refuses
            volume = await _settled(nova, storage_volume_id, _attaching)
        for instance_id in _instances(volume):
            if volume.platform_state != _DETACHING:
                await _detach(nova, storage_volume_id, instance_id)
            volume = await _settled(nova, storage_volume_id, _busy)
        if volume.instance_id is not None:
            raise Conflict(f"the cloud gave it up, the volume is {volume.platform_state}")
        return volume


async def _attached(nova: Session, storage_volume_id: str, instance_id: str) -> StorageVolume:
    """Wait until a volume that nova took is attached."""

    async def pending(volume: StorageVolume) -> bool:
        # Nova takes note of it before cinder does, and forgets it if it comes to nothing.
        early = volume.state is _S.AVAILABLE and await _is_noted(nova, volume, instance_id)
        return early or volume.state is _S.ATTACHING

    volume = await _settled(nova, storage_volume_id, pending)
    if instance_id not in _instances(volume):
        raise Conflict(
            f"the cloud gave the attachment up, the volume is {volume.platform_state}",
            remedy="Ask the cloud's operators: the instance's host could not connect to it",
        )
    return volume


async def _settled(
    nova: Session, storage_volume_id: str, pending: Callable[[StorageVolume], Awaitable[bool]]
) -> StorageVolume:
    """Wait as long as something is pending with a volume."""
    pause = _FIRST_PAUSE
    limit = nova.cloud.settings.attach_timeout
    with anyio.move_on_after(limit):
        while True:
            volume = await show_volume(nova, storage_volume_id)
            if not await pending(volume):
                return volume
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
    raise DeadlineExceeded(
        f"the volume was not ready within {limit:g} s; the cloud goes on with it",
        remedy="Ask for the same again, which waits on",
    )


async def _attaching(volume: StorageVolume) -> bool:
    return volume.state is _S.ATTACHING


async def _busy(volume: StorageVolume) -> bool:
    return volume.state is _S.BUSY


async def _detach(nova: Session, storage_volume_id: str, instance_id: str) -> None:
    path = server_path(instance_id, _ATTACHMENTS, segment(storage_volume_id))
    try:
        await nova.request(COMPUTE, "DELETE", path)
    except NotFound:
        return  # somebody else was faster
    except InvalidRequest as exc:
        volume = await show_volume(nova, storage_volume_id)
        if volume.platform_state != _DETACHING:
            raise _refused(exc, volume) from exc


async def _is_at(nova: Session, volume: StorageVolume, instance_id: str) -> bool:
    """Whether a volume is attached to an instance, or about to be."""
    if volume.state in (_S.ATTACHING, _S.AVAILABLE):
        return await _is_noted(nova, volume, instance_id)
    return volume.state is _S.IN_USE and instance_id in _instances(volume)


async def _is_noted(nova: Session, volume: StorageVolume, instance_id: str) -> bool:
    """Whether nova has a volume at an instance; cinder tells it when all is done only."""
    path = server_path(instance_id, _ATTACHMENTS, segment(volume.id))
    try:
        await nova.request(COMPUTE, "GET", path)
    except NotFound:
        return False
    return True


def _instances(volume: StorageVolume) -> list[str]:
    attachments: list[Mapping[str, Any]] = volume.extra.get("attachments") or []
    return [a["server_id"] for a in attachments if a.get("server_id")]


def _refused(exc: InvalidRequest, volume: StorageVolume) -> Conflict | InvalidRequest:
    if volume.state is _S.AVAILABLE:
        return exc
    return Conflict(exc.message, provider_code=exc.provider_code, request_id=exc.request_id)
