"""What recurs within one document, in XML and in JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from anabranch.models import Resource
from anabranch_server.deltacloud.documents.markup import attribute, iso
from anabranch_server.deltacloud.links import Link, View, percent_encode

__all__ = ["Sheet", "actions", "destroying", "outdent", "plain_actions", "when"]


class Sheet:
    """The document that is being written: how it names things, and what recurs in it, made once.

    Everything in XML is laid out as it stands in a list, one level in. What stands alone is moved
    out by a level when it is finished, which is why no text has a line that begins with a blank.
    What JSON has in several places is the same object there: not to be changed.

    Attributes:
        view: How things are named.
        secrets: Whether passwords and private keys are told.
        kept: What the modules of the collections keep, by keys that begin with what it is for.
    """

    __slots__ = ("_links", "_prefixes", "_references", "kept", "root", "secrets", "view")

    def __init__(self, view: View, *, secrets: bool = False) -> None:
        self.view, self.root, self.secrets = view, view.root, secrets
        self.kept: dict[tuple[object, ...], Any] = {}
        self._references: dict[tuple[str, str, str, str], str] = {}
        self._links: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self._prefixes: dict[str, tuple[str, str]] = {}

    def names(self, cloud: str, ident: str) -> tuple[str, str]:
        """Return the id as a part of a path, and as an attribute or text."""
        part = percent_encode(ident)
        shown = ident if part is ident else attribute(ident)
        if not self.view.qualified:
            return part, shown
        if not (prefix := self._prefixes.get(cloud)):
            prefix = self._prefixes[cloud] = (f"{percent_encode(cloud)}/", f"{attribute(cloud)}/")
        return prefix[0] + part, prefix[1] + shown

    def target(self, collection: str, cloud: str, ident: str) -> str:
        """Return the attributes `href` and `id` of a member of a collection."""
        path, shown = self.names(cloud, ident)
        return f"href='{self.root}/{collection}/{path}' id='{shown}'"

    def reference(self, name: str, collection: str, cloud: str, ident: str | None) -> str:
        """Return an empty element that leads to a member of a collection, if there is one.

        Two levels in, as a child of a member of a list, on a line of its own.
        """
        if not ident:
            return ""
        key = (name, collection, cloud, ident)
        if not (found := self._references.get(key)):
            target = self.target(collection, cloud, ident)
            found = self._references[key] = f"    <{name} {target}></{name}>\n"
        return found

    def references(
        self, parent: str, name: str, collection: str, cloud: str, idents: Iterable[str]
    ) -> str:
        """Return an element with such children; all of it, even if there are none."""
        inner = "".join(f"  {self.reference(name, collection, cloud, i)}" for i in idents)
        return f"    <{parent}>\n{inner}    </{parent}>\n"

    def link(self, rel: str, collection: str, cloud: str, ident: str | None) -> dict[str, Any]:
        """Return a link to a member of a collection, for JSON; `{}` if there is none."""
        if not ident:
            return {}
        key = (rel, collection, cloud, ident)
        if not (found := self._links.get(key)):
            view = self.view
            href = view.member(collection, cloud, ident)
            found = self._links[key] = {"id": view.id(cloud, ident), "href": href, "rel": rel}
        return found

    def links(
        self, rel: str, collection: str, cloud: str, idents: Iterable[str]
    ) -> list[dict[str, Any]]:
        """Return links to members of a collection, for JSON."""
        return [self.link(rel, collection, cloud, ident) for ident in idents]


def actions(links: Iterable[Link]) -> str:
    """Return the element `actions` of a member of a list."""
    inner = "".join(
        f"      <link href='{href}' method='{method}' rel='{rel}' />\n"
        for rel, method, href in links
    )
    return f"    <actions>\n{inner}    </actions>\n"


def destroying(item: Resource, collection: str, singular: str, view: View) -> list[Link]:
    """Return the link by which a member of a collection is destroyed, if its cloud offers that."""
    if not view.offers(item.cloud, f"destroy_{singular}"):
        return []
    return [Link("destroy", "delete", view.member(collection, item.cloud, item.id))]


def outdent(body: str) -> str:
    """Return what was made as a member of a list as it stands alone: see `Sheet`."""
    return body.removeprefix("  ").replace("\n  ", "\n")


def plain_actions(links: Iterable[Link]) -> list[dict[str, str]]:
    """Return what can be done."""
    return [{"href": link.href, "rel": link.rel, "method": link.method} for link in links]


def when(time: datetime | None) -> str | None:
    """Return a time as ISO 8601 in UTC, if there is one."""
    return None if time is None else iso(time)
