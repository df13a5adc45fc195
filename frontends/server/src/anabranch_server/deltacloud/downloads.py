"""The content of a blob as a reply: streamed, and never ended as complete when it is not."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import quote

import anyio

from anabranch import CloudUnavailable
from anabranch.models import Blob
from anabranch_server.deltacloud.call import Call, Send
from anabranch_server.deltacloud.reply import Reply

__all__ = ["Download", "content_headers"]

_PATIENCE: Final = 300.0
"""Seconds that a client may take for a chunk that the buffers on the way do not hold."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$&+.^_`|~-]+").fullmatch
_UNSENDABLE: Final = re.compile(r"[^ -~]|[\"\\%]")


def content_headers(blob: Blob) -> dict[str, str]:
    """Return the headers of a blob's content: what it is, how long, and to be saved as a file."""
    headers = {
        "Content-Type": _sendable(blob.content_type or "") or "application/octet-stream",
        "Content-Disposition": f"attachment; {_filename(blob.id)}",
        "X-Content-Type-Options": "nosniff",
    }
    if blob.content_length is not None:
        headers["Content-Length"] = str(blob.content_length)
    return headers


class Download(Reply):
    """Sends chunks as they arrive, the next when the client has taken the one before.

    A client that leaves, or takes nothing for 300 seconds, ends the transfer from the cloud. What
    goes wrong on the cloud's side comes out of `send` when the reply has begun.
    """

    __slots__ = ("_stack",)

    def __init__(self, blob: Blob, chunks: AsyncIterator[bytes], stack: AsyncExitStack) -> None:
        """Take what to send.

        Args:
            blob: What it is.
            chunks: The content.
            stack: Is closed when all is sent, or not all will be.
        """
        super().__init__(200, _counted(chunks, blob.content_length), headers=content_headers(blob))
        self._stack = stack

    async def send(self, call: Call, send: Send) -> None:
        """Send it.

        Raises:
            AnabranchError: the content broke off.
            TimeoutError: the client takes nothing more.
        """

        async def patiently(message: Any) -> None:
            with anyio.fail_after(_PATIENCE):
                await send(message)

        async with self._stack:
            await super().send(call, patiently)


async def _counted(chunks: AsyncIterator[bytes], length: int | None) -> AsyncGenerator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        yield chunk
    if length is not None and size != length:
        raise CloudUnavailable(f"{length} bytes were told, {size} came")


def _filename(name: str) -> str:
    """Return the parameter, or the two of them, of RFC 6266; without folders."""
    name = name.rstrip("/").rpartition("/")[2]
    if _TOKEN(name):
        return f"filename={name}"
    plain = _UNSENDABLE.sub("_", name)
    quoted = f'filename="{plain}"'
    return quoted if plain == name else f"{quoted}; filename*=UTF-8''{quote(name, safe='')}"


def _sendable(text: str) -> str:
    return re.sub(r"[^ -~]", "", text)
