"""Decoding of lists: one item at a time, so that an odd one does not spoil a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from anabranch.errors import ProtocolError
from anabranch.paging import ItemProblem

__all__ = ["Listing", "Reader"]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)


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


class Reader(Generic[W]):
    """Decodes items of one kind, which lists hold under one of some keys."""

    def __init__(self, kind: type[W], *keys: str) -> None:
        """Take the kind, and the keys that its items stand under in lists and results."""
        self._kind, self._decoder = kind, msgspec.json.Decoder(kind)
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

    def wrapped(self, body: msgspec.Raw) -> msgspec.Raw | None:
        """Return the one item that a result holds, undecoded; None: it holds none."""
        try:
            found: Any = self._wrapped.decode(body)
        except msgspec.DecodeError:
            return None
        held: list[msgspec.Raw] = [getattr(found, name) for name in self._names]
        return next((raw for raw in held if raw), None)

    def read(self, raw: msgspec.Raw) -> W:
        """Decode one item, as far as it can be understood.

        Raises:
            ProtocolError: it cannot at all.
        """
        try:
            return self._decoder.decode(raw)
        except msgspec.DecodeError:
            salvaged, problem = self._salvage(raw)
            if salvaged is None:
                raise ProtocolError(problem.message) from None
            return salvaged

    def read_all(
        self, raws: Sequence[msgspec.Raw], convert: Callable[[W, msgspec.Raw], T | None]
    ) -> tuple[list[T], list[ItemProblem]]:
        """Decode and convert items; tell of those that are odd.

        Args:
            raws: The items.
            convert: Makes the model of an item and its JSON; None: leave the item out.
        """
        items: list[T] = []
        problems: list[ItemProblem] = []
        decode = self._decoder.decode
        for raw in raws:
            try:
                wire = decode(raw)
            except msgspec.DecodeError:
                salvaged, problem = self._salvage(raw)
                problems.append(problem)
                if salvaged is None:
                    continue
                wire = salvaged
            item = convert(wire, raw)
            if item is not None:
                items.append(item)
        return items, problems

    def _salvage(self, raw: msgspec.Raw) -> tuple[W | None, ItemProblem]:
        """Read field by field what can be read."""
        kind = self._kind.__name__.lower()
        try:
            found: Any = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            return None, ItemProblem(message=f"a {kind} that is no object")
        item = cast("dict[str, Any]", found)
        good: dict[str, Any] = {}
        odd: list[str] = []
        for field in msgspec.structs.fields(self._kind):
            name = field.encode_name
            if name in item:
                try:
                    good[name] = msgspec.to_builtins(msgspec.convert(item[name], field.type))
                except msgspec.ValidationError:
                    odd.append(name)
        ident = str(item.get("id") or item.get("name") or "")
        problem = ItemProblem(id=ident, message=f"a {kind} with odd {', '.join(odd) or 'fields'}")
        try:
            return msgspec.convert(good, self._kind), problem
        except msgspec.ValidationError:
            return None, problem
