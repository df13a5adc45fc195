"""Realms: clusters."""

from __future__ import annotations

from typing import Final

from anabranch.errors import NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.realms import RealmsSpec
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch_opennebula import pools
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.reading import Thing, extra_of
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.volume_store import datastores

__all__ = ["Realms"]

_CLUSTERS: Final = pools.Pool("clusterpool.info", "CLUSTER", paged=False)
_WITHOUT: Final = frozenset({"ID", "NAME"})


class Realms(RealmsSpec[OpenNebulaSettings]):
    """Clusters.

    oned shows a plain user an empty pool of clusters. But it tells of each datastore which
    clusters reach it, so that user's realms are those, without names.
    """

    @hookimpl
    async def list_realms(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Realm]:
        one = session(cloud)

        def convert(thing: Thing) -> tuple[Realm]:
            return (
                Realm(
                    cloud=cloud.name,
                    id=thing.id,
                    name=thing.element.findtext("NAME") or "",
                    extra=extra_of(thing, _WITHOUT),
                ),
            )

        page = await pools.whole(one, _CLUSTERS, convert)
        if page.items or page.problems:
            return page
        found = {ident for store in await datastores(one) for ident in store.clusters if ident}
        ids = sorted(found, key=lambda ident: (len(ident), ident))
        return Page([Realm(cloud=cloud.name, id=ident, name=f"cluster {ident}") for ident in ids])

    @hookimpl
    async def get_realm(self, cloud: OpenNebulaCloud, realm_id: str) -> Realm:
        for realm in (await self.list_realms(cloud, None)).items:
            if realm.id == realm_id:
                return realm
        raise NotFound(f"there is no realm {realm_id!r}")
