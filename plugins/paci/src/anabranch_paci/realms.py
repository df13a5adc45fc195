"""Realms: the account's subscriptions, as far as something tells of them."""

from __future__ import annotations

from anabranch.errors import NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.realms import RealmsSpec
from anabranch.models import Realm
from anabranch.paging import Page
from anabranch_paci import listing
from anabranch_paci.client import PaciCloud, session
from anabranch_paci.settings import PaciSettings

__all__ = ["Realms"]


class Realms(RealmsSpec[PaciSettings]):
    """Subscriptions. The platform lists none: they are the configured one, or the servers'."""

    @hookimpl
    async def list_realms(self, cloud: PaciCloud, cursor: str | None) -> Page[Realm]:
        return Page([_realm(cloud, ident) for ident in await _known(cloud)])

    @hookimpl
    async def get_realm(self, cloud: PaciCloud, realm_id: str) -> Realm:
        if realm_id in await _known(cloud):
            return _realm(cloud, realm_id)
        raise NotFound(f"no subscription {realm_id!r} is known")


async def _known(cloud: PaciCloud) -> list[str]:
    if cloud.settings.subscription:
        return [cloud.settings.subscription]
    servers, _ = await listing.names(session(cloud), listing.SERVERS, None)
    return sorted({ident for info in servers if (ident := info.get("subscription-id"))})


def _realm(cloud: PaciCloud, ident: str) -> Realm:
    return Realm(cloud=cloud.name, id=ident, name=f"subscription {ident}")
