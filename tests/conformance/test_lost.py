"""What was sent and not answered, and what was cut off in the middle, on every platform."""

from __future__ import annotations

import gc
import os
import stat
from contextlib import suppress

import anyio
import anyio.to_thread
import pytest

from anabranch import Broker, CloudError, Feature, OutcomeUnknown
from anabranch.testing.fleet import simulated_kinds


@pytest.fixture(params=simulated_kinds())
def kind(request) -> str:
    return request.param


@pytest.fixture
def fleet(kind, simulated_fleet):
    return simulated_fleet(**{kind: 1}, instances=2)


async def new_broker(fleet, **settings) -> Broker:
    return await anyio.to_thread.run_sync(lambda: Broker(fleet.configuration(**settings)))


async def test_a_machine_whose_create_was_not_answered_is_found_and_not_made_twice(
    kind, fleet, creates, spec_of
):
    cloud = f"{kind}-1"
    async with await new_broker(fleet, timeout=20) as broker:
        spec = await spec_of(broker, kind)
        before = {item.id for item in await broker.instances.list()}
        fleet.break_with([f"lostx1:{creates[kind]}"])
        found = None
        try:
            found = await broker.instances.create(cloud, spec)
        except OutcomeUnknown as exc:
            told = str(exc)
            assert "only-once" in told or "found nothing" not in told
        new = [item for item in await broker.instances.list() if item.id not in before]
        assert len(new) == 1
        offered = broker.capabilities(cloud)["create_instance"].features
        if Feature.CLIENT_TOKEN in offered:
            assert found is not None
            assert found.id == new[0].id


async def test_one_that_was_never_made_is_told_so_and_not_tried_again(
    kind, fleet, creates, spec_of, monkeypatch
):
    monkeypatch.setattr("anabranch.facade._base._LOOKS", (0.0,))
    cloud = f"{kind}-1"
    requests = fleet[cloud].requests
    async with await new_broker(fleet, timeout=20) as broker:
        spec = await spec_of(broker, kind)
        before = {item.id for item in await broker.instances.list()}
        requests.reset()
        fleet.break_with([f"resetx1:{creates[kind]}"])
        with pytest.raises(OutcomeUnknown, match=r"found nothing|is not there|looked for"):
            await broker.instances.create(cloud, spec)
        assert {item.id for item in await broker.instances.list()} == before
    method, _, path = creates[kind].rpartition(" ")
    assert requests.count(path.strip("*"), method) == 1


def sockets() -> int:
    found = 0
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            found += stat.S_ISSOCK(os.stat(f"/proc/self/fd/{name}").st_mode)
    return found


@pytest.fixture
def settled(blockbuster):
    """Waits until there are no more sockets than before, on either side."""
    blockbuster.deactivate()

    async def wait(before: int) -> None:
        with anyio.move_on_after(5):
            while sockets() > before:
                gc.collect()
                await anyio.sleep(0.02)
        assert sockets() <= before

    yield wait
    blockbuster.activate()


async def test_a_listing_that_is_cut_off_leaves_no_task_and_no_socket(kind, fleet, settled):
    before, tasks = sockets(), len(anyio.get_running_tasks())
    fleet.break_with(["hang"])
    broker = await new_broker(fleet)
    with anyio.move_on_after(0.3) as scope:
        await broker.instances.list(timeout=30)
    assert scope.cancelled_caught
    assert len(anyio.get_running_tasks()) == tasks
    await broker.aclose()
    await settled(before)


async def test_so_does_a_create_and_nothing_is_made(kind, fleet, creates, spec_of, settled):
    before, tasks = sockets(), len(anyio.get_running_tasks())
    broker = await new_broker(fleet, timeout=20)
    spec = await spec_of(broker, kind)
    there = {item.id for item in await broker.instances.list()}
    fleet.break_with([f"hang:{creates[kind]}"])
    with anyio.move_on_after(0.5) as scope:
        await broker.instances.create(f"{kind}-1", spec)
    assert scope.cancelled_caught
    assert len(anyio.get_running_tasks()) == tasks
    assert {item.id for item in await broker.instances.list()} == there
    await broker.aclose()
    await settled(before)


async def test_destroying_what_is_gone_succeeds(kind, fleet, spec_of):
    async with await new_broker(fleet, timeout=20) as broker:
        spec = await spec_of(broker, kind)
        made = await broker.instances.create(f"{kind}-1", spec, wait=20)
        if "destroy" not in made.actions:
            await broker.instances.stop(made.qualified_id, wait=20)
        assert await broker.instances.destroy(made.qualified_id, wait=20) is True
        with suppress(CloudError):  # a platform may still show what is gone
            assert (await broker.instances.get(made.qualified_id)).state == "FINISH"
        again = await broker.instances.destroy(made.qualified_id)
        assert again in (True, False)
