"""The HTTP client, against servers that do everything wrong."""

import gc
import gzip
import logging
import traceback
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import anyio
import anyio.abc
import pytest
from structlog.testing import capture_logs

from anabranch import http
from anabranch.errors import (
    CloudError,
    CloudUnavailable,
    DeadlineExceeded,
    InvalidRequest,
    OutcomeUnknown,
    ProtocolError,
)
from anabranch.http import HttpClient, Response
from anabranch.retrying import RetryBudget, retry_after

from .raw_server import (
    Connection,
    client,
    closed_port,
    cut_short,
    drip,
    garbage,
    hang,
    hang_up,
    raw_server,
    replies,
    reset,
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(http, "backoff", lambda attempt: 0.01)


# ---------------------------------------------------------------------------------- what goes well


async def test_a_request_as_it_is_sent_and_the_reply_as_it_is_given():
    async with raw_server(replies()) as server, client() as c:
        reply = await c.request(
            "post",
            f"{server.url}/v1?a=1",
            headers={"X-Mine": "yes"},
            params=[("b", 2), ("b", "3 &")],
            content=b"{}",
        )
        assert reply == Response(200, {"content-length": "2"}, b"ok")
        assert reply.text == "ok"
        head = server.requests[0].decode()
        assert head.startswith("POST /v1?a=1&b=2&b=3%20%26 HTTP/1.1\r\n")
        assert "X-Mine: yes" in head
        assert head.endswith("\r\n\r\n{}")
        assert "accept-encoding: gzip\r\n" in head.lower()
        await c.request("GET", server.url, params={"c": "d"})
        assert server.requests[1].startswith(b"GET /?c=d HTTP/1.1\r\n")


async def test_header_values_are_utf_8_both_ways():
    async def reply(connection: Connection) -> None:
        await connection.request()
        await connection.reply(200, b"", "X-Object-Meta-City: Évora")

    async with raw_server(reply) as server, client() as c:
        found = await c.request("GET", server.url, headers={"X-Object-Meta-City": "Évora"})
        assert "X-Object-Meta-City: Évora".encode() in server.requests[0]
        assert found.headers["x-object-meta-city"] == "Évora"


async def test_a_body_that_is_sent_in_chunks_once():
    async def content():
        yield b"one"
        yield b"two"

    async with raw_server(replies(503, 429)) as server, client() as c:
        reply = await c.request("PUT", server.url, content=content(), idempotent=True)
        assert reply.status == 503
        assert server.requests[0].endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
        assert len(server.requests) == 1


async def test_a_body_of_a_length_that_is_told_is_not_framed_in_chunks():
    async def content():
        yield b"one"
        yield b"two"

    async with raw_server(replies(200)) as server, client() as c:
        await c.request("PUT", server.url, content=content(), headers={"Content-Length": "6"})
        assert server.requests[0].endswith(b"\r\n\r\nonetwo")
        assert b"transfer-encoding" not in server.requests[0].lower()


async def test_a_body_on_a_connection_that_breaks_leaves_nothing_to_the_garbage_collector():
    async def content():
        while True:
            yield b"x" * 1_000_000

    async def broken(connection: Connection) -> None:
        await connection.stream.receive()

    async with raw_server(broken) as server, client() as c, aclosing(content()) as chunks:
        with pytest.raises(OutcomeUnknown):
            await c.request("PUT", server.url, content=chunks)
    gc.collect()  # what is left there fails the test on trio


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 500, 501])
async def test_a_status_is_given_as_it_is_and_a_redirect_not_followed(status: int):
    async with (
        raw_server(replies(status, headers=("Location: http://127.0.0.1:1/",))) as server,
        client() as c,
    ):
        assert (await c.request("GET", server.url)).status == status
        assert len(server.requests) == 1


async def test_a_chunked_reply():
    async def chunked(connection: Connection) -> None:
        await connection.request()
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
        await connection.send(head + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")

    async with raw_server(chunked) as server, client() as c:
        reply = await c.request("GET", server.url)
        assert (reply.content, reply.headers["x-a"]) == (b"abc", "1, 2")


async def test_connections_are_kept_and_reused():
    async with raw_server(replies()) as server, client() as c:
        for _ in range(5):
            await c.request("GET", server.url)
        assert (server.connections, len(server.requests)) == (1, 5)


async def test_there_are_never_more_than_are_allowed():
    async def slow(connection: Connection) -> None:
        while await connection.request():
            await anyio.sleep(0.02)
            await connection.reply()

    async with raw_server(slow) as server, client(max_connections=3) as c:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(c.request, "GET", server.url)
        assert len(server.requests) == 20
        assert server.most_open == 3


async def test_a_connection_that_the_server_closed_meanwhile():
    async def once(connection: Connection) -> None:
        await connection.request()
        await connection.reply()

    async with raw_server(once) as server, client(retries=0) as c:
        await c.request("POST", server.url)
        await anyio.sleep(0.05)
        assert (await c.request("POST", server.url)).status == 200
        assert server.connections == 2


async def test_cancelled_requests_leak_no_place():
    async with raw_server(hang) as server, client(max_connections=2) as c:
        for _ in range(5):
            async with anyio.create_task_group() as group:
                for _ in range(4):  # two of them wait for a place
                    group.start_soon(c.request, "GET", server.url)
                await anyio.sleep(0.05)
                group.cancel_scope.cancel()
        async with raw_server(replies()) as good:
            with anyio.fail_after(5):
                assert (await c.request("GET", good.url)).status == 200


async def test_it_closes_what_it_opened():
    async with raw_server(replies()) as server, client() as c:
        await c.request("GET", server.url)
        assert server.open == 1
        await c.aclose()
        await anyio.sleep(0.05)
        assert server.open == 0


# -------------------------------------------------------------------------------------- what fails


async def test_nobody_listens():
    async with closed_port() as port, client() as c:
        for method in ("GET", "POST"):  # a POST that was not sent may be sent again
            with pytest.raises(CloudUnavailable) as caught:
                await c.request(method, f"http://127.0.0.1:{port}/")
            assert str(caught.value) == f"no connection to 127.0.0.1:{port}: connection refused"


async def test_the_text_is_that_of_this_failure_and_not_of_one_before():
    async with closed_port() as port, client(retries=0) as c:
        try:
            raise ValueError("quite another thing")
        except ValueError:
            with pytest.raises(CloudUnavailable, match=f":{port}: connection refused$"):
                await c.request("GET", f"http://127.0.0.1:{port}/")
            with pytest.raises(CloudUnavailable, match=r"localhost:.*: connection refused$"):
                await c.request("GET", f"http://localhost:{port}/")


async def test_there_is_no_such_name():
    async with client(retries=0) as c:
        with pytest.raises(CloudUnavailable, match=r"no connection to x.invalid: Name or service"):
            await c.request("GET", "http://x.invalid/")


@pytest.mark.parametrize(
    ("handler", "error", "text", "tries"),
    [
        (hang_up, CloudUnavailable, "broke the connection: ", 3),
        (reset, CloudUnavailable, "broke the connection: ", 3),
        (cut_short, CloudUnavailable, "broke the connection: ", 3),
        (garbage, ProtocolError, "sent what is no HTTP", 1),
        (hang, DeadlineExceeded, "no reply from 127.0.0.1:.* within 0.1 s", 3),
        (drip, DeadlineExceeded, "no reply from 127.0.0.1:.* within 0.1 s", 3),
    ],
)
async def test_a_get_is_tried_again_and_a_post_is_not(handler, error, text: str, tries: int):
    async with raw_server(handler) as server, client(request_timeout=0.1) as c:
        with pytest.raises(error, match=text) as caught:
            await c.request("GET", server.url)
        assert type(caught.value) is error
        assert len(server.requests) == tries
        server.requests.clear()
        with pytest.raises(OutcomeUnknown):
            await c.request("POST", server.url, content=b"{}")
        assert len(server.requests) == 1
        server.requests.clear()
        with pytest.raises(error, match=text):
            await c.request("DELETE", server.url, idempotent=True)
        assert len(server.requests) == tries


async def test_a_post_that_waits_for_a_connection_was_not_sent():
    async with raw_server(hang) as server, client(max_connections=1, retries=0) as c:
        async with anyio.create_task_group() as group:
            group.start_soon(c.request, "GET", server.url)
            await anyio.sleep(0.05)
            with pytest.raises(DeadlineExceeded, match=r"no connection to .* came free within 0.1"):
                await c.request("POST", server.url, timeout=0.1)
            group.cancel_scope.cancel()
        assert len(server.requests) == 1


async def test_a_connection_that_does_not_come_to_stand():
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1", backlog=1)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, client(connect_timeout=0.1, retries=0) as c:
        # Nobody shakes hands: TLS never begins.
        with pytest.raises(CloudUnavailable, match=f"no connection to 127.0.0.1:{port} within 0.1"):
            await c.request("GET", f"https://127.0.0.1:{port}/")


# httpcore leaves the socket of a handshake that is cancelled to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_post_for_which_no_connection_came_to_stand_in_time_was_not_sent():
    async with raw_server(hang) as server, client(retries=0) as c:
        url = server.url.replace("http:", "https:")  # nobody shakes hands
        with pytest.raises(DeadlineExceeded, match=f"no connection to 127.0.0.1:{server.port}"):
            await c.request("POST", url, timeout=0.1)
    gc.collect()


async def test_a_proxy_that_is_dead_or_none():
    async with closed_port() as port:  # noqa: SIM117
        async with client(proxy=f"http://u:s3cret@127.0.0.1:{port}", retries=0) as c:
            with pytest.raises(CloudUnavailable, match="connection refused") as caught:
                await c.request("GET", "http://cloud.invalid/")
            assert "s3cret" not in _told(caught.value)
    for proxy in ("nonsense://u:s3cret@h", "socks5://u:s3cret@h:1", "u:s3cret@h"):
        async with client(proxy=proxy) as c:
            with pytest.raises(InvalidRequest, match=r"proxy .* cannot be used") as refused:
                await c.request("GET", "http://cloud.invalid/")
            if "://" in proxy:
                assert "s3cret" not in _told(refused.value)


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://SERVER/", {"X-Auth-Token": "s3cret\r\nX: y"}),
        ("http://SERVER/", {"X-Auth-Token": "s3cret-\udcff"}),
        ("cloud.example/v2", {}),
        ("ftp://cloud.example/", {}),
        ("http://[::1/", {}),
        ("http://cloud.invalid:port/", {}),
    ],
)
async def test_what_cannot_be_sent(url: str, headers: dict[str, str]):
    async with raw_server(replies()) as server, client() as c:
        url = url.replace("SERVER", f"127.0.0.1:{server.port}")
        with pytest.raises(InvalidRequest) as caught:
            await c.request("POST", url, headers=headers)
        assert "s3cret" not in _told(caught.value)
        with pytest.raises(InvalidRequest) as caught:
            async with c.stream("GET", url, headers=headers):
                pass
        assert "s3cret" not in _told(caught.value)


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


async def test_no_secret_in_errors_or_events(caplog):
    caplog.set_level(logging.DEBUG, "anabranch")
    async with closed_port() as port, client() as c:
        url = f"http://me:s3cret@127.0.0.1:{port}/?apiKey=s3cret&X-Amz-Signature=s3cret&a=1"
        with capture_logs() as events, pytest.raises(CloudUnavailable) as caught:
            await c.request("GET", url, headers={"X-Auth-Token": "s3cret"})
        assert [e["event"] for e in events] == ["http.retry", "http.retry"]
        assert "a=1" in events[0]["url"]
        assert "s3cret" not in str(events)
        assert "s3cret" not in str(caught.value)
    assert "s3cret" not in repr(Response(200, {"x-subject-token": "s3cret"}, b"s3cret"))


# ------------------------------------------------------------------------------------------ bodies


async def _serve_body(connection: Connection, body: bytes, *headers: str) -> None:
    while await connection.request():
        await connection.reply(200, body, *headers)


async def test_a_body_that_is_too_long():
    async def long(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await connection.send(b"x" * 65536)

    async with raw_server(long) as server, client(max_body_bytes=100_000) as c:
        with pytest.raises(ProtocolError, match=r"longer than 100000 bytes. Raise max_body_bytes"):
            await c.request("GET", server.url)
        assert len(server.requests) == 1


async def test_a_bomb_is_not_unpacked(monkeypatch):
    bomb = gzip.compress(b"\0" * 50_000_000)
    assert len(bomb) < 100_000
    unpacked = 0
    plain = http.zlib.decompressobj

    class Counting:
        def __init__(self, wbits: int) -> None:
            self.inner = plain(wbits=wbits)

        def decompress(self, data: bytes, most: int) -> bytes:
            nonlocal unpacked
            out = self.inner.decompress(data, most)
            unpacked += len(out)
            return out

    monkeypatch.setattr(http.zlib, "decompressobj", Counting)
    async with (
        raw_server(lambda c: _serve_body(c, bomb, "Content-Encoding: gzip")) as server,
        client(max_body_bytes=100_000) as c,
    ):
        with pytest.raises(ProtocolError, match="longer than 100000 bytes"):
            await c.request("GET", server.url)
    assert unpacked <= 100_001


async def test_compressed_bodies():
    packed = gzip.compress(b"hello" * 1000)
    for body, header, expected in [
        (packed, "gzip", b"hello" * 1000),
        (packed, "GZIP", b"hello" * 1000),
        (b"", "gzip", b""),
        (b"", "br", b""),  # the answer to a HEAD tells of the body that a GET would have
        (b"plain", "identity", b"plain"),
        (b"not packed", "gzip", "cannot be decompressed"),
        (packed[:20], "gzip", "its end is missing"),
        (b"x", "br", "in a way not asked for: 'br'"),
    ]:
        async with (
            raw_server(
                lambda c, b=body, h=header: _serve_body(c, b, f"Content-Encoding: {h}")
            ) as s,
            client() as c,
        ):
            if isinstance(expected, bytes):
                assert (await c.request("GET", s.url)).content == expected
            else:
                with pytest.raises(ProtocolError, match=expected):
                    await c.request("GET", s.url)


async def test_a_head_reply_has_no_body():
    async with (
        raw_server(lambda c: _serve_body(c, b"", "Content-Encoding: gzip")) as server,
        client() as c,
    ):
        assert (await c.request("HEAD", server.url)).content == b""


# --------------------------------------------------------------------------------------- streaming


async def test_a_stream_gives_chunks_while_they_arrive():
    gate = anyio.Event()

    async def two(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none")
        await gate.wait()
        await connection.send(b"two")

    async with raw_server(two) as server, client() as c:
        async with c.stream("GET", server.url) as reply:
            assert (reply.status, repr(reply)) == (200, "<StreamedResponse: status 200>")
            assert await anext(reply.chunks) == b"one"
            gate.set()
            assert [chunk async for chunk in reply.chunks] == [b"two"]
        assert b"accept-encoding: identity" in server.requests[0].lower()


async def test_a_stream_gives_what_is_stored_as_it_is_stored():
    packed = gzip.compress(b"hello")
    async with (
        raw_server(lambda c: _serve_body(c, packed, "Content-Encoding: gzip")) as server,
        client() as c,
        c.stream("GET", server.url) as reply,
    ):
        assert b"".join([chunk async for chunk in reply.chunks]) == packed


async def test_leaving_a_stream_early_gives_its_place_back():
    async with raw_server(drip) as server, client(max_connections=1) as c:
        with anyio.fail_after(2):
            for _ in range(5):
                async with c.stream("GET", server.url) as reply:
                    async for _ in reply.chunks:
                        break
        with pytest.raises(ZeroDivisionError):  # noqa: PT012
            async with c.stream("GET", server.url) as reply:
                await anext(reply.chunks)
                1 / 0  # noqa: B018
        with anyio.move_on_after(0.1):
            async with c.stream("GET", server.url) as reply:
                async for _ in reply.chunks:
                    pass
        with anyio.fail_after(2):
            async with c.stream("GET", server.url):
                pass


@pytest.mark.parametrize(
    ("handler", "error"),
    [(cut_short, CloudUnavailable), (hang, DeadlineExceeded), (garbage, ProtocolError)],
)
async def test_a_stream_that_breaks(handler, error: type[CloudError]):
    async with raw_server(handler) as server, client(request_timeout=0.1) as c:
        with pytest.raises(error) as caught:  # noqa: PT012
            async with c.stream("GET", server.url) as reply:
                async for _ in reply.chunks:
                    pass
        assert type(caught.value) is error
        assert len(server.requests) == 1
        if handler is cut_short:  # also to one who iterates outside of the block of the driver
            scope = c.stream("GET", server.url)
            reply = await scope.__aenter__()
            with pytest.raises(CloudUnavailable, match="broke the connection"):
                async for _ in reply.chunks:
                    pass
            await scope.__aexit__(None, None, None)


# ----------------------------------------------------------------------------------------- retries


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_get_is_tried_again_after_a_status_that_may_pass(status: int):
    async with raw_server(replies(status)) as server, client() as c:
        assert (await c.request("GET", server.url)).status == 200
        assert len(server.requests) == 2
    async with raw_server(replies(*[status] * 9)) as server, client(retries=3) as c:
        assert (await c.request("GET", server.url)).status == status
        assert len(server.requests) == 4
    async with raw_server(replies(status)) as server, client(retries=0) as c:
        assert (await c.request("get", server.url)).status == status


async def test_a_post_is_tried_again_after_429_alone():
    for status, tries in [(429, 2), (503, 1)]:
        async with raw_server(replies(status)) as server, client() as c:
            await c.request("POST", server.url, content=b"{}")
            assert len(server.requests) == tries


async def test_a_post_that_a_proxy_lost_may_have_been_carried_out():
    for status in (502, 504):
        async with raw_server(replies(status)) as server, client() as c:
            with pytest.raises(OutcomeUnknown, match=str(status)):
                await c.request("POST", server.url, content=b"{}")
            assert len(server.requests) == 1


async def _time_of(c: HttpClient, url: str) -> float:
    started = anyio.current_time()
    await c.request("GET", url)
    return anyio.current_time() - started


async def test_retry_after_is_honoured_in_both_forms():
    async with raw_server(replies(429, headers=("Retry-After: 0.3",))) as server, client() as c:
        assert 0.3 <= await _time_of(c, server.url) < 2
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    async with raw_server(replies(503, headers=(f"Retry-After: {soon}",))) as server, client() as c:
        assert 0.5 <= await _time_of(c, server.url) < 4
        assert len(server.requests) == 2


async def test_what_takes_too_long_is_not_waited_for():
    for wait in ("31", "inf", "Fri, 31 Dec 2999 23:59:59 GMT"):
        headers = (f"Retry-After: {wait}",)
        async with raw_server(replies(503, headers=headers)) as server, client() as c:
            assert (await c.request("GET", server.url)).status == 503
    async with raw_server(replies(503, headers=("Retry-After: 2",))) as server, client() as c:
        with anyio.fail_after(3):  # two seconds fit, but leave too little for the try
            assert (await c.request("GET", server.url)).status == 503
            assert len(server.requests) == 1


def test_retry_after_as_it_may_come():
    for text, expected in [
        ("", None),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ]:
        assert retry_after({"retry-after": text}) == expected, text
    assert retry_after({}) is None


async def test_the_budget_bounds_the_retries_of_a_cloud():
    async with raw_server(replies(*[503] * 100)) as server, client(retries=10) as c:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(c.request, "GET", server.url)
        assert len(server.requests) == 5 + 10
        assert (await c.request("GET", server.url)).status == 503
        assert len(server.requests) == 16


def test_the_budget_is_earned_back():
    budget = RetryBudget()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
    for _ in range(10):
        budget.earn()
    assert budget.spend()
    for _ in range(1000):
        budget.earn()
    assert [budget.spend() for _ in range(11)] == [True] * 10 + [False]
