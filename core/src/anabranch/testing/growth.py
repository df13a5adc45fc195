"""Adds to documents what nobody knows yet, as a later version of a platform may do.

In JSON it is added to records (objects with an `id` or a `name`) and to what holds a list of
them: other objects may be maps whose keys are the users' own. In XML every element that holds
elements gets one more, and every element with attributes another attribute.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final, TypeGuard, cast
from xml.etree import ElementTree

__all__ = ["UNKNOWN", "grown", "grown_json", "grown_xml"]

UNKNOWN: Final = "x_later"
"""Name of what is added."""

_IDENTIFYING: Final = ("id", "uuid", "name")


def grown(body: bytes, content_type: str) -> bytes:
    """Return a body with unknown fields; one that is neither JSON nor XML as it is."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("json") or kind == "text/javascript":
        return grown_json(body)
    return grown_xml(body) if kind.endswith("xml") else body


def grown_json(body: bytes) -> bytes:
    """Return a JSON document with members that nobody knows; what is none as it is."""
    try:
        document = json.loads(body)
    except ValueError:
        return body
    return json.dumps(document).encode() if _grow(document) else body


def grown_xml(body: bytes, *, leave: Collection[str] = ()) -> bytes:
    """Return an XML document with elements and attributes that nobody knows.

    Args:
        body: The document; what is none comes back as it is.
        leave: Elements whose contents are the users' own, and stay as they are.
    """
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - a simulator's own reply
    except ElementTree.ParseError:
        return body
    _grow_element(root, leave)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _grow_element(element: ElementTree.Element, leave: Collection[str]) -> None:
    if element.tag in leave:
        return
    for child in element:
        _grow_element(child, leave)
    if element.attrib:
        element.set(UNKNOWN, "later")
    if len(element):
        ElementTree.SubElement(element, UNKNOWN.upper()).text = "later"


def _grow(value: Any) -> bool:
    """Add to what is below, and say whether anything was added."""
    if _is_list(value):
        return sum(map(_grow, value)) > 0
    if not isinstance(value, dict):
        return False
    members = cast("dict[str, Any]", value)
    grew = sum(map(_grow, members.values())) > 0
    if _is_record(members) or any(_holds_records(member) for member in members.values()):
        members[UNKNOWN] = {"since": "later", "values": [None, 1, "x"]}
        grew = True
    return grew


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and any(name in value for name in _IDENTIFYING)


def _holds_records(value: Any) -> bool:
    return _is_list(value) and any(map(_is_record, value))


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
