"""Quotas of block storage: cinder's absolute limits."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from anabranch.models import Quota
from anabranch_openstack import convert_storage
from anabranch_openstack.catalog import BLOCK_STORAGE
from anabranch_openstack.client import Session
from anabranch_openstack.replies import decoded

__all__ = ["block_storage_quotas"]


class _Limits(msgspec.Struct, frozen=True):
    absolute: dict[str, Any]


class _LimitsDocument(msgspec.Struct, frozen=True):
    limits: _Limits


_LIMITS: Final = msgspec.json.Decoder(_LimitsDocument)


async def block_storage_quotas(cinder: Session) -> list[Quota]:
    """Get how many volumes, snapshots and backups the project may have, and of what size.

    Raises:
        CloudError: they cannot be had.
    """
    reply = await cinder.request(BLOCK_STORAGE, "GET", "/limits")
    return convert_storage.quotas(cinder.cloud.name, decoded(reply, _LIMITS).limits.absolute)
