"""The harness in conftest.py does what it promises."""

import os
import socket
import time
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import sniffio
from blockbuster import BlockingError

import anabranch

OUTSIDE = "192.0.2.1"  # RFC 5737: documentation only

seen: set[str] = set()


async def test_every_async_test_runs_on_a_known_backend(anyio_backend_name: str):
    assert sniffio.current_async_library() == anyio_backend_name
    seen.add(anyio_backend_name)


def test_and_on_both():
    assert seen == {"asyncio", "trio"}


def test_nothing_of_the_user_is_visible():
    scrubbed = ("ANABRANCH_", "OS_", "ONE_", "CLOUDSTACK_", "XDG_")
    assert not [name for name in os.environ if name.startswith(scrubbed)]
    assert not [name for name in os.environ if name.lower().endswith("_proxy")]
    assert list(Path.home().iterdir()) == []


@pytest.mark.parametrize("host", [OUTSIDE, "2001:db8::1", "::ffff:192.0.2.1", "0.0.0.1"])
def test_a_connection_that_leaves_the_machine_is_refused(host: str, refusals: list[str]):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as peer:
        with pytest.raises(PermissionError, match="loopback only"):
            peer.connect((host, 80))
        with pytest.raises(PermissionError, match="loopback only"):
            peer.connect_ex((host, 80))
    with (
        socket.socket(family, socket.SOCK_DGRAM) as peer,
        pytest.raises(PermissionError, match="loopback only"),
    ):
        peer.sendto(b"?", (host, 53))
    assert len(_taken(refusals)) == 3


async def test_so_is_one_of_an_http_client(refusals: list[str]):
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://{OUTSIDE}/")
        with pytest.raises(httpx.ConnectError):
            await client.get("http://cloud.example/")
    assert sorted(_taken(refusals)) == [
        f"connection to {OUTSIDE}:80",
        "look-up of cloud.example",
    ]


async def test_a_name_that_exists_nowhere_may_be_asked_for():
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://cloud.invalid/")


async def test_loopback_is_reached():
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with listener, await anyio.connect_tcp("localhost", port) as stream:
        assert stream.extra(anyio.abc.SocketAttribute.remote_port) == port


def _taken(refusals: list[str]) -> list[str]:
    """Take the refusals away, so that this test is not failed for them."""
    found = list(refusals)
    refusals.clear()
    return found


@pytest.fixture
def call_from_our_code():
    """A function that the detector takes for one of ours."""
    file = Path(anabranch.__path__[0], "pretended.py")
    namespace: dict[str, Any] = {}
    exec(compile("def call(function, *args): return function(*args)", file, "exec"), namespace)
    return namespace["call"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_our_code_may_not_block_the_loop(call_from_our_code, tmp_path: Path):
    with pytest.raises(BlockingError):
        call_from_our_code(time.sleep, 0.001)
    with pytest.raises(BlockingError):
        call_from_our_code(os.stat, tmp_path)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_but_may_in_a_worker_thread(call_from_our_code):
    await anyio.to_thread.run_sync(call_from_our_code, time.sleep, 0.001)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_and_code_that_is_not_ours_is_its_own_affair(tmp_path: Path):
    time.sleep(0.001)  # noqa: ASYNC251 - what is allowed here is the point
    assert tmp_path.exists()
