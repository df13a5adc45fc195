"""Decoding of documents: one item at a time, so that an odd one does not spoil a list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import parse_qs, urlsplit

import msgspec

from anabranch.cloud import Response
from anabranch.errors import ProtocolError
from anabranch.paging import ItemProblem
from anabranch_openstack.replies import request_id

__all__ = ["Listing", "Reader", "Wrapped", "listing", "wrapped"]


T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)


class Reader(Generic[W]):
    """Decodes items of one kind."""

    def __init__(self, kind: type[W]) -> None:
        self._kind, self._decoder = kind, msgspec.json.Decoder(kind)

    def read(self, raw: msgspec.Raw, reply: Response) -> W:
        """Decode one item, as far as it can be understood.

        Raises:
            ProtocolError: it cannot at all.
        """
        try:
            wire = self._decoder.decode(raw)
        except msgspec.DecodeError:
            salvaged, problem = self._salvage(raw)
            if salvaged is None:
                raise ProtocolError(problem.message, request_id=request_id(reply)) from None
            wire = salvaged
        return wire

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
