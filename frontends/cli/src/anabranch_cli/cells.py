"""Values as the text of one cell."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeGuard

from anabranch_cli.session import harmless

__all__ = ["at", "cell", "datum", "field"]

_TELLING: Final = ("address", "value", "name", "storage_volume_id")


def at(item: Any, path: str) -> Any:
    """Return the field of an item that a dotted path leads to; None if there is none."""
    for step in path.split("."):
        item = _step(item, step)
    return item


def cell(value: Any) -> str:
    """Return a value as people read it in a table: what tells most of it, in one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if _is_mapping(value):
        return _group(value)
    if _is_list(value):
        if any(_is_mapping(member) and not _told_by(member) for member in value):
            return str(len(value))
        return ", ".join(cell(member) for member in value)
    return harmless(" ".join(str(value).split()))


def field(value: Any) -> str:
    """Return a value as people read it where there is room for all of it."""
    if _is_list(value) and any(_is_mapping(member) and not _told_by(member) for member in value):
        return cell(datum(value))
    return cell(value)


def datum(value: Any) -> str:
    """Return a value for a machine to read out of a cell of CSV: nested ones as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False) if value else ""
    return str(value)


def _is_list(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether a value, in its JSON form, is an array."""
    return isinstance(value, (list, tuple))


def _is_mapping(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a value, in its JSON form, is an object."""
    return isinstance(value, Mapping)


def _step(item: Any, step: str) -> Any:
    if _is_list(item):
        return [_step(member, step) for member in item]
    return item.get(step) if _is_mapping(item) else None


def _told_by(group: Mapping[str, Any]) -> str | None:
    return next((key for key in _TELLING if group.get(key) is not None), None)


def _group(group: Mapping[str, Any]) -> str:
    key = _told_by(group)
    if key is None:
        return ", ".join(f"{name}={cell(value)}" for name, value in group.items() if value != "")
    text = cell(group[key])
    if group.get("choices"):
        return f"{text} of {cell(group['choices'])}"
    if group.get("first") is not None:
        return f"{text} ({cell(group['first'])} to {cell(group['last'])})"
    return text
