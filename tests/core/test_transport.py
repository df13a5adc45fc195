"""When a connection is used again, and how many there are."""

import anyio
import pytest

from anabranch.errors import ProtocolError

from .raw_server import Connection, client, raw_server, replies


async def test_the_bound_counts_all_endpoints_and_idle_connections():
    async with (
        raw_server(replies()) as one,
        raw_server(replies()) as two,
        raw_server(replies()) as three,
        client(max_connections=2) as c,
    ):
        for server in (one, two, three, one, two, three):
            await c.request("GET", server.url)
            await anyio.wait_all_tasks_blocked()
            assert one.open + two.open + three.open <= 2
        async with anyio.create_task_group() as group:
            for server in (one, two, three) * 4:
                group.start_soon(c.request, "GET", server.url)
        assert len(one.requests) == len(two.requests) == len(three.requests) == 6


async def test_what_nobody_asked_for_ends_a_connection():
    async def talks_on(connection: Connection) -> None:
        while await connection.request():
            reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            await connection.send(reply + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    async with raw_server(talks_on) as server, client() as c:
        for _ in range(3):
            assert (await c.request("GET", server.url)).content == b"ok"
        assert server.connections == 3


async def test_informational_replies_are_passed_over():
    async def hints(connection: Connection) -> None:
        while await connection.request():
            await connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            await connection.reply(200, b"ok", "X-Last: yes")

    async with raw_server(hints) as server, client() as c:
        reply = await c.request("GET", server.url)
        assert (reply.status, reply.content) == (200, b"ok")
        assert reply.headers == {"content-length": "2", "x-last": "yes"}


async def test_a_reply_without_length_ends_with_its_connection():
    async def old(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")

    async with raw_server(old) as server, client() as c:
        for _ in range(2):
            assert (await c.request("GET", server.url)).content == b"all of it"
        assert server.connections == 2


async def test_a_head_that_does_not_end():
    async def verbose(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\n")
        for number in range(2000):
            await connection.send(b"X-%d: %b\r\n" % (number, b"x" * 100))

    async with raw_server(verbose) as server, client(retries=0) as c:
        with pytest.raises(ProtocolError, match="does not end"):
            await c.request("GET", server.url)
