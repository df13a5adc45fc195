"""A TCP server that says exactly what a test tells it to, HTTP or not; and the client to try it."""

import ssl
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import anyio
from anyio.abc import SocketAttribute, SocketListener
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSListener

from anabranch.http import HttpClient
from anabranch.logs import EventLog
from anabranch.settings import CloudSettings


class Connection:
    """One connection, on which the handler of the test receives and sends."""

    def __init__(self, stream, number: int) -> None:
        self.stream, self.number = stream, number
        self._buffered = BufferedByteReceiveStream(stream)

    async def request(self) -> bytes:
        """Receive one request, body included; b"" at the end of the connection."""
        try:
            head = await self._buffered.receive_until(b"\r\n\r\n", 65536)
        except (anyio.IncompleteRead, anyio.BrokenResourceError, anyio.EndOfStream):
            return b""
        body = b""
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                body = await self._buffered.receive_exactly(int(value))
            elif name.lower() == b"transfer-encoding":
                end = b"0\r\n\r\n"
                body = await self._buffered.receive_until(end, 1 << 20) + end
        return head + b"\r\n\r\n" + body

    async def send(self, data: bytes) -> None:
        await self.stream.send(data)

    async def reply(self, status: int = 200, body: bytes = b"ok", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}", *headers]
        await self.send("\r\n".join([*lines, "", ""]).encode() + body)


Handler = Callable[[Connection], Awaitable[None]]


class RawServer:
    """Where it listens, and what it was asked."""

    def __init__(self, port: int, scheme: str) -> None:
        self.url = f"{scheme}://127.0.0.1:{port}"
        self.port = port
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.requests: list[bytes] = []


@asynccontextmanager
async def raw_server(
    handler: Handler, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[RawServer]:
    """Serve on loopback; `handler` is called for each connection, which is closed after it."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)
    server = RawServer(port, "https" if tls else "http")
    wrapped: SocketListener | TLSListener = listener
    if tls:
        wrapped = TLSListener(listener, tls, standard_compatible=False)

    async def handle(stream) -> None:
        server.connections += 1
        server.open += 1
        server.most_open = max(server.most_open, server.open)
        connection = Connection(stream, server.connections)
        plain = connection.request

        async def request() -> bytes:
            received = await plain()
            if received:
                server.requests.append(received)
            return received

        connection.request = request  # type: ignore[method-assign]
        try:
            with suppress(anyio.BrokenResourceError, anyio.EndOfStream, anyio.ClosedResourceError):
                await handler(connection)
        finally:
            server.open -= 1
            with anyio.CancelScope(shield=True), suppress(Exception):
                await anyio.aclose_forcefully(stream)

    async with listener, anyio.create_task_group() as group:
        group.start_soon(wrapped.serve, handle)
        yield server
        group.cancel_scope.cancel()


@asynccontextmanager
async def closed_port() -> AsyncGenerator[int]:
    """A port on which nobody listens."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)
    yield port


def replies(*statuses: int, headers: tuple[str, ...] = ()) -> Handler:
    """Answer with these in turn, over all connections; afterwards with 200."""
    left = list(statuses)

    async def handler(connection: Connection) -> None:
        while await connection.request():
            status = left.pop(0) if left else 200
            await connection.reply(status, b"ok", *(headers if status != 200 else ()))

    return handler


@asynccontextmanager
async def client(**settings: object) -> AsyncGenerator[HttpClient]:
    made = HttpClient(CloudSettings(driver="x", **settings), EventLog(cloud="lisbon"))  # type: ignore[arg-type]
    try:
        yield made
    finally:
        await made.aclose()
        await made.aclose()


# What a server may do wrong.


async def hang(connection: Connection) -> None:
    await connection.request()
    await anyio.sleep_forever()


async def hang_up(connection: Connection) -> None:
    await connection.request()


async def reset(connection: Connection) -> None:
    await connection.request()
    socket = connection.stream.extra(SocketAttribute.raw_socket)
    socket.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER: close with RST


async def garbage(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


async def cut_short(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")


async def drip(connection: Connection) -> None:
    await connection.request()
    await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        await connection.send(b".")
        await anyio.sleep(0.01)
