"""A reply: status, headers and body, with the headers that every reply carries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from email.utils import formatdate
from typing import Final

import xxhash

from anabranch_server.deltacloud.call import Call, Send
from anabranch_server.deltacloud.negotiation import Format

__all__ = ["VERSION", "Reply"]

VERSION: Final = "1.1.3"
"""The version of Deltacloud whose API this is; its clients compare it with the one they know."""
_SERVER: Final = b"Apache-Deltacloud/" + VERSION.encode()
_CACHED: Final = b"max-age=0, private, must-revalidate"
_TAGGED: Final = (200, 201)


class Reply:
    """What is sent back.

    Attributes:
        status: HTTP status.
        headers: Headers beyond those that every reply has, by name.
        body: All of it, or an iterator of its parts.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        status: int = 200,
        body: bytes | AsyncIterator[bytes] = b"",
        kind: Format | str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make a reply.

        Args:
            status: HTTP status.
            body: The body.
            kind: Its format, or its `Content-Type`; None: there is no body.
            headers: Further headers.
        """
        self.status, self.body = status, body
        self.headers = dict(headers or {})
        if kind is not None:
            self.headers["Content-Type"] = kind.media_type if isinstance(kind, Format) else kind

    async def send(self, call: Call, send: Send) -> None:
        """Send it: without its body to HEAD, as 304 to who has it already."""
        body = self.body
        headers = [
            (b"server", _SERVER),
            (b"date", formatdate(usegmt=True).encode()),
            *((k.lower().encode("latin-1"), _value(v)) for k, v in self.headers.items()),
        ]
        if isinstance(body, bytes):
            if self.status in _TAGGED and body:
                tag = f'"{xxhash.xxh3_128_hexdigest(body)}"'
                headers += [(b"etag", tag.encode()), (b"cache-control", _CACHED)]
                if call.method in ("GET", "HEAD") and _matches(call, tag):
                    await _send(send, 304, headers, b"")
                    return
            if self.status != 204:
                headers.append((b"content-length", str(len(body)).encode()))
            await _send(send, self.status, headers, b"" if call.method == "HEAD" else body)
            return
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        async for part in body:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _value(text: str) -> bytes:
    """Encode a header value; what could end the header early does not get in."""
    return text.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")


def _matches(call: Call, tag: str) -> bool:
    wanted = call.headers.get("if-none-match")
    if wanted is None:
        return False
    tags = [one.strip().removeprefix("W/") for one in wanted.split(",")]
    return tag in tags or "*" in tags
