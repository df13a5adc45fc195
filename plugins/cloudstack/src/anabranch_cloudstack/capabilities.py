"""What the cloud can do for the key, as `listCapabilities` tells it; asked once and kept."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.cloud import SingleFlight
from anabranch.errors import OperationNotSupported, PermissionDenied
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import CloudStackCloud, session
from anabranch_cloudstack.replies import decoded

__all__ = ["capabilities", "may_expunge"]


class _Document(msgspec.Struct, frozen=True):
    capability: wire.Capabilities


_DOCUMENT: Final = msgspec.json.Decoder(_Document)


class _Known:
    def __init__(self, cloud: CloudStackCloud) -> None:
        self._cloud = cloud
        self._held: wire.Capabilities | None = None
        self._asking = SingleFlight[wire.Capabilities]()

    async def get(self) -> wire.Capabilities:
        if self._held is None:
            self._held = await self._asking.get(self._ask)
        return self._held

    async def _ask(self) -> wire.Capabilities:
        body = await session(self._cloud).ask("listCapabilities")
        return decoded(body, _DOCUMENT).capability


async def capabilities(cloud: CloudStackCloud) -> wire.Capabilities:
    """Return what the cloud can do.

    Raises:
        CloudError: it cannot be told.
    """
    return await cloud.local(_Known).get()


async def may_expunge(cloud: CloudStackCloud) -> bool:
    """Whether what is destroyed is to be expunged too: as configured, or if it is allowed."""
    if cloud.settings.expunge is not None:
        return cloud.settings.expunge
    try:
        return (await capabilities(cloud)).allowuserexpungerecovervm
    except (PermissionDenied, OperationNotSupported):
        return False
