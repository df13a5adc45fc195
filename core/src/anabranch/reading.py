"""Decoding of JSON documents: one item at a time, so that an odd one does not spoil a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import msgspec

from anabranch.errors import ProtocolError
from anabranch.paging import ItemProblem

__all__ = ["Reader"]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)


class Reader(Generic[W]):
    """Decodes items of one kind, each into a Struct with the fields that a driver uses.

    What is not of the type that its field has is left out, so that the rest can be shown, and told
    as a problem of that item; a field that the Struct has not is no problem.
    """

    def __init__(self, kind: type[W]) -> None:
        """Take the Struct; fields that a platform may leave out have defaults in it."""
        self._kind, self._decoder = kind, msgspec.json.Decoder(kind)

    def read(self, raw: msgspec.Raw | bytes, request_id: str | None = None) -> W:
        """Decode one item, as far as it can be understood.

        Args:
            raw: Its JSON.
            request_id: The platform's id of the request, for the error.

        Raises:
            ProtocolError: it cannot at all.
        """
        try:
            return self._decoder.decode(raw)
        except msgspec.DecodeError:
            salvaged, problem = self._salvage(raw)
            if salvaged is None:
                raise ProtocolError(problem.message, request_id=request_id) from None
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

    def _salvage(self, raw: msgspec.Raw | bytes) -> tuple[W | None, ItemProblem]:
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
