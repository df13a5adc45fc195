"""What the JSON documents have in common. They are made of dicts, lists, strings and numbers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from anabranch_server.deltacloud.documents.markup import iso
from anabranch_server.deltacloud.links import Link, View

__all__ = ["linked", "listed", "plain_actions", "when"]


def linked(view: View, rel: str, collection: str, cloud: str, ident: str | None) -> dict[str, Any]:
    """Return a link to a member of a collection; `{}` if there is none."""
    if not ident:
        return {}
    href = view.member(collection, cloud, ident)
    return {"id": view.id(cloud, ident), "href": href, "rel": rel}


def listed(
    view: View, rel: str, collection: str, cloud: str, idents: Iterable[str]
) -> list[dict[str, Any]]:
    """Return links to members of a collection."""
    return [linked(view, rel, collection, cloud, ident) for ident in idents]


def plain_actions(links: Iterable[Link]) -> list[dict[str, str]]:
    """Return what can be done."""
    return [{"href": link.href, "rel": link.rel, "method": link.method} for link in links]


def when(time: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, if there is one."""
    return None if time is None else iso(time)
