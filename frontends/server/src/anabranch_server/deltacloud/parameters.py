"""The parameters of a request: from its path, its query string and its body, merged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import msgspec

from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.problems import Problem

__all__ = ["Parameters", "read_body", "read_parameters"]

_MOST: Final = 16 * 1024 * 1024
"""Bytes of a body that holds parameters; blobs are streamed and not bounded."""
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"


class Parameters(Mapping[str, str]):
    """Parameters by name. One that is empty counts as not given, as forms send those."""

    def __init__(self, *sources: Mapping[str, str]) -> None:
        """Merge several sources; a later one overrides."""
        merged = {name: value for source in sources for name, value in source.items()}
        self._values = {name: value for name, value in merged.items() if value != ""}

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Parameters: {', '.join(self._values)}>"

    def required(self, name: str) -> str:
        """Return a parameter that must be there.

        Raises:
            Problem: it is not.
        """
        if name not in self._values:
            raise Problem(400, f"parameter {name!r} is missing")
        return self._values[name]

    def number(self, name: str) -> int | None:
        """Return a whole number, or None if it is not given.

        Raises:
            Problem: it is no whole number.
        """
        text = self._values.get(name)
        if text is None:
            return None
        try:
            return int(text)
        except ValueError:
            raise Problem(
                400, f"parameter {name!r} is {text!r}: a whole number is wanted"
            ) from None

    def flag(self, name: str) -> bool:
        """Whether a parameter asks for something: `true`, `on`, `1`, its own name …"""
        return self._values.get(name, "false").lower() not in ("false", "off", "no", "0")

    def numbered(self, name: str) -> tuple[str, ...]:
        """Return the values of `name1`, `name2`, … (and of `name`), in the order of the numbers."""
        found = [
            (int(key.removeprefix(name) or 0), value)
            for key, value in self._values.items()
            if key == name or (key.startswith(name) and key.removeprefix(name).isdecimal())
        ]
        return tuple(value for _, value in sorted(found))


async def read_parameters(call: Call) -> Parameters:
    """Read the parameters of a request; `_method` among them overrides its method.

    Matrix parameters give way to the query string, and that to the body: a form, or a JSON object.

    Raises:
        Problem: the body is too large, or is neither.
    """
    sent: Mapping[str, str] = {}
    if call.method in ("POST", "PUT"):
        sent = await _sent(call)
    parameters = Parameters(call.matrix, call.query, sent)
    if call.method == "POST" and (method := parameters.get("_method")):
        call.method = method.upper()
    return parameters


async def read_body(call: Call, most: int = _MOST) -> bytes:
    """Read a body of at most so many bytes.

    Raises:
        Problem: it is larger.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await call.receive()
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise Problem(413, f"the body has more than {most} bytes", kind="TooLarge")
        parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts)


async def _sent(call: Call) -> Mapping[str, str]:
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await read_body(call)
    if not body:
        return {}
    if kind == _JSON:
        return _of_json(body)
    if kind in (_FORM, ""):
        try:
            return dict(parse_qsl(body.decode(), keep_blank_values=True))
        except UnicodeDecodeError:
            raise Problem(400, "the form is not in UTF-8") from None
    raise Problem(
        415,
        f"a body of type {kind!r} is not understood",
        kind="UnsupportedMediaType",
        remedy=f"Send {_FORM}, multipart/form-data or {_JSON}",
    )


def _of_json(body: bytes) -> Mapping[str, str]:
    try:
        document: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise Problem(400, f"the body is no JSON: {exc}") from None
    if not isinstance(document, dict):
        raise Problem(400, "the body is no JSON object of parameters")
    found: dict[str, str] = {}
    for name, value in cast("dict[str, Any]", document).items():
        if isinstance(value, list):
            items = cast("list[Any]", value)
            found.update({f"{name}{n}": _text(name, item) for n, item in enumerate(items, 1)})
        elif value is not None:
            found[name] = _text(name, value)
    return found


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Problem(400, f"parameter {name!r}: a text or a number is wanted")
