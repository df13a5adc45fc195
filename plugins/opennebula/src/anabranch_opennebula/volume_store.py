"""Datastores: where volumes are put, and what tells a plain user which clusters there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from anabranch.errors import InvalidRequest, NotFound
from anabranch_opennebula import pools
from anabranch_opennebula.client import Session
from anabranch_opennebula.reading import Thing, integer

__all__ = ["Datastore", "chosen_datastore", "datastores", "image_datastores"]

_IMAGE_DATASTORE: Final = "0"


class Datastore(NamedTuple):
    """A datastore.

    Attributes:
        id: Its id.
        name: Its name.
        holds_images: Whether images and volumes can be put there.
        free_mib: Room.
        clusters: Ids of the clusters that reach it.
    """

    id: str
    name: str
    holds_images: bool
    free_mib: int
    clusters: Sequence[str]


def _datastore(thing: Thing) -> tuple[Datastore]:
    element = thing.element
    return (
        Datastore(
            id=thing.id,
            name=element.findtext("NAME") or "",
            holds_images=element.findtext("TYPE") == _IMAGE_DATASTORE,
            free_mib=integer(element.findtext("FREE_MB")) or 0,
            clusters=[e.text or "" for e in element.iterfind("CLUSTERS/ID")],
        ),
    )


async def datastores(session: Session) -> Sequence[Datastore]:
    """Return the datastores that the user may see."""
    return (await pools.whole(session, pools.DATASTORES, _datastore)).items


async def image_datastores(session: Session) -> list[Datastore]:
    """Return the datastores that volumes can be put in."""
    return [found for found in await datastores(session) if found.holds_images]


async def chosen_datastore(session: Session, kind: str | None, realm_id: str | None) -> Datastore:
    """Choose where a volume is put: what is asked for or configured, or else the most room.

    Args:
        session: Whom to ask.
        kind: Id or name of a datastore.
        realm_id: Cluster that must reach it.

    Raises:
        NotFound: no such datastore.
        InvalidRequest: there is none that fits.
    """
    wanted = kind or session.cloud.settings.datastore_id
    known = await image_datastores(session)
    if wanted is not None:
        known = [d for d in known if wanted in (d.id, d.name)]
        if not known:
            raise NotFound(f"there is no image datastore {wanted!r}")
    fitting = [d for d in known if realm_id is None or realm_id in d.clusters]
    if not fitting:
        raise InvalidRequest(
            f"no image datastore is in realm {realm_id!r}"
            if realm_id is not None
            else "the user may see no image datastore"
        )
    return max(fitting, key=lambda d: d.free_mib)
