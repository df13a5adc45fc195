"""What goes over the wire: replies, refusals, and the two renderings JSON and XML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast
from xml.sax.saxutils import escape

import msgspec

__all__ = [
    "INVALID",
    "Document",
    "Refusal",
    "Reply",
    "error_reply",
    "invalid",
    "reply",
    "stamp",
]

Document = dict[str, Any]
"""One object of a reply, ready to be rendered."""

INVALID = 431
"""Parameter error: also "not found", "wrong state" and "duplicate name"."""

_JSON = "application/json;charset=utf-8"
_XML = "text/xml;charset=utf-8"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Reply(msgspec.Struct, frozen=True):
    """One HTTP reply."""

    status: int
    body: bytes
    content_type: str = _JSON


class Refusal(Exception):
    """The command is refused, or its job fails.

    Args:
        code: The error code, which is also the HTTP status.
        text: The error text.
        cserror: Names the exception of the server (4350 a wrong value, 4250 a failure, 4280 a
            limit, 4360 a rule conflict, 9999 unclassified); `None` leaves the key out, as a 401
            does.
    """

    def __init__(self, code: int, text: str, cserror: int | None = 9999) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.cserror = cserror


def invalid(text: str) -> Refusal:
    """The refusal of a value that the command itself has looked at."""
    return Refusal(INVALID, text, 4350)


def stamp(moment: float) -> str:
    """A time as CloudStack writes it, without a colon in the offset: `2026-11-22T14:43:19+0000`."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def reply(key: str, document: Document, *, json: bool, version: str) -> Reply:
    """The reply of a command that succeeded, under its one top-level key."""
    return _render(200, key, document, json=json, version=version)


def error_reply(key: str, refusal: Refusal, *, json: bool, version: str) -> Reply:
    """The reply of a command that was refused, under its one top-level key."""
    document: Document = {"uuidList": [], "errorcode": refusal.code}
    if refusal.cserror is not None:
        document["cserrorcode"] = refusal.cserror
    document["errortext"] = refusal.text
    return _render(refusal.code, key, document, json=json, version=version)


def _render(status: int, key: str, document: Document, *, json: bool, version: str) -> Reply:
    body = msgspec.json.encode({key: document})
    if json:
        return Reply(status, body)
    plain = msgspec.json.decode(body)[key]  # rows that were rendered before are now objects again
    root = f'<{key} cloud-stack-version="{escape(version)}">{_xml(plain)}</{key}>'
    text = f'<?xml version="1.0" encoding="UTF-8"?>{root}'
    return Reply(status, text.encode(), _XML)


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        items = cast("Document", value).items()
        return "".join(_element(name, item) for name, item in items)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(_NOT_IN_XML.sub("", str(value)))


def _element(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(_element(name, item) for item in cast("Sequence[Any]", value))
    return f"<{name}>{_xml(value)}</{name}>"
