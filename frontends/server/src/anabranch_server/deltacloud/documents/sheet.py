"""What recurs within one document, in XML and in JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from anabranch.models import Resource
from anabranch_server.deltacloud.documents.markup import attribute, iso
from anabranch_server.deltacloud.links import Link, View, is_plain, percent_encode

__all__ = ["Memo", "Sheet", "actions", "destroying", "outdent", "plain_actions", "when"]

K = TypeVar("K")
V = TypeVar("V")


class Memo(dict[K, V]):
    """What is made of a key, made once: `memo[key]` makes it when it is first asked for."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[K], V]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> V:
        made = self[key] = self._make(key)
        return made


class Sheet:
    """The document that is being written: how it names things, and what recurs in it.

    Everything in XML is laid out as it stands in a list, one level in. What stands alone is moved
    out by a level when it is finished, which is why no text has a line that begins with a blank.

    Attributes:
        view: How things are named.
        secrets: Whether passwords and private keys are told.
        encoded: Whether parts of the plain form that recur may be JSON already.
        kept: What recurs among the instances of a cloud, by its name.
    """

    __slots__ = ("_prefixes", "_qualified", "encoded", "kept", "root", "secrets", "view")

    def __init__(self, view: View, *, secrets: bool = False, encoded: bool = False) -> None:
        self.view, self.root, self.secrets, self.encoded = view, view.root, secrets, encoded
        self._qualified = view.qualified
        self.kept: dict[str, Any] = {}
        self._prefixes = Memo[str, tuple[str, str]](_prefix)

    def names(self, cloud: str, ident: str) -> tuple[str, str]:
        """Return the id as a part of a path, and as an attribute or text."""
        # An id that is plain in a path is plain in XML.
        part = shown = ident
        if not is_plain(ident):
            part, shown = percent_encode(ident), attribute(ident)
        if not self._qualified:
            return part, shown
        path, prefix = self._prefixes[cloud]
        return path + part, prefix + shown

    def plain_names(self, cloud: str, ident: str) -> tuple[str, str]:
        """Return the id as a part of a path, and as it is told in JSON."""
        path = ident if is_plain(ident) else percent_encode(ident)
        if not self._qualified:
            return path, ident
        return self._prefixes[cloud][0] + path, f"{cloud}/{ident}"

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
        return f"    <{name} {self.target(collection, cloud, ident)}></{name}>\n"

    def references(
        self, parent: str, name: str, collection: str, cloud: str, idents: Iterable[str]
    ) -> str:
        """Return an element with such children; all of it, even if there are none."""
        start, end = f"      <{name} href='{self.root}/{collection}/", f"'></{name}>\n"
        inner = ""
        for ident in idents:
            path, shown = self.names(cloud, ident)
            inner += f"{start}{path}' id='{shown}{end}"
        return f"    <{parent}>\n{inner}    </{parent}>\n"

    def link(self, rel: str, collection: str, cloud: str, ident: str | None) -> dict[str, Any]:
        """Return a link to a member of a collection, for JSON; `{}` if there is none."""
        if not ident:
            return {}
        path, shown = self.plain_names(cloud, ident)
        return {"id": shown, "href": f"{self.root}/{collection}/{path}", "rel": rel}

    def links(
        self, rel: str, collection: str, cloud: str, idents: Iterable[str]
    ) -> list[dict[str, Any]]:
        """Return links to members of a collection, for JSON."""
        start = f"{self.root}/{collection}/"
        links: list[dict[str, Any]] = []
        for ident in idents:
            path, shown = self.plain_names(cloud, ident)
            links.append({"id": shown, "href": start + path, "rel": rel})
        return links


def _prefix(cloud: str) -> tuple[str, str]:
    return f"{percent_encode(cloud)}/", f"{attribute(cloud)}/"


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
