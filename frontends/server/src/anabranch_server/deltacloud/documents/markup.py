"""Writing XML: escaping, and the fragments that recur within one document."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from anabranch_server.deltacloud.links import Link, View, encode

__all__ = [
    "DECLARATION",
    "Sheet",
    "actions",
    "attribute",
    "clean",
    "element",
    "figure",
    "iso",
    "text",
]

DECLARATION: Final = "<?xml version='1.0' encoding='utf-8' ?>\n"

_FORBIDDEN: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
# A line that begins with a blank is told from the layout, which is moved about: see `Sheet`.
_IN_TEXT: Final = re.compile(f"[&<>'\"\r{_FORBIDDEN}]|\n(?= )")
_IN_ATTRIBUTE: Final = re.compile(f"[&<>'\"\t\n\r{_FORBIDDEN}]")
_REFERENCES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "'": "&#39;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_find_in_text, _find_in_attribute = _IN_TEXT.search, _IN_ATTRIBUTE.search


def _replace(found: re.Match[str]) -> str:
    return _REFERENCES.get(found[0], "\ufffd")


def text(value: str) -> str:
    """Return a string as the text of an element.

    What XML 1.0 cannot hold (control characters, lone surrogates, U+FFFE, U+FFFF) becomes U+FFFD;
    all else comes out of a parser as it went in.
    """
    return _IN_TEXT.sub(_replace, value) if _find_in_text(value) else value


def attribute(value: str) -> str:
    """Return a string as the value of an attribute, in either kind of quotes; see `text`."""
    return _IN_ATTRIBUTE.sub(_replace, value) if _find_in_attribute(value) else value


def clean(value: str) -> str:
    """Return a string without lone surrogates, which no encoding of Unicode has."""
    return _SURROGATES.sub("\ufffd", value)


def figure(value: float | str) -> str:
    """Return a number, or a word in the place of one, unescaped; whole numbers have no fraction."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def iso(when: datetime) -> str:
    """Return a time as ISO 8601 in UTC, with Z."""
    told = when.isoformat()
    if not told.endswith("+00:00"):
        told = when.astimezone(UTC).isoformat()
    return f"{told[:-6]}Z"


def element(indent: str, name: str, value: str | None) -> str:
    """Return an element with text on a line of its own; nothing if the value is None or empty."""
    return f"{indent}<{name}>{text(value)}</{name}>\n" if value else ""


class Sheet:
    """The fragments that recur within one document, each made once.

    Everything is laid out as it stands in a list, one level in. What stands alone is moved out
    by a level when it is finished, which is why no text has a line that begins with a blank.

    Attributes:
        view: How things are named.
        kept: Fragments of the modules of the collections, by keys that begin with the collection.
    """

    __slots__ = ("_prefixes", "_references", "kept", "root", "view")

    def __init__(self, view: View) -> None:
        self.view, self.root = view, view.root
        self.kept: dict[tuple[object, ...], Any] = {}
        self._references: dict[tuple[str, str, str, str], str] = {}
        self._prefixes: dict[str, tuple[str, str]] = {}

    def names(self, cloud: str, ident: str) -> tuple[str, str]:
        """Return the id as a part of a path, and as an attribute or text."""
        part = encode(ident)
        shown = ident if part is ident else attribute(ident)
        if not self.view.qualified:
            return part, shown
        if not (prefix := self._prefixes.get(cloud)):
            prefix = self._prefixes[cloud] = (f"{encode(cloud)}/", f"{attribute(cloud)}/")
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


def actions(links: Iterable[Link]) -> str:
    """Return the element `actions` of a member of a list."""
    inner = "".join(
        f"      <link href='{href}' method='{method}' rel='{rel}' />\n"
        for rel, method, href in links
    )
    return f"    <actions>\n{inner}    </actions>\n"
