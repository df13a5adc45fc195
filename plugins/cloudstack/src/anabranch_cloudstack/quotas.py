"""Quotas: the limits of the account's resources, and what it uses of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from anabranch.errors import OperationNotSupported, PermissionDenied
from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import QuotasSpec
from anabranch.models import Quota
from anabranch.paging import Page
from anabranch_cloudstack import convert, wire
from anabranch_cloudstack.client import CloudStackCloud, Session, session
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["Quotas", "owner"]

_LIMIT: Final = Reader(wire.ResourceLimit, "resourcelimit")
_OWNER: Final = Reader(wire.Account, "account", "project")


class Quotas(QuotasSpec[CloudStackSettings]):
    """Resource limits."""

    @hookimpl
    async def list_quotas(self, cloud: CloudStackCloud, cursor: str | None) -> Page[Quota]:
        cloudstack = session(cloud)
        used = await _used(cloudstack)

        def make(limit: wire.ResourceLimit, raw: msgspec.Raw) -> Quota:
            return convert.quota(cloud.name, limit, used, raw)

        return await cloudstack.page(
            "listResourceLimits",
            reader=_LIMIT,
            convert=make,
            cursor=cursor,
            parameters=cloudstack.project,
        )


async def owner(session: Session) -> msgspec.Raw | None:
    """Return the document of the account, or of the project, that is worked in; None: untold."""
    project_id = session.cloud.settings.project_id
    try:
        body = await (
            session.ask("listProjects", {"id": project_id})
            if project_id
            else session.ask("listAccounts")
        )
    except (PermissionDenied, OperationNotSupported):
        return None
    found = _OWNER.listing(body).items
    return found[0] if found else None


async def _used(session: Session) -> Mapping[str, Any]:
    document = await owner(session)
    if document is None:
        return {}
    try:
        return msgspec.json.decode(document, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}
