"""Realms."""

from __future__ import annotations

from anabranch.hooks import hookimpl
from anabranch.hooks.realms import RealmsSpec
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud

__all__ = ["Realms"]


class Realms(RealmsSpec[MockSettings]):
    """The hooks of the realms."""

    @hookimpl
    async def list_realms(self, cloud: MockCloud, cursor: str | None) -> Page[Realm]:
        return await listing(cloud, "list_realms", lambda store: store.page(store.realms, cursor))

    @hookimpl
    async def get_realm(self, cloud: MockCloud, realm_id: str) -> Realm:
        return await call(cloud, "get_realm", lambda store: store.realms.get(realm_id))
