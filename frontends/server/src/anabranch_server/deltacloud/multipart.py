"""Reading `multipart/form-data`: fields as text, and one file while it arrives."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, cast

import anyio
from multipart import (  # type: ignore[import-untyped]
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,  # pyright: ignore[reportUnknownVariableType]
)

from anabranch_server.deltacloud.body import Body
from anabranch_server.deltacloud.call import Call
from anabranch_server.problems import Problem

__all__ = ["Form", "Upload", "read_form"]

_MOST: Final = 16 * 1024 * 1024
"""Bytes of a form beside what is streamed."""
MOST_FIELDS: Final = 1000
"""Parameters that a body may have."""
_MOST_SPOOLED: Final = 4 * 1024**3
"""Bytes of a file that has to wait in a temporary file until the form is read to its end."""
_IN_MEMORY: Final = 1024 * 1024
_CHUNK: Final = 64 * 1024


class Form(NamedTuple):
    """A form, as far as it was read.

    Attributes:
        fields: The text fields.
        upload: The part that is to be streamed, or None.
        files: The content of the other files, by the names of their fields.
    """

    fields: dict[str, str]
    upload: Upload | None
    files: dict[str, bytes]


async def read_form(call: Call, *, streamed: str | None = None) -> Form:
    """Read a form as far as the part that is to be streamed, or to its end.

    Args:
        call: A request whose `Content-Type` is `multipart/form-data`.
        streamed: Name of the part that is not read yet, nor what comes after it; None: there is
            no such part.

    Raises:
        Problem: the form is broken, or has more than 16 MiB beside what is streamed; the client
            left or is too slow.
    """
    reader = _Reader(call)
    segment = await reader.read(streamed)
    upload = None if segment is None else Upload(reader, segment)
    return Form(reader.fields, upload, reader.files)


class Upload:
    """A part of a form that is read once: as it arrives, or, kept, after all that follows it.

    Once its content is read to the end, `fields` has all that there are.
    An async context manager, which throws away what was kept.

    Attributes:
        fields: The fields of its form, as far as it was read.
        content_type: Its MIME type, as the client says; None: it does not.
    """

    def __init__(self, reader: _Reader, segment: MultipartSegment) -> None:
        self._reader, self.fields = reader, reader.fields
        self._kept: anyio.SpooledTemporaryFile[bytes] | None = None
        self.content_type: str | None = segment.content_type or None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._kept is not None:
            with anyio.CancelScope(shield=True):
                await self._kept.aclose()

    async def keep(self) -> None:
        """Put the content aside, in a temporary file if it is large, and read what follows.

        Raises:
            Problem: as `read_form`; the file has more than 4 GiB.
        """
        kept = self._kept = anyio.SpooledTemporaryFile(max_size=_IN_MEMORY)
        size = 0
        async with aclosing(self._arriving()) as arriving:
            async for chunk in arriving:
                size += len(chunk)
                if size > _MOST_SPOOLED:
                    raise Problem(
                        400,
                        f"a file before the fields that say what to do with it may have "
                        f"{_MOST_SPOOLED} bytes",
                        kind="TooLarge",
                        remedy="Send the fields first",
                    )
                await kept.write(chunk)
        await kept.seek(0)

    def content(self) -> AsyncGenerator[bytes]:
        """Return the content, in chunks; before its end all that follows it has been read."""
        return self._arriving() if self._kept is None else _read(self._kept)

    async def _arriving(self) -> AsyncGenerator[bytes]:
        while (event := await anext(self._reader)) is not None:
            yield event
        await self._reader.read(None)


async def _read(file: anyio.SpooledTemporaryFile[bytes]) -> AsyncGenerator[bytes]:
    while chunk := await file.read(_CHUNK):
        yield chunk


class _Reader(AsyncIterator[Any]):
    """The events of the parser while the body arrives: a segment, bytes of it, None at its end."""

    def __init__(self, call: Call) -> None:
        read = cast("Any", parse_options_header)
        boundary: str = read(call.headers.get("content-type", ""))[1].get("boundary", "")
        try:
            self._parser = PushMultipartParser(boundary, max_segment_count=MOST_FIELDS)
        except MultipartError as exc:
            raise Problem(400, f"Content-Type: {exc}") from None
        self.fields, self.files = dict[str, str](), dict[str, bytes]()
        self._body, self._size = Body(call), 0
        self._events: Iterator[Any] = iter(())

    async def __anext__(self) -> Any:
        try:
            while True:
                for event in self._events:
                    return event
                piece = await anext(self._body, b"")
                if not piece:
                    self._parser.close()
                    raise StopAsyncIteration
                self._events = self._parser.parse(piece)
        except MultipartError as exc:
            raise Problem(400, f"the form is broken: {exc}") from None

    async def read(self, streamed: str | None) -> MultipartSegment | None:
        """Read the parts that come next; return the one where it stopped, or None at the end."""
        segment: MultipartSegment
        async for segment in self:
            name = segment.name or ""
            if name == streamed:
                return segment
            value = bytearray()
            while (event := await anext(self)) is not None:
                self._size += len(event)
                if self._size > _MOST:
                    raise Problem(400, f"the form has more than {_MOST} bytes", kind="TooLarge")
                value += event
            if segment.filename:
                self.files[name] = bytes(value)
                continue
            try:
                self.fields[name] = value.decode()
            except UnicodeDecodeError:
                raise Problem(400, f"parameter {name!r} is no text in UTF-8") from None
        return None
