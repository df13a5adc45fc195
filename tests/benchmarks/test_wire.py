"""The client that measures."""

import socket
import threading
from contextlib import closing

import pytest
from benchmarks.paper.wire import Request, Wire

_CHUNKED = b"HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


def _server(*replies: bytes) -> tuple[str, list[bytes]]:
    """Answer one request on each connection, whatever it is; return the URL and what was asked."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def serve() -> None:
        with listening:
            for reply in replies:
                connection, _ = listening.accept()
                with connection:
                    asked.append(connection.recv(65_536))
                    for part in (reply[:20], reply[20:]):
                        connection.sendall(part)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}/base", asked


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", b"hello"),
        (
            _CHUNKED + b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            b"hello",
        ),
        (b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", b""),
    ],
    ids=["length", "chunks", "nothing"],
)
def test_a_reply_is_read_whole_and_all_its_bytes_are_counted(reply: bytes, body: bytes):
    url, asked = _server(reply, reply)
    wire = Wire(url, {"Accept": "*/*"})
    for _ in range(2):  # the second on a connection of its own, for the first was closed
        exchange = wire.exchange(Request("POST", "/x", b"a=1", "text/plain"))
        assert exchange.body == body
        assert exchange.received == len(reply)
        assert exchange.sent == len(asked.pop(0))
        assert exchange.status == int(reply.split()[1])


def test_a_connection_that_ends_too_early_is_an_error():
    url, _ = _server(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello")
    with closing(Wire(url, {})) as wire, pytest.raises(ConnectionError):
        wire.exchange(Request("GET", "/"))
