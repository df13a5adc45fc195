"""Templates: the attributes that users write, in oned's own syntax or as XML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from operator import itemgetter

from lxml import etree
from lxml.etree import _Element  # pyright: ignore[reportPrivateUsage] - its only name

from anabranch_opennebula.simulator.documents import cdata
from anabranch_opennebula.simulator.refusals import Code, Refusal

__all__ = ["Template", "Value", "Vector"]

Vector = dict[str, str]
"""The value of an attribute that has parts, `NIC=[NETWORK_ID="1"]`."""
Value = str | Vector
"""The value of an attribute."""

_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*")
_REST = re.compile(r"\s*(?:#[^\n]*\s*)*")
_QUOTED = re.compile(r'"((?:\\"|[^"])*)"')
_PART = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*=\s*")
_BARE = re.compile(r"[^\"\[\]\n]*")
_BARE_PART = re.compile(r"[^\",\]\n]*")
_AFTER_PART = re.compile(r"\s*([,\]])")
_first = itemgetter(0)


class Template:
    """Attributes in order; a name may occur more than once, as DISK and NIC do.

    Args:
        entries: Names, in upper case, and values.
    """

    def __init__(self, entries: Iterable[tuple[str, Value]] = ()) -> None:
        self._entries = list(entries)

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read `K="v"` lines or an XML document; names become upper case.

        Raises:
            Refusal: The text is neither.
        """
        if text.lstrip().startswith("<"):
            return cls(_read_xml(text))
        return cls(_read_text(text))

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        """Names and values in the order in which they were written."""
        return iter(self._entries)

    def __contains__(self, name: str) -> bool:
        """Whether there is an attribute of that name."""
        return any(key == name for key, _ in self._entries)

    def text(self, name: str) -> str:
        """The value of an attribute without parts; empty when there is none."""
        return next(
            (value for key, value in self._entries if key == name and isinstance(value, str)), ""
        )

    def vectors(self, name: str) -> list[Vector]:
        """The values of all attributes of that name that have parts."""
        return [value for key, value in self._entries if key == name and isinstance(value, dict)]

    def vector(self, name: str) -> Vector | None:
        """The parts of the first attribute of that name."""
        return next(iter(self.vectors(name)), None)

    def add(self, name: str, value: Value) -> None:
        """Append an attribute."""
        self._entries.append((name, value))

    def put(self, name: str, value: Value) -> None:
        """Write an attribute in the place of all of that name."""
        self.remove(name)
        self.add(name, value)

    def remove(self, *names: str) -> None:
        """Take all attributes of these names away."""
        self._entries = [entry for entry in self._entries if entry[0] not in names]

    def drop(self, name: str, vector: Vector) -> None:
        """Take one attribute with parts away, by identity."""
        self._entries = [e for e in self._entries if e[0] != name or e[1] is not vector]

    def copy(self) -> Template:
        """A copy that shares nothing."""
        return Template((k, dict(v) if isinstance(v, dict) else v) for k, v in self._entries)

    def merge(self, other: Template) -> None:
        """Lay another template over this one: each of its names replaces all of that name."""
        self.remove(*(name for name, _ in other))
        self._entries += other.copy()

    def xml(self, tag: str = "TEMPLATE") -> str:
        """The document: names and parts in alphabetical order, values in CDATA."""
        if not self._entries:
            return f"<{tag}/>"
        inner = "".join(_element(k, v) for k, v in sorted(self._entries, key=_first))
        return f"<{tag}>{inner}</{tag}>"


def _element(name: str, value: Value) -> str:
    if isinstance(value, str):
        return f"<{name}>{cdata(value)}</{name}>"
    inner = "".join(f"<{k}>{cdata(v)}</{k}>" for k, v in sorted(value.items()))
    return f"<{name}>{inner}</{name}>"


def _read_xml(text: str) -> Iterator[tuple[str, Value]]:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.strip().encode(), parser)
    except etree.XMLSyntaxError as error:
        raise Refusal(Code.INTERNAL, f"Parse error: {error.msg}") from error
    for element in root:
        if len(element):
            yield _name(element), {_name(part): (part.text or "").strip() for part in element}
        else:
            yield _name(element), (element.text or "").strip()


def _name(element: _Element) -> str:
    name = str(element.tag)
    if not _NAME.match(name + "="):
        raise Refusal(Code.INTERNAL, f"Parse error: {name} is no name of an attribute")
    return name.upper()


def _read_text(text: str) -> Iterator[tuple[str, Value]]:
    position = _skip(_REST, text, 0)
    while position < len(text):
        match = _NAME.match(text, position)
        if match is None:
            raise _syntax_error(text, position)
        name, position = match[1].upper(), match.end()
        value: Value
        if text.startswith("[", position):
            value, position = _read_vector(text, position + 1)
        else:
            value, position = _read_value(text, position, _BARE)
        yield name, value
        position = _skip(_REST, text, position)


def _read_vector(text: str, position: int) -> tuple[Vector, int]:
    parts: Vector = {}
    while True:
        match = _PART.match(text, position)
        if match is None:
            raise _syntax_error(text, position)
        parts[match[1].upper()], position = _read_value(text, match.end(), _BARE_PART)
        after = _AFTER_PART.match(text, position)
        if after is None:
            raise _syntax_error(text, position)
        position = after.end()
        if after[1] == "]":
            return parts, position


def _read_value(text: str, position: int, bare: re.Pattern[str]) -> tuple[str, int]:
    if text.startswith('"', position):
        match = _QUOTED.match(text, position)
        if match is None:
            raise _syntax_error(text, position)
        return match[1].replace('\\"', '"'), match.end()
    match = bare.match(text, position)
    end = match.end() if match else position
    return text[position:end].strip(), end


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _syntax_error(text: str, position: int) -> Refusal:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return Refusal(
        Code.INTERNAL, f"Parse error: syntax error, unexpected text at line {line}, column {column}"
    )
