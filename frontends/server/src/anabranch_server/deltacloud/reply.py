"""A reply: status, headers and body, with the headers that every reply carries."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from email.utils import formatdate
from functools import lru_cache
from typing import Final

import anyio
import xxhash

from anabranch_server.deltacloud.call import Call, Receive, Send
from anabranch_server.deltacloud.negotiation import Format

__all__ = ["VERSION", "Reply", "signature"]

VERSION: Final = "1.1.3"
"""The version of Deltacloud whose API this is; its clients compare it with the one they know."""
_SERVER: Final = (b"server", b"Apache-Deltacloud/" + VERSION.encode())
_NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
_CACHED: Final = (b"cache-control", b"max-age=0, private, must-revalidate")
_NOT_STORED: Final = (b"cache-control", b"no-store")
"""What a change is answered with may hold a secret that is told this once."""
_SAFE: Final = ("GET", "HEAD")
_TOLD: Final = {"driver": b"x-deltacloud-driver", "provider": b"x-deltacloud-provider"}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_TAGGED: Final = (200, 201)
_PATIENCE: Final = 300.0
"""Seconds that a client may take for a part: who takes nothing must not hold a cloud's connection.
"""


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
        """Send it: without its body to HEAD, as 304 to who has it already.

        Raises:
            Exception: a body that comes in parts ends before its time, or the client takes no part
                of it for 300 s. It is begun, so nothing is left but to break the connection, which
                is what a server does then.
        """
        headers = signature()
        headers += [(_TOLD[name], _value(value)) for name, value in call.told.items()]
        headers += [(k.lower().encode(), _value(v)) for k, v in self.headers.items()]
        if isinstance(self.body, bytes):
            await self._send_whole(self.body, headers, call, send)
        else:
            await self._send_parts(self.body, headers, call, send)

    async def _send_whole(
        self, body: bytes, headers: list[tuple[bytes, bytes]], call: Call, send: Send
    ) -> None:
        status = self.status
        if status in _TAGGED and body:
            tag = f'"{xxhash.xxh3_128_hexdigest(body)}"'
            headers.append((b"etag", tag.encode()))
            if "Cache-Control" not in self.headers:
                headers.append(_CACHED if call.method in _SAFE else _NOT_STORED)
            if status == 200 and call.method in _SAFE and _has(call, tag):
                status, body = 304, b""
        if status not in (204, 304):
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})

    async def _send_parts(
        self,
        parts: AsyncIterator[bytes],
        headers: list[tuple[bytes, bytes]],
        call: Call,
        send: Send,
    ) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            if call.method != "HEAD" and not await _poured(parts, call.receive, send):
                return
        finally:
            if isinstance(parts, AsyncGenerator):
                with anyio.CancelScope(shield=True):
                    await parts.aclose()
        await send({"type": "http.response.body", "body": b""})


async def _poured(parts: AsyncIterator[bytes], receive: Receive, send: Send) -> bool:
    """Send all parts; tell whether the client stayed to the end."""
    failure: Exception | None = None
    done = False

    async def watch(scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(watch, group.cancel_scope)
        try:
            async for part in parts:
                with anyio.fail_after(_PATIENCE):
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            done = True
        except Exception as exc:
            failure = exc  # raised below, where no group wraps it
        group.cancel_scope.cancel()
    if failure:
        raise failure
    return done


def signature() -> list[tuple[bytes, bytes]]:
    """Return the headers that every reply has, whatever it is."""
    return [_SERVER, _NO_SNIFFING, (b"date", _date(int(time.time())))]


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


def _value(text: str) -> bytes:
    """Encode a header value; what could end the header early does not get in."""
    return _CONTROL.sub(" ", text).encode("latin-1", "replace")


def _has(call: Call, tag: str) -> bool:
    """Whether the client says that it has the body of that tag, weakly compared (RFC 9110)."""
    wanted = call.headers.get("if-none-match")
    if wanted is None:
        return False
    tags = [one.strip().removeprefix("W/") for one in wanted.split(",")]
    return tag in tags or tags == ["*"]
