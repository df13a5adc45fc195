"""Documents of CloudStack: pages and results, with the keys that items stand under."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from anabranch import reading
from anabranch.errors import OutcomeUnknown, ProtocolError

__all__ = ["Listing", "Reader", "itself"]

W = TypeVar("W", bound=msgspec.Struct)


def itself(item: W, raw: msgspec.Raw) -> W:
    """Convert an item to no model: what lists are to give that are looked through only."""
    del raw
    return item


class Listing(msgspec.Struct, frozen=True):
    """One page as CloudStack sends it.

    Attributes:
        items: The items.
        count: How many there are on all pages together; None: not told.
    """

    items: list[msgspec.Raw]
    count: int | None = None


class _Counted(msgspec.Struct, frozen=True):
    count: int | None = None


class Reader(reading.Reader[W]):
    """Decodes items of one kind, which lists hold under one of some keys."""

    def __init__(self, kind: type[W], *keys: str) -> None:
        """Take the kind, and the keys that its items stand under in lists and results."""
        super().__init__(kind)
        fields: list[tuple[str, Any, Any]] = [
            (f"k{n}", list[msgspec.Raw] | None, msgspec.field(name=key, default=None))
            for n, key in enumerate(keys)
        ]
        listing = msgspec.defstruct("Page", fields, bases=(_Counted,), frozen=True)
        self._names = tuple(name for name, _, _ in fields)
        self._listing = msgspec.json.Decoder(listing)
        self._wrapped = msgspec.json.Decoder(
            msgspec.defstruct(
                "Wrapped",
                [
                    (f"k{n}", msgspec.Raw, msgspec.field(name=key, default=msgspec.Raw()))
                    for n, key in enumerate(keys)
                ],
                frozen=True,
            )
        )

    def listing(self, body: msgspec.Raw) -> Listing:
        """Return the items of a page, undecoded; an empty list is an empty object.

        Raises:
            ProtocolError: it is no page.
        """
        try:
            page: Any = self._listing.decode(body)
        except msgspec.DecodeError as exc:
            raise ProtocolError(f"the reply is no list of CloudStack: {exc}") from exc
        lists: list[list[msgspec.Raw] | None] = [getattr(page, name) for name in self._names]
        found = next((items for items in lists if items is not None), None)
        return Listing(found or [], page.count)

    def made(self, body: msgspec.Raw) -> tuple[W, msgspec.Raw]:
        """Return what was made, and its JSON, from the result of its making.

        Raises:
            OutcomeUnknown: it is not told, or not understandably.
        """
        raw = self.wrapped(body)
        if raw is None:
            raise OutcomeUnknown("what was made is not told", remedy="Look for it")
        try:
            return self.read(raw), raw
        except ProtocolError as exc:
            raise OutcomeUnknown(
                f"what was made is not told: {exc.message}", remedy="Look for it"
            ) from exc

    def wrapped(self, body: msgspec.Raw) -> msgspec.Raw | None:
        """Return the one item that a result holds, undecoded; None: it holds none."""
        try:
            found: Any = self._wrapped.decode(body)
        except msgspec.DecodeError:
            return None
        held: list[msgspec.Raw] = [getattr(found, name) for name in self._names]
        return next((raw for raw in held if raw), None)
