"""Which format a request asks for, by the rules of Deltacloud's server (deltacloud.md, 1)."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import lru_cache
from typing import Final

__all__ = ["DOCUMENTS", "Format", "negotiated"]


class Format(StrEnum):
    """A format of replies; the value is what `?format=` calls it."""

    XML = "xml"
    JSON = "json"
    HTML = "html"
    PNG = "png"
    GV = "gv"

    @property
    def media_type(self) -> str:
        """The `Content-Type`: JSON's without a charset, which old clients compare as a whole."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES: Final = {
    Format.XML: "application/xml; charset=utf-8",
    Format.JSON: "application/json",
    Format.HTML: "text/html; charset=utf-8",
    Format.PNG: "image/png",
    Format.GV: "text/vnd.graphviz; charset=utf-8",
}
_ACCEPTED: Final = {
    "application/xml": Format.XML,
    "text/xml": Format.XML,
    "application/json": Format.JSON,
    "text/html": Format.HTML,
    "application/xhtml+xml": Format.HTML,
    "*/*": Format.HTML,
    "text/*": Format.HTML,
    "application/*": Format.XML,
    "image/png": Format.PNG,
    "text/vnd.graphviz": Format.GV,
}
DOCUMENTS: Final = (Format.XML, Format.JSON, Format.HTML)
"""The formats that everything comes in."""


def negotiated(
    accept: str, wanted: str | None, offered: Collection[Format] = DOCUMENTS
) -> Format | None:
    """Choose the format of a reply.

    Without `Accept` it is XML; the highest `q` wins, and of equal ones the last, as there.

    Args:
        accept: The header `Accept`, or nothing.
        wanted: The parameter `format`, which overrides it; None: not given.
        offered: The formats that there are.

    Returns:
        The format; None: nothing acceptable is offered.
    """
    if wanted is not None:
        return next((f for f in offered if f.value == wanted), None)
    return next((f for f in _preferred(accept) if f in offered), None)


@lru_cache(maxsize=256)
def _preferred(accept: str) -> tuple[Format, ...]:
    if not accept.strip():
        return (Format.XML,)
    found: list[tuple[float, int, Format]] = []
    for place, entry in enumerate(accept.split(",")):
        media_type, *parameters = (part.strip().lower() for part in entry.split(";"))
        weight = next((_weight(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if media_type in _ACCEPTED and weight > 0:
            found.append((weight, place, _ACCEPTED[media_type]))
    return tuple(f for _, _, f in sorted(found, reverse=True))


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
