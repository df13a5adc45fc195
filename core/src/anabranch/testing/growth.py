"""Adds to documents what nobody knows yet, as a later version of a platform may do.

In JSON it is added to records (objects with an `id` or a `name`) and to what holds a list of
them: other objects may be maps whose keys are the users' own. In XML every element that holds
elements gets one more, and every element with attributes another attribute.
"""

from __future__ import annotations

import json
from typing import Any, Final, cast
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
    _grow(document)
    return json.dumps(document).encode()


def grown_xml(body: bytes) -> bytes:
    """Return an XML document with elements and attributes that nobody knows."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - a simulator's own reply
    except ElementTree.ParseError:
        return body
    for element in list(root.iter()):
        if element.attrib:
            element.set(UNKNOWN, "later")
        if len(element):
            ElementTree.SubElement(element, UNKNOWN.upper()).text = "later"
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _grow(value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _grow(item)
    elif isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        for member in members.values():
            _grow(member)
        if _is_record(members) or any(_holds_records(member) for member in members.values()):
            members[UNKNOWN] = {"since": "later", "values": [None, 1, "x"]}


def _is_record(value: Any) -> bool:
    return isinstance(value, dict) and any(name in value for name in _IDENTIFYING)


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and any(_is_record(v) for v in value)
