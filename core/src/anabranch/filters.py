"""The filter language: `state=RUNNING,name~^web,hardware.cpu>=2`.

Terms are separated by commas and must all hold; a value with a comma in it stands in double
quotes. The operators:

    =   !=              equal, not equal; the case of states and other enumerations is ignored
    ~   !~              matches a regular expression anywhere, does not
    <   <=   >   >=     numbers and times by their size, text by the alphabet

A dotted path leads inside (`hardware.cpu`, `tags.role`). Of a list, any member may satisfy the
term; the negated operators want that none does. `field=` without a value holds where nothing is
told.
"""

from __future__ import annotations

import operator
import re
import types
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from anabranch.errors import ConfigurationError
from anabranch.models import Extra
from anabranch.settings import suggestion

__all__ = ["Filter", "parse_filter"]

_TERM: Final = re.compile(
    r"""\s*(?P<path>[A-Za-z_][\w.:/-]*?)\s*
        (?P<op>!=|!~|>=|<=|=|~|<|>)\s*
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^,]*?))\s*(?:,|$)""",
    re.VERBOSE,
)
_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TRUE: Final = {"true": True, "yes": True, "false": False, "no": False}

Test = Callable[[Any], bool]


class Filter(NamedTuple):
    """A filter, ready to be given to a listing: `list(where=f.where, keep=f.keep)`.

    Attributes:
        where: The terms that a cloud may be able to filter by itself.
        keep: Whether an item satisfies the other terms.
    """

    where: Mapping[str, str]
    keep: Callable[[Any], bool]


def parse_filter(text: str, model: type[msgspec.Struct]) -> Filter:
    """Read a filter for items of a model.

    Args:
        text: The filter; empty: everything passes.
        model: What is filtered: `Instance`, …

    Raises:
        ConfigurationError: it cannot be read, or names a field that there is not; the remedy
            proposes the nearest one.
    """
    where: dict[str, str] = {}
    tests: list[Test] = []
    position = 0
    while position < len(text):
        term = _TERM.match(text, position)
        if term is None:
            rest = text[position:].strip()
            raise _wrong(
                f"cannot read {rest!r}",
                "Write FIELD OPERATOR VALUE, with one of = != ~ !~ < <= > >=, and commas between",
            )
        position = term.end()
        path, sign = term["path"], term["op"]
        value = term["bare"] if term["quoted"] is None else term["quoted"]
        kinds = _kinds_at(model, path)
        if (
            sign == "="
            and value
            and path not in where
            and (pushed := _plain(model, path, kinds, value))
        ):
            where[path] = pushed
        else:
            tests.append(_test(path, sign, value, kinds))

    def keep(item: Any) -> bool:
        return all(test(item) for test in tests)

    return Filter(where, keep)


def _wrong(message: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(message, field="filter", remedy=remedy)


def _kinds_at(model: type[msgspec.Struct], path: str) -> set[Any]:
    """Return the types that a path may lead to; `Any` where only the items know."""
    kinds: set[Any] = {model}
    walked: list[str] = []
    for step in path.split("."):
        if any(kind is Any or _is(kind, Mapping) for kind in kinds):
            return {Any}
        structs = [kind for kind in kinds if _is(kind, msgspec.Struct)]
        hints = {name: hint for kind in structs for name, hint in get_type_hints(kind).items()}
        if step not in hints:
            where = ".".join(walked)
            if not structs:
                raise _wrong(f"{where!r} has no fields, and no {step!r}", f"Compare {where!r}")
            raise _wrong(f"there is no field {path!r}", suggestion(step, hints))
        walked.append(step)
        kinds = _members(hints[step])
    if any(_is(kind, Mapping) for kind in kinds):
        raise _wrong(f"{path!r} has several fields", f"Choose one: {path}.NAME")
    groups = [kind for kind in kinds if _is(kind, msgspec.Struct)]
    for group in groups:
        fields = get_type_hints(group)
        if "value" not in fields:
            raise _wrong(
                f"{path!r} has several fields", "Choose one: " + _listed(path, list(fields))
            )
        kinds |= _members(fields["value"])
    return kinds - set(groups)


def _is(kind: Any, of: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)


def _listed(path: str, fields: Collection[str]) -> str:
    return ", ".join(f"{path}.{field}" for field in fields)


def _members(hint: Any) -> set[Any]:
    """Return the types that a type hint allows; those of a list's members for a list."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return {kind for arg in get_args(hint) for kind in _members(arg)} - {type(None)}
    if origin is tuple:
        return _members(get_args(hint)[0])
    return {origin or hint}


def _plain(model: type[msgspec.Struct], path: str, kinds: set[Any], value: str) -> str | None:
    """Return the exact text that a field's value must have, where that says it all."""
    if len(kinds) != 1 or "." in path or get_origin(get_type_hints(model)[path]) is tuple:
        return None
    (kind,) = kinds
    if _is(kind, Enum):
        return _member(kind, value, path)
    return value if kind is str else None


def _member(kind: type[Enum], value: str, path: str) -> str:
    words = {str(member.value).casefold(): str(member.value) for member in kind}
    if value.casefold() not in words:
        raise _wrong(f"{path!r} is never {value!r}", suggestion(value.upper(), words.values()))
    return words[value.casefold()]


def _test(path: str, sign: str, value: str, kinds: set[Any]) -> Test:
    steps = path.split(".")
    negated = sign.startswith("!")
    compare = _comparison(path, sign.lstrip("!"), value, kinds)

    def test(item: Any) -> bool:
        return any(map(compare, _values(item, steps))) is not negated

    return test


def _comparison(path: str, sign: str, value: str, kinds: set[Any]) -> Test:
    if sign == "~":
        try:
            pattern = re.compile(value)
        except re.error as exc:
            raise _wrong(f"{value!r} is no regular expression: {exc}", "Correct it") from None
        return lambda found: found is not None and pattern.search(_text(found)) is not None
    value = _checked(path, value, kinds) if value else value
    if sign == "=":
        return lambda found: _equal(found, value)
    if all(kind is bool or _is(kind, Enum) for kind in kinds):
        raise _wrong(f"{path!r} is neither more nor less than anything", "Use = or !=")
    order = _ORDER[sign]
    return lambda found: _ordered(order, found, value)


def _checked(path: str, value: str, kinds: set[Any]) -> str:
    """Return the value to compare a field of these types with, as the field would spell it."""
    if all(_is(kind, Enum) for kind in kinds):
        return _member(next(iter(kinds)), value, path)
    if kinds == {bool} and value.casefold() not in _TRUE:
        raise _wrong(f"{value!r} is neither true nor false", "Write one of these")
    if kinds == {datetime} and _time(value) is None:
        raise _wrong(f"{value!r} is no time", "Write it like 2026-11-30 or 2026-11-30T12:00:00Z")
    if kinds <= {int, float} and _number(value) is None:
        raise _wrong(f"{value!r} is no number", f"Compare {path!r} with a number")
    return value


def _values(item: Any, steps: list[str]) -> list[Any]:
    """Return what a path leads to, None where it ends early; several where lists are on it."""
    found = [item]
    for step in steps:
        found = [
            inner.get(step) if isinstance(inner, Mapping) else getattr(inner, step, None)
            for outer in found
            for inner in (outer if isinstance(outer, (list, tuple)) else (outer,))
        ]
    flat = [v for outer in found for v in (outer if isinstance(outer, (list, tuple)) else (outer,))]
    return [getattr(v, "value", v) if isinstance(v, msgspec.Struct) else v for v in flat or [None]]


def _equal(found: Any, value: str) -> bool:
    if found is None or found == "":
        return not value
    if isinstance(found, bool):
        return _TRUE.get(value.casefold()) is found
    if isinstance(found, (int, float)):
        return _number(value) == found
    if isinstance(found, datetime):
        return _time(value) == found
    return _text(found) == value


def _ordered(order: Callable[[Any, Any], bool], found: Any, value: str) -> bool:
    if found is None or isinstance(found, (bool, Extra)):
        return False
    if isinstance(found, datetime):
        moment = _time(value)
        return moment is not None and order(found, moment)
    numbers = _number(found), _number(value)
    if None not in numbers:
        return order(*numbers)
    return isinstance(found, str) and order(found, value)


def _text(found: Any) -> str:
    if isinstance(found, datetime):
        return found.isoformat()
    return str(found).lower() if isinstance(found, bool) else str(found)


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
