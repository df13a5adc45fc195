"""The content of a blob as a reply: streamed, and never ended as complete when it is not."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any, Final
from urllib.parse import quote

from anabranch import CloudUnavailable, QualifiedId
from anabranch.models import Blob, BlobContent
from anabranch_server.deltacloud.reply import Reply

__all__ = ["content_headers", "download"]

_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$&+.^_`|~-]+").fullmatch
_POLICY: Final = "default-src 'none'; sandbox"
"""Whatever a program shows it as: what is in a bucket is no page of this server."""
_UNSENDABLE: Final = re.compile(r"[^ -~]|[\"\\%]")


def content_headers(blob: Blob) -> dict[str, str]:
    """Return the headers of a blob's content: what it is, how long, and to be saved as a file."""
    headers = {
        "Content-Type": _sendable(blob.content_type or "") or "application/octet-stream",
        "Content-Disposition": f"attachment; {_filename(blob.id)}",
        "Content-Security-Policy": _POLICY,
    }
    if blob.content_length is not None:
        headers["Content-Length"] = str(blob.content_length)
    return headers


async def download(blobs: Any, where: QualifiedId) -> Reply:
    """Return a reply that sends a blob's content while it arrives.

    The transfer ends with the reply, be it that the client leaves. Where the content breaks off,
    so does the reply.

    Args:
        blobs: The collection of the broker.
        where: The blob.

    Raises:
        NotFound: no such bucket or blob.
    """
    async with AsyncExitStack() as stack:
        content = await stack.enter_async_context(blobs.open(where))
        chunks = _chunks(content, stack.pop_all())
        await anext(chunks)
        return Reply(200, chunks, headers=content_headers(content.blob))
    raise AssertionError  # nothing in the stack swallows an exception


async def _chunks(content: BlobContent, stack: AsyncExitStack) -> AsyncGenerator[bytes]:
    size, length = 0, content.blob.content_length
    async with stack:
        yield b""  # begun, it ends the transfer even if nobody iterates
        async for chunk in content:
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
