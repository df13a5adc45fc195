"""Documents of OpenStack's services: pages with links or markers, and what wraps one thing."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

import msgspec

__all__ = ["Listing", "Wrapped", "listing", "wrapped"]


class _Link(msgspec.Struct, frozen=True):
    rel: str = ""
    href: str = ""


class _Id(msgspec.Struct, frozen=True):
    id: str | None = None


_ID: Final = msgspec.json.Decoder(_Id)
_SPARE_MARKERS: Final = 2


class Listing(msgspec.Struct, frozen=True):
    """One page of a list as a service sends it."""

    items: list[msgspec.Raw]
    links: list[_Link] = []
    next: str | None = None

    @property
    def marker(self) -> str | None:
        """What to ask the next page with: of the link to it, the marker and nothing else.

        The rest of the link is what the service believes its address to be.
        """
        following = self.next
        for link in self.links:
            if link.rel == "next":
                following = link.href
        if following is None:
            return None
        found = parse_qs(urlsplit(following).query).get("marker")
        return found[0] if found else self._id(-1)

    @property
    def cursor(self) -> str | None:
        """The marker and, in case its object goes, the ids of the two items before it."""
        marker = self.marker
        if marker is None:
            return None
        spare = [self._id(-2 - i) for i in range(min(_SPARE_MARKERS, len(self.items) - 1))]
        return ",".join([marker, *filter(None, spare)])

    def _id(self, index: int) -> str | None:
        try:
            return _ID.decode(self.items[index]).id
        except (msgspec.DecodeError, IndexError):
            return None


@lru_cache(maxsize=64)
def listing(key: str) -> msgspec.json.Decoder[Listing]:
    """Return the decoder of a page whose items are under `key`."""
    fields: list[tuple[str, Any, Any]] = [
        ("items", list[msgspec.Raw], msgspec.field(name=key)),
        ("links", list[_Link], msgspec.field(name=f"{key}_links", default_factory=list)),
        ("next", str | None, None),
    ]
    kind = msgspec.defstruct(
        "Listing",
        fields,
        bases=(Listing,),
        frozen=True,
    )
    return cast("msgspec.json.Decoder[Listing]", msgspec.json.Decoder(kind))


class Wrapped(msgspec.Struct, frozen=True):
    """A document that holds one thing."""

    item: msgspec.Raw


@lru_cache(maxsize=64)
def wrapped(key: str) -> msgspec.json.Decoder[Wrapped]:
    """Return the decoder of a document that holds one thing under `key`."""
    kind = msgspec.defstruct(
        "Wrapped",
        [("item", msgspec.Raw, msgspec.field(name=key))],
        bases=(Wrapped,),
        frozen=True,
    )
    return cast("msgspec.json.Decoder[Wrapped]", msgspec.json.Decoder(kind))
