"""A client that costs little and counts bytes: one blocking connection, kept alive if it may be."""

from __future__ import annotations

import base64
import socket
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

__all__ = ["Exchange", "Request", "Wire", "basic"]

_PATIENCE = 60.0


class Request(NamedTuple):
    """What is asked; the path begins behind the URL of the wire."""

    method: str
    path: str
    body: bytes = b""
    content_type: str = ""


class Exchange(NamedTuple):
    """What came of it; `sent` and `received` are bytes of headers and body together."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: int
    received: int
    seconds: float


class Wire:
    """Talks to one server.

    Args:
        url: Where it is; requests are for paths below.
        headers: What every request says.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._base = parts.path
        self._headers = {"Host": parts.netloc, **headers}
        self._socket: socket.socket | None = None

    def exchange(self, request: Request) -> Exchange:
        """Send a request and read the whole reply; connecting counts where it is needed."""
        headers = dict(self._headers)
        if request.content_type:
            headers["Content-Type"] = request.content_type
        if request.body or request.method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(request.body))
        lines = [f"{request.method} {self._base}{request.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        sent = "\r\n".join([*lines, "", ""]).encode() + request.body
        started = time.perf_counter()
        if self._socket is None:
            self._socket = socket.create_connection(self._address, _PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(sent)
        received = self._reply(self._socket)
        seconds = time.perf_counter() - started
        head, _, rest = received.partition(b"\r\n\r\n")
        status, *told = head.decode("latin-1").split("\r\n")
        replied = {
            name.lower(): value.strip() for name, _, value in (t.partition(":") for t in told)
        }
        if replied.get("connection", "").lower() == "close":
            self.close()
        body = _joined(rest) if "chunked" in replied.get("transfer-encoding", "") else rest
        return Exchange(int(status.split()[1]), replied, body, len(sent), len(received), seconds)

    def close(self) -> None:
        """End the connection; the next request makes another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    @staticmethod
    def _reply(connection: socket.socket) -> bytes:
        received = bytearray()
        while b"\r\n\r\n" not in received:
            received += _more(connection)
        start = received.index(b"\r\n\r\n") + 4
        head = received[:start].lower()
        if b"transfer-encoding: chunked" in head:
            while not received.endswith(b"0\r\n\r\n"):
                received += _more(connection)
        elif b"content-length:" in head:
            _, _, behind = head.partition(b"content-length:")
            length = int(behind.partition(b"\r\n")[0])
            while len(received) < start + length:
                received += _more(connection)
        return bytes(received)


def basic(username: str, password: str) -> str:
    """The value of `Authorization` for HTTP Basic."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(262_144)
    if not chunk:
        raise ConnectionError("the server closed the connection in the middle of a reply")
    return chunk


def _joined(chunks: bytes) -> bytes:
    body = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        length = int(size, 16)
        body, chunks = body + chunks[:length], chunks[length + 2 :]
    return body
