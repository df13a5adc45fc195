"""HTTP/1.1 over anyio streams: the connections of one cloud.

httpcore, which httpx uses otherwise, costs twice the CPU (docs/decisions/transport.md). Replies
are parsed by llhttp (httptools). It knows neither proxies nor HTTP/2: for a proxy
`anabranch.http` falls back on httpcore.
"""

from __future__ import annotations

import re
import selectors
import ssl
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from typing import Final, Self

import anyio
import httptools
from anyio.abc import ByteStream, SocketAttribute

__all__ = ["BrokenConnection", "ConnectFailed", "ConnectionPool", "Exchange", "NoHttp", "Origin"]

Headers = Sequence[tuple[bytes, bytes]]
Origin = tuple[bool, str, int]
"""Whether it speaks TLS, its host, its port."""

_Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)
_MOST_HEAD_BYTES: Final = 64 * 1024
_CHUNK: Final = 256 * 1024
_IDLE: Final = 30.0
_CONNECTION_ERRORS: Final = (
    OSError,
    ssl.SSLError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
)
_ILLEGAL: Final = re.compile(rb"[\x00\r\n]")
_ILLEGAL_TARGET: Final = re.compile(rb"[\x00-\x20\x7f]")


class ConnectFailed(Exception):
    """No connection could be made: nothing was sent."""


class BrokenConnection(Exception):
    """The connection broke before the reply was complete."""


class NoHttp(Exception):
    """What came is no HTTP reply."""


class Exchange:
    """A reply: its head, and its body still to come; iterate over it for that, and close it.

    Attributes:
        status: HTTP status.
        headers: As they came.
    """

    __slots__ = ("_chunks", "_connection", "_release", "headers", "status")

    def __init__(self, connection: _Connection, release: Callable[[_Connection], None]) -> None:
        self._connection: _Connection | None = connection
        self._release = release
        self._chunks: deque[bytes] = deque()
        self.status, self.headers = connection.status, connection.headers

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return the next piece of the body, not decompressed.

        Raises:
            BrokenConnection: it broke off.
            NoHttp: it is framed wrongly.
            TimeoutError: nothing came in time.
        """
        while not self._chunks:
            connection = self._connection
            if connection is None:
                raise StopAsyncIteration
            self._chunks.extend(connection.take())
            if self._chunks:
                break
            if connection.complete:
                raise StopAsyncIteration
            await connection.feed()
        return self._chunks.popleft()

    async def aclose(self) -> None:
        """Give the connection back, or close it if the reply was not read to its end."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if not connection.reusable:
                await connection.aclose()
        finally:
            self._release(connection)


class _Connection:
    """One connection; takes one request at a time."""

    __slots__ = (
        "_body",
        "_head_bytes",
        "_kept",
        "_no_body",
        "_parser",
        "_stream",
        "_surplus",
        "_timeout",
        "complete",
        "headers",
        "headers_done",
        "idle_since",
        "origin",
        "status",
    )

    def __init__(self, stream: ByteStream, origin: Origin) -> None:
        self._stream, self.origin = stream, origin
        self.idle_since = 0.0
        self._begin(no_body=False, timeout=None)

    def _begin(self, *, no_body: bool, timeout: float | None) -> None:
        self._timeout = timeout
        self._parser = httptools.HttpResponseParser(self)
        self._no_body = no_body
        self._body: list[bytes] = []
        self._head_bytes = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.headers_done = self.complete = self._surplus = self._kept = False
        self.status = 0

    async def send(
        self,
        head: bytes,
        body: AsyncIterable[bytes],
        *,
        chunked: bool,
        no_body: bool,
        timeout: float | None,
    ) -> None:
        """Send a request and receive the head of its reply."""
        self._begin(no_body=no_body, timeout=timeout)
        try:
            pending = head
            async for part in body:
                if chunked and part:
                    part = b"%x\r\n%b\r\n" % (len(part), part)
                pending += part
                if len(pending) >= _CHUNK:
                    await self._stream.send(pending)
                    pending = b""
            await self._stream.send(pending + b"0\r\n\r\n" if chunked else pending)
        except _CONNECTION_ERRORS as exc:
            raise BrokenConnection from exc
        while not self.headers_done:
            await self.feed()

    async def feed(self) -> None:
        """Receive some bytes, and parse them."""
        try:
            if self._timeout is None:
                data = await self._stream.receive(_CHUNK)
            else:
                with anyio.fail_after(self._timeout):
                    data = await self._stream.receive(_CHUNK)
        except TimeoutError:
            raise
        except anyio.EndOfStream as exc:
            if self.headers_done and not self._framed():
                self.complete = True
                return
            raise BrokenConnection from exc
        except _CONNECTION_ERRORS as exc:
            raise BrokenConnection from exc
        if not self.headers_done:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as exc:
            raise NoHttp(str(exc) or "no HTTP") from exc
        if not self.headers_done and self._head_bytes > _MOST_HEAD_BYTES:
            raise NoHttp("the head of the reply does not end")

    def take(self) -> list[bytes]:
        """Return the chunks of the body that came since the last time."""
        body, self._body = self._body, []
        return body

    @property
    def reusable(self) -> bool:
        """Whether another request may follow."""
        return self._kept and not self._surplus

    def alive(self) -> bool:
        """Whether an idle connection is still open: nothing to read, not even its end."""
        raw_socket = self._stream.extra(SocketAttribute.raw_socket)  # noqa: S610  not Django
        try:
            with _Selector() as selector:
                selector.register(raw_socket, selectors.EVENT_READ)
                return not selector.select(0)
        except (OSError, ValueError):
            return False

    async def aclose(self) -> None:
        """Close at once."""
        await anyio.aclose_forcefully(self._stream)

    def on_message_begin(self) -> None:
        """llhttp: a head begins; after a complete reply nobody asked for it."""
        self._surplus = self.headers_done

    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp: a header field."""
        if not self._surplus:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """llhttp: the head is complete; heads of 1xx are followed by another."""
        if self._surplus:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            self.headers = []
        else:
            self.headers_done = True
            self.complete = self._no_body

    def on_body(self, body: bytes) -> None:
        """llhttp: a piece of the body."""
        if not self._surplus:
            self._body.append(body)

    def on_message_complete(self) -> None:
        """llhttp: the reply is complete."""
        if self.headers_done and not self._surplus:
            self.complete = True
            self._kept = self._framed() and self._parser.should_keep_alive()

    def _framed(self) -> bool:
        """Whether the reply says where its body ends."""
        if self.status in (204, 304):
            return True
        return any(
            name.lower() in (b"content-length", b"transfer-encoding") for name, _ in self.headers
        )


class ConnectionPool:
    """The connections to the endpoints of one cloud; opened when needed, kept for 30 s idle."""

    def __init__(self, context: ssl.SSLContext, max_connections: int) -> None:
        """Open nothing yet.

        Args:
            context: TLS trust.
            max_connections: Connections at once; further requests wait.
        """
        self._context = context
        self._places = anyio.Semaphore(max_connections, fast_acquire=True)
        self._most, self._busy = max_connections, 0
        self._idle: list[_Connection] = []
        self._closed = False

    async def request(
        self,
        origin: Origin,
        method: bytes,
        target: bytes,
        headers: Headers,
        body: AsyncIterable[bytes],
        *,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        started: Callable[[], Awaitable[None]] | None = None,
    ) -> Exchange:
        """Send a request and return the reply as soon as its head is there.

        The caller must close what is returned.

        Args:
            origin: The server.
            method: HTTP method.
            target: Path and query.
            headers: All header fields, those that frame the body included.
            body: The body, in pieces.
            connect_timeout: Seconds until a connection must stand.
            read_timeout: Seconds until more of the reply must come, again and again.
            started: Called when a connection stands, before anything is sent.

        Raises:
            ValueError: an illegal character in the target or a header.
            ConnectFailed: nothing was sent; because of a TimeoutError: none stood in time.
            TimeoutError: nothing came in time.
            BrokenConnection: the connection broke.
            NoHttp: the reply is no HTTP.
        """
        head, chunked = _head(method, target, headers)
        await self._places.acquire()
        self._busy += 1
        connection: _Connection | None = None
        try:
            connection = await self._connection(origin, connect_timeout)
            if started:
                await started()
            await connection.send(
                head, body, chunked=chunked, no_body=method == b"HEAD", timeout=read_timeout
            )
        except BaseException:
            self._busy -= 1
            self._places.release()
            if connection is not None:
                await connection.aclose()
            raise
        return Exchange(connection, self._release)

    async def aclose(self) -> None:
        """Close the idle connections, and let none become idle again; idempotent."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()

    async def _connection(self, origin: Origin, timeout: float | None) -> _Connection:
        while (kept := self._take_idle(origin)) is not None:
            fresh = anyio.current_time() - kept.idle_since < _IDLE
            if fresh and kept.alive():
                return kept
            await kept.aclose()
        while self._idle and self._busy + len(self._idle) > self._most:
            await self._idle.pop(0).aclose()
        tls, host, port = origin
        try:
            with anyio.fail_after(timeout):
                stream: ByteStream = (
                    await anyio.connect_tcp(
                        host, port, ssl_context=self._context, tls_standard_compatible=False
                    )
                    if tls
                    else await anyio.connect_tcp(host, port)
                )
        except (*_CONNECTION_ERRORS, UnicodeError) as exc:
            raise ConnectFailed from exc
        return _Connection(stream, origin)

    def _take_idle(self, origin: Origin) -> _Connection | None:
        for number in range(len(self._idle) - 1, -1, -1):
            if self._idle[number].origin == origin:
                return self._idle.pop(number)
        return None

    def _release(self, connection: _Connection) -> None:
        self._busy -= 1
        if connection.reusable and not self._closed:
            connection.idle_since = anyio.current_time()
            self._idle.append(connection)
        self._places.release()


def _head(method: bytes, target: bytes, headers: Headers) -> tuple[bytes, bool]:
    chunked = False
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    if _ILLEGAL_TARGET.search(method) or _ILLEGAL_TARGET.search(target):
        msg = "an illegal character in the method or the target"
        raise ValueError(msg)
    for name, value in headers:
        if _ILLEGAL.search(value) or _ILLEGAL_TARGET.search(name) or b":" in name:
            msg = "an illegal character in a header"
            raise ValueError(msg)
        chunked = chunked or name.lower() == b"transfer-encoding"
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n", chunked
