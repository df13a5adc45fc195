"""The instruments of the kit: each sees what it is for, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import threading
import types

import anyio
import anyio.lowlevel
import pytest

from anabranch.testing.conformance.separate import Separate
from anabranch.testing.conformance.strangers import stranger
from anabranch.testing.conformance.watchdog import Watchdog

BLOCKING = """
import time

import anyio

async def sleeps():
    time.sleep(0.3)

async def computes():
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        helps()

def helps():
    sum(range(100))

async def waits():
    await anyio.sleep(0.3)

async def is_busy_but_fair():
    for _ in range(100):
        time.sleep(0.005)
        await anyio.sleep(0.001)
"""


@pytest.fixture
def driver(monkeypatch, blockbuster):
    blockbuster.deactivate()
    module = types.ModuleType("watched_driver")
    exec(compile(BLOCKING, "watched_driver.py", "exec"), vars(module))
    monkeypatch.setitem(sys.modules, "watched_driver", module)
    yield module
    blockbuster.activate()


@pytest.mark.parametrize("name", ["sleeps", "computes"])
async def test_what_keeps_the_loop_is_seen_where_it_is(driver, name):
    async with Watchdog({"watched_driver"}, 0.05) as watchdog:
        await getattr(driver, name)()
    assert any(place.endswith("(watched_driver.py)") for place in watchdog.places)
    assert {place.split()[0] for place in watchdog.places} <= {name, "helps"}


@pytest.mark.parametrize("name", ["waits", "is_busy_but_fair"])
async def test_what_lets_others_have_their_turn_is_not_seen(driver, name):
    # In all it is busy for longer; a machine that is busy elsewhere must not make it fail.
    async with Watchdog({"watched_driver"}, 0.25) as watchdog:
        await getattr(driver, name)()
    assert not watchdog.places


async def test_what_others_do_is_not_seen(driver):
    async with Watchdog({"another_driver"}, 0.05) as watchdog:
        await driver.sleeps()
    assert not watchdog.places


async def test_what_is_raised_while_watching_comes_out_as_it_is():
    with pytest.raises(LookupError, match="why"):
        async with Watchdog({"watched_driver"}, 0.05):
            raise LookupError("why")


async def test_a_separate_run_gives_its_result(anyio_backend_name):
    async def run() -> list[str]:
        await anyio.lowlevel.checkpoint()
        return ["done"]

    assert await Separate(anyio_backend_name, run).ended(10) == ["done"]


async def test_a_separate_run_gives_its_failure(anyio_backend_name):
    async def run() -> list[str]:
        raise LookupError("why")

    with pytest.raises(LookupError, match="why"):
        await Separate(anyio_backend_name, run).ended(10)


async def test_one_that_does_not_end_is_given_up(anyio_backend_name):
    released, gone = threading.Event(), threading.Event()

    async def run() -> list[str]:
        await anyio.to_thread.run_sync(released.wait)
        gone.set()
        return []

    assert await Separate(anyio_backend_name, run).ended(0.05) is None
    released.set()
    assert await anyio.to_thread.run_sync(gone.wait, 10)


def test_open_sockets_are_counted():
    # In a process of its own: here, other tests' threads may close theirs at any time.
    program = (
        "import socket\n"
        "from anabranch.testing.conformance.leaks import open_sockets\n"
        "before = open_sockets()\n"
        "three = [socket.socket() for _ in range(3)]\n"
        "during = open_sockets()\n"
        "for one in three: one.close()\n"
        "print(during - before, open_sockets() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split() == ["3", "0"], done.stderr


@pytest.mark.parametrize(
    ("known", "absent"),
    [
        ("17", "99999999"),
        ("6b2d3a7e-0f00-4c1e-9d5a-1234567890ab", "9f9f9f9f-9f99-9f9f-9f9f-9999999999ff"),
        ("web-1", "fff-9"),
    ],
)
def test_a_stranger_has_the_shape_of_what_is_known(known, absent):
    assert stranger(known) == absent
