"""Quotas: nova's absolute limits."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import QuotasSpec
from anabranch.models import Quota
from anabranch.paging import Page
from anabranch_openstack import convert
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, session
from anabranch_openstack.replies import decoded
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Quotas"]


class _Limits(msgspec.Struct, frozen=True):
    absolute: dict[str, Any]


class _LimitsDocument(msgspec.Struct, frozen=True):
    limits: _Limits


_LIMITS: Final = msgspec.json.Decoder(_LimitsDocument)


class Quotas(QuotasSpec[OpenStackSettings]):
    """Quotas of compute."""

    @hookimpl
    async def list_quotas(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Quota]:
        reply = await session(cloud).request(COMPUTE, "GET", "/limits")
        return Page(convert.quotas(cloud.name, decoded(reply, _LIMITS).limits.absolute))
