"""Contents pass through, whatever their size, at the pace of the slower side."""

import math
import socket
import threading
import time
import tracemalloc
from contextlib import asynccontextmanager
from types import SimpleNamespace

import anyio
import httpx
import pytest

from anabranch import Broker, CloudUnavailable, Configuration, PluginRegistry
from anabranch.hooks import DriverSpec, hookimpl
from anabranch.models import Blob, BlobContent
from anabranch.settings import CloudSettings
from anabranch.testing.serving import serve
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

from .blob_apis import MULTIPART, XML
from .exchange import ask

CHUNK = b"\xa5" * 65_536
MIB = 1024 * 1024


class Pipe(DriverSpec[CloudSettings]):
    """A cloud that forgets what it gets, and gives as much as the blob's name says.

    Attributes:
        passed: Bytes taken, or given, so far.
        stored: Names of blobs that came to their end.
        closed: Set when a transfer from here has ended, anyhow.
    """

    title = "Pipe"
    settings_type = CloudSettings

    def __init__(self):
        self.passed, self.stored, self.closed = 0, [], threading.Event()

    @hookimpl
    async def create_blob(self, cloud, spec, content):
        async for piece in content:
            self.passed += len(piece)
            await anyio.lowlevel.checkpoint()
        self.stored.append(spec.name)
        return Blob(cloud=cloud.name, id=spec.name, bucket_id=spec.bucket_id)

    @hookimpl
    async def open_blob(self, cloud, bucket_id, blob_id):
        length = None if blob_id == "endless" else int(blob_id.partition("-")[0])
        blob = Blob(cloud=cloud.name, id=blob_id, bucket_id=bucket_id, content_length=length)
        chunks = self._chunks(math.inf if length is None else length, blob_id)

        async def close():
            await chunks.aclose()
            self.closed.set()

        return BlobContent(blob, chunks, close)

    async def _chunks(self, length, name):
        given = 0
        while given < length:
            if given > length / 2:
                if name.endswith("-breaks"):
                    raise CloudUnavailable("the connection was reset")
                if name.endswith("-stops"):
                    return
            await anyio.lowlevel.checkpoint()
            given += len(CHUNK)
            self.passed += len(CHUNK)
            yield CHUNK


@pytest.fixture
def pipe():
    return Pipe()


@pytest.fixture
def app(pipe):
    broker = Broker(
        Configuration(clouds={"p": {"driver": "pipe"}}),
        registry=PluginRegistry(drivers={"pipe": pipe}, points=[]),
    )
    return Deltacloud(Configured(broker))


class Peak:
    """The most memory that was in use at once, beyond what was before."""

    def __enter__(self):
        tracemalloc.start()
        self._before = tracemalloc.get_traced_memory()[0]
        return self

    def __exit__(self, *_):
        self.bytes = tracemalloc.get_traced_memory()[1] - self._before
        tracemalloc.stop()


class Source:
    """A client that sends so many chunks, and knows how far it is ahead of the cloud."""

    def __init__(self, pipe, count, before=b"", after=b""):
        self.pipe, self.ahead = pipe, 0
        self._pieces = self._all(count, before, after)

    async def _all(self, count, before, after):
        if before:
            yield before
        for number in range(count):
            self.ahead = max(self.ahead, number * len(CHUNK) - self.pipe.passed)
            yield CHUNK
        if after:
            yield after

    def __aiter__(self):
        return self

    async def __anext__(self):
        return await anext(self._pieces)


async def test_64_mib_up_in_bounded_memory(app, pipe):
    source = Source(pipe, 1024)
    with Peak() as peak:
        answer = await ask(app, "PUT", "/api/buckets/b/big", XML, source)
    assert (answer.status, pipe.passed, pipe.stored) == (200, 64 * MIB, ["big"])
    assert source.ahead <= len(CHUNK)
    assert peak.bytes < 2 * MIB


async def test_64_mib_in_a_form_in_bounded_memory(app, pipe):
    before = b'--b\r\nContent-Disposition: form-data; name="blob_id"\r\n\r\nbig\r\n--b\r\n'
    before += b'Content-Disposition: form-data; name="blob_data"; filename="f"\r\n\r\n'
    source = Source(pipe, 1024, before, b"\r\n--b--\r\n")
    with Peak() as peak:
        answer = await ask(app, "POST", "/api/buckets/b", MULTIPART, source)
    assert (answer.status, pipe.passed, pipe.stored) == (201, 64 * MIB, ["big"])
    assert source.ahead <= 2 * len(CHUNK)
    assert peak.bytes < 2 * MIB


async def test_16_mib_before_the_name_of_the_blob_in_bounded_memory(app, pipe):
    before = b'--b\r\nContent-Disposition: form-data; name="blob_data"; filename="f"\r\n\r\n'
    after = b'\r\n--b\r\nContent-Disposition: form-data; name="blob_id"\r\n\r\nbig\r\n--b--\r\n'
    with Peak() as peak:
        answer = await ask(
            app, "POST", "/api/buckets/b", MULTIPART, Source(pipe, 256, before, after)
        )
    assert (answer.status, pipe.passed, pipe.stored) == (201, 16 * MIB, ["big"])
    assert peak.bytes < 4 * MIB


async def test_64_mib_down_in_bounded_memory(app, pipe):
    sizes, ahead = [0], [0]

    async def take(part):
        await anyio.lowlevel.checkpoint()
        sizes[0] += len(part)
        ahead[0] = max(ahead[0], pipe.passed - sizes[0])

    with Peak() as peak:
        answer = await ask(app, "GET", f"/api/buckets/b/{64 * MIB}/content", taken=take)
    assert answer.whole
    assert answer.headers["content-length"] == str(sizes[0]) == str(64 * MIB)
    assert ahead[0] == 0
    assert peak.bytes < 2 * MIB
    assert pipe.closed.is_set()


async def test_a_client_that_leaves_ends_the_transfer_from_the_cloud(app, pipe):
    async def leave(part):
        return pipe.passed >= 10 * len(part)

    with anyio.fail_after(5):
        answer = await ask(app, "GET", "/api/buckets/b/endless/content", taken=leave)
    assert "content-length" not in answer.headers
    assert not answer.whole
    assert pipe.passed <= 12 * len(CHUNK)
    assert pipe.closed.is_set()


@pytest.mark.parametrize("how", ["breaks", "stops"])
async def test_a_content_that_breaks_off_is_never_ended_as_whole(app, pipe, how):
    last = []

    async def take(part):
        last.append(part)

    with pytest.raises(CloudUnavailable):
        await ask(app, "GET", f"/api/buckets/b/{MIB}-{how}/content", taken=take)
    assert 0 < len(last) < 16
    assert pipe.closed.is_set()


@asynccontextmanager
async def on_a_socket(app):
    """The application behind uvicorn."""
    with serve([SimpleNamespace(name="api", app=app)]) as urls:
        yield urls["api"]


async def test_a_connection_breaks_with_the_content(app):
    async with on_a_socket(app) as url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{url}/api/buckets/b/{MIB}-breaks/content")
        with pytest.raises(httpx.RemoteProtocolError):
            await client.get(f"{url}/api/buckets/b/{MIB}-stops/content")
        whole = await client.get(f"{url}/api/buckets/b/{4 * MIB}/content")
        assert len(whole.content) == 4 * MIB


async def until(condition):
    """Wait for what happens in the thread of the server."""
    for _ in range(500):
        if condition():
            return
        await anyio.sleep(0.02)
    pytest.fail("it did not happen")


async def test_a_slow_client_slows_the_cloud_down_and_one_that_leaves_ends_it(app, pipe):
    async with on_a_socket(app) as url:
        port = int(url.rpartition(":")[2])
        connection = await anyio.connect_tcp("127.0.0.1", port)
        async with connection:
            raw = connection.extra(anyio.abc.SocketAttribute.raw_socket)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            await connection.send(
                b"GET /api/buckets/b/endless/content HTTP/1.1\r\nHost: broker.test\r\n\r\n"
            )
            assert (await connection.receive()).startswith(b"HTTP/1.1 200")
            await until(lambda: _rests(pipe))
            assert pipe.passed < 32 * MIB  # what the sockets' buffers hold
            assert not pipe.closed.is_set()
        await until(pipe.closed.is_set)


def _rests(pipe):
    before = pipe.passed
    time.sleep(0.1)
    return pipe.passed == before > 0


async def test_an_upload_whose_connection_breaks_is_not_stored(app, pipe):
    async with on_a_socket(app) as url:
        port = int(url.rpartition(":")[2])
        for head in ("Content-Length: 1000000", "Transfer-Encoding: chunked"):
            before = pipe.passed
            async with await anyio.connect_tcp("127.0.0.1", port) as connection:
                start = f"PUT /api/buckets/b/x HTTP/1.1\r\nHost: broker.test\r\n{head}\r\n\r\n"
                await connection.send(start.encode() + b"400\r\n" + b"x" * 1024 + b"\r\n")
                await until(lambda before=before: pipe.passed >= before + 1024)
        async with httpx.AsyncClient() as client:  # and after it everything goes on
            put = await client.put(f"{url}/api/buckets/b/y", content=b"whole")
            assert put.status_code == 200
        assert pipe.stored == ["y"]
