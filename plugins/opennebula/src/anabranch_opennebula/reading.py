"""Reading of documents: their values, and the platform's own fields of a thing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

from lxml import etree

from anabranch.models import Extra
from anabranch.paging import ItemProblem
from anabranch_opennebula.xml import Element, parsed

__all__ = [
    "Converted",
    "Thing",
    "Unreadable",
    "convert_all",
    "extra_of",
    "flag",
    "integer",
    "number",
    "things",
    "when",
]

T = TypeVar("T")

_DIGITS: Final = 19
_INTEGER: Final = re.compile(r"[+-]?\d{1,18}")
_NUMBER: Final = re.compile(r"[+-]?(\d{1,18}(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?")
_LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""


class Unreadable(ValueError):
    """A thing lacks what it cannot be shown without."""


class Thing(NamedTuple):
    """An element of a document, and its bytes where they are at hand."""

    element: Element
    source: bytes | None

    @property
    def id(self) -> str:
        """Its id.

        Raises:
            Unreadable: it has none.
        """
        return self.identified(self.element.findtext("ID"))

    def identified(self, text: str | None) -> str:
        """Return its id, which was read already.

        Raises:
            Unreadable: it is none.
        """
        found = (text or "").strip()
        if not found.isdigit():
            raise Unreadable(f"a {self.element.tag!s} without an id")
        return found


class Converted(NamedTuple):
    """What became of the elements of a document."""

    items: Sequence[Any]
    problems: Sequence[ItemProblem]


def things(root: Element, content: bytes, tag: str) -> list[Thing]:
    """Return the elements of a pool.

    Their bytes are cut out of the document where it is written as oned writes it. Otherwise,
    when a text happens to hold what looks like the beginning of an element, they are made anew.
    """
    elements = list(root.iterchildren(tag))
    starts = [m.start() for m in re.finditer(b"<%b><ID>" % tag.encode(), content)]
    if not starts or len(starts) != len(elements):
        return [Thing(element, None) for element in elements]
    ends = [*starts[1:], content.rfind(b"</")]
    return [
        Thing(element, content[start:end])
        for element, start, end in zip(elements, starts, ends, strict=True)
    ]


def convert_all(found: Iterable[Thing], convert: Callable[[Thing], Iterable[T]]) -> Converted:
    """Convert elements, and tell of those that cannot be."""
    items: list[T] = []
    problems: list[ItemProblem] = []
    for thing in found:
        try:
            items.extend(convert(thing))
        except Unreadable as exc:
            problems.append(ItemProblem(id=thing.element.findtext("ID") or "", message=str(exc)))
    return Converted(items, problems)


def extra_of(thing: Thing, without: frozenset[str]) -> Extra:
    """Keep the platform's own fields of a thing, to be read when somebody looks.

    Args:
        thing: The thing.
        without: Names of fields that the model has already.
    """
    source = thing.source
    if source is None:
        source = etree.tostring(thing.element, with_tail=False)
    return Extra(partial(_fields_in, source), without)


def _fields_in(source: bytes) -> Mapping[str, Any]:
    found = _fields(parsed(source))
    return found if isinstance(found, dict) else {}


def _fields(element: Element) -> dict[str, Any] | str:
    """Nest names and values; a name that repeats has a list."""
    if not len(element):
        return element.text or ""
    found: dict[str, Any] = {}
    for child in element:
        name, value = str(child.tag), _fields(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def integer(text: str | None) -> int | None:
    """Read a whole number; None: there is none."""
    if text and len(text) < _DIGITS and text.isdigit() and text.isascii():
        return int(text)
    text = (text or "").strip()
    return int(text) if _INTEGER.fullmatch(text) else None


def number(text: str | None) -> float | int | None:
    """Read a number, as an int if it is whole; None: there is none."""
    text = (text or "").strip()
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return int(value) if value.is_integer() else value


def flag(text: str | None) -> bool:
    """Read a yes or no, in any of oned's spellings."""
    return (text or "").strip().upper() in ("1", "YES", "TRUE")


def when(text: str | None) -> datetime | None:
    """Read seconds since 1970; 0, which stands for never, is None."""
    seconds = integer(text)
    if seconds is None or not 0 < seconds <= _LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC)
