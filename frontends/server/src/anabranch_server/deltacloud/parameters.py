"""The parameters of a request: from its path, its query string and its body, merged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import anyio
import msgspec

from anabranch_server.deltacloud.body import Body
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.multipart import MOST_FIELDS, Upload, read_form
from anabranch_server.problems import Problem

__all__ = ["Parameters", "read_body", "read_parameters", "wrong"]

_MOST: Final = 16 * 1024 * 1024
"""Bytes of a body that holds parameters; blobs are streamed and not bounded."""
_MOST_FORM: Final = 1024 * 1024
"""Bytes of a body that is percent-encoded: to decode 16 MiB of it takes seconds."""
_LONG: Final = 64 * 1024
"""Bytes of such a body that take so long to decode that others should not wait for it."""
_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"
_JSON: Final = "application/json"
_BLOB: Final = "blob_data"
_Scalar: TypeAlias = str | bool | int | float
_Value: TypeAlias = _Scalar | list[_Scalar] | dict[str, _Scalar] | None
_VALUES: Final[msgspec.json.Decoder[_Value]] = msgspec.json.Decoder(_Value)
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,8}").fullmatch
_WHOLE: Final = re.compile(r"-?[0-9]{1,15}").fullmatch


def wrong(name: str, text: str, wanted: str) -> Problem:
    """Return the answer to a parameter whose value cannot be used."""
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return Problem(400, f"parameter {name!r} is {shown!r}: {wanted} is wanted")


class Parameters(Mapping[str, str]):
    """Parameters by name. One that is empty counts as not given, as forms send those.

    The files of a form are not among the items.

    Attributes:
        files: The contents of files that a form brought, as they are.
        upload: The file of a form that is read as it arrives; None: there is none.
    """

    def __init__(
        self,
        *sources: Mapping[str, str],
        files: Mapping[str, bytes] | None = None,
        upload: Upload | None = None,
    ) -> None:
        """Merge several sources; a later one overrides, and a file overrides them all."""
        merged = {name: value for source in sources for name, value in source.items()}
        self._values = {name: value for name, value in merged.items() if value != ""}
        self.files = {name: value for name, value in (files or {}).items() if value}
        self.upload = upload

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"<Parameters: {', '.join(self.given)}>"

    @property
    def given(self) -> tuple[str, ...]:
        """The names of all, files too."""
        return tuple(dict.fromkeys((*self._values, *self.files)))

    def text(self, name: str) -> str:
        """Return a parameter that is given; of a file its text.

        Raises:
            Problem: the file is no text.
        """
        if name not in self.files:
            return self._values[name]
        try:
            return self.files[name].decode()
        except UnicodeDecodeError:
            raise Problem(400, f"parameter {name!r} is a file that is no text in UTF-8") from None

    def extended(self, more: Mapping[str, str]) -> Parameters:
        """Return the same with others, which override these."""
        return Parameters(self._values, more, files=self.files, upload=self.upload)

    def required(self, name: str) -> str:
        """Return a parameter that must be there.

        Raises:
            Problem: it is not.
        """
        if name not in self.given:
            raise Problem(400, f"parameter {name!r} is missing")
        return self.text(name)

    def number(self, name: str) -> int | None:
        """Return a whole number, or None if it is not given.

        Raises:
            Problem: it is no whole number, or has more than 15 digits.
        """
        text = self.get(name)
        if text is None:
            return None
        if not _WHOLE(text):
            raise wrong(name, text, "a whole number")
        return int(text)

    def flag(self, name: str) -> bool:
        """Whether a parameter asks for something, as `true`, `on`, `1` and its own name do."""
        return self.get(name, "false").lower() not in ("false", "off", "no", "0")

    def numbered(self, template: str) -> Mapping[int, str]:
        """Return the names of the parameters of a series, by their numbers and in their order.

        Args:
            template: `firewalls{}`: for `firewalls1`, `firewalls2` and so on. One without a
                number is the first, -1.
        """
        head, _, tail = template.partition("{}")
        found: dict[int, str] = {}
        for name in self.given:
            if name.startswith(head) and name.endswith(tail):
                middle = name[len(head) : len(name) - len(tail)]
                if middle == "" or _NUMBER(middle):
                    found[int(middle or -1)] = name
        return dict(sorted(found.items()))


async def read_parameters(call: Call) -> Parameters:
    """Read the parameters of a request; `_method` among them overrides its method.

    Matrix parameters give way to the query string, and that to the body of a POST: a form, or a
    JSON object. Of a form that is sent to a bucket the blob in it is left to be read.

    Raises:
        Problem: the body is too large, is neither, or breaks off.
    """
    if call.method != "POST":
        return Parameters(call.matrix, call.query)
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        streamed = _BLOB if call.path[:1] == ("buckets",) else None
        form = await read_form(call, streamed=streamed)
        parameters = Parameters(
            call.matrix, call.query, form.fields, files=form.files, upload=form.upload
        )
    else:
        parameters = Parameters(call.matrix, call.query, await _sent(call, kind))
    if method := parameters.get("_method"):
        call.method = method.upper()
    return parameters


async def read_body(call: Call, most: int = _MOST) -> bytes:
    """Read a body of at most so many bytes.

    Raises:
        Problem: it is larger, or breaks off.
    """
    parts: list[bytes] = []
    size = 0
    async for part in Body(call):
        size += len(part)
        if size > most:
            raise Problem(400, f"the body has more than {most} bytes", kind="TooLarge")
        parts.append(part)
    return b"".join(parts)


async def _sent(call: Call, kind: str) -> Mapping[str, str]:
    body = await read_body(call, _MOST if kind == _JSON else _MOST_FORM)
    if not body:
        return {}
    if kind == _JSON:
        return _of_json(body)
    if kind in (_FORM, ""):
        try:
            if len(body) < _LONG:
                return _of_form(body)
            return await anyio.to_thread.run_sync(_of_form, body)
        except UnicodeDecodeError:
            raise Problem(400, "the form is not in UTF-8") from None
        except ValueError as exc:
            raise Problem(400, f"the form is broken: {exc}") from None
    raise Problem(
        415,
        f"a body of type {kind!r} is not understood",
        kind="UnsupportedMediaType",
        remedy=f"Send {_FORM}, {_MULTIPART} or {_JSON}",
    )


def _of_form(body: bytes) -> Mapping[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))


def _of_json(body: bytes) -> Mapping[str, str]:
    try:
        document = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Problem(400, f"the body is no JSON object of parameters: {exc}") from None
    _bound(len(document))
    found: dict[str, str] = {}
    for name, raw in document.items():
        try:
            value = _VALUES.decode(raw)
        except msgspec.ValidationError:
            raise Problem(400, f"parameter {name!r}: a text or a number is wanted") from None
        if isinstance(value, (dict, list)):
            _bound(len(found) + len(value))
        if isinstance(value, dict):  # {"tags": {"role": "web"}}
            found |= _series(name, [f"{key}={_text(one)}" for key, one in value.items()])
        elif isinstance(value, list):
            found |= _series(name, [_text(one) for one in value])
        elif value is not None:
            found[name] = _text(value)
    return found


def _bound(count: int) -> None:
    if count > MOST_FIELDS:
        raise Problem(400, f"the body has more than {MOST_FIELDS} parameters", kind="TooLarge")


def _series(name: str, values: list[str]) -> dict[str, str]:
    return {f"{name}{number}": value for number, value in enumerate(values, 1)}


def _text(value: _Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
