"""Checks of how calls end: in time, when they are cancelled, and without holding up the loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import anyio
import pytest

from anabranch.errors import AnabranchError, CloudError, DeadlineExceeded, OutcomeUnknown
from anabranch.facade import Broker
from anabranch.testing.behaviour import Behaviour
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, first_page, listable, told
from anabranch.testing.conformance.leaks import open_sockets
from anabranch.testing.conformance.separate import Separate
from anabranch.testing.conformance.watchdog import Watchdog

__all__ = ["EndingChecks"]

_DEADLINE: Final = 0.15
_GRACE: Final = 3.0
_LONGEST: Final = 15.0
_REQUEST: Final = _DEADLINE + _GRACE + 1
_SLOW: Final = 0.08
_STAND_STILL: Final = 0.05
_TIMES: Final = 3
"""A machine that is busy elsewhere stops anywhere, and not each time at the same place."""
_PLACES: Final = 2


class EndingChecks(ConformanceBase):
    """What is asked of the end of a call."""

    async def test_a_hang_is_cut(self, anyio_backend_name: str) -> None:
        """A cloud that never answers costs the deadline and no more, whatever it is asked."""
        self.needs_wire()
        async with self.bench() as bench:

            async def ask() -> list[str]:
                """What did not end as it must."""
                async with await bench.unmanaged(retries=0, request_timeout=_REQUEST) as broker:
                    asking = {name: first_page(name) for name in await self._asking(bench, broker)}
                    first = next(iter(asking))
                    if "create_instance" in broker.capabilities(NAME):
                        spec = await self.spec(bench, broker, "never")
                        asking["create_instance"] = {"spec": spec}
                    for operation, arguments in asking.items():
                        bench.break_with("hang")
                        started = anyio.current_time()
                        came = await _late(broker, operation, arguments)
                        if wrong := _verdict(operation, came, anyio.current_time() - started):
                            return [wrong]
                        bench.break_with()
                        await bench.call(broker, first, **asking[first])
                return []

            found = await Separate(anyio_backend_name, ask).ended(_LONGEST)
        if found is None:
            pytest.fail(
                f"a call with a deadline of {_DEADLINE:g} s did not end at all: the driver holds"
                " on to it when it is cancelled (a shielded scope, or a swallowed cancellation)",
                pytrace=False,
            )
        if found:
            pytest.fail(found[0], pytrace=False)

    async def test_cancellation_leaves_nothing(self, anyio_backend_name: str) -> None:
        """A call that is cancelled ends at once, and leaves no task, no socket, no used place."""
        self.needs_wire()
        async with self.bench() as bench:

            async def cancel() -> list[str]:
                before, tasks = open_sockets(), _tasks()
                settings = {"max_connections": _PLACES, "request_timeout": _REQUEST}
                async with await bench.unmanaged(retries=0, **settings) as broker:
                    times = _PLACES + 1  # one more than there are places to be given back
                    for operation in await self._asking(bench, broker):
                        bench.break_with("hang")
                        for _ in range(times):
                            if wrong := await _cancelled(
                                broker, operation, first_page(operation), tasks
                            ):
                                return [wrong]
                        times = 1
                        bench.break_with()
                        await bench.call(broker, operation, **first_page(operation))
                    if wrong := await self._cancelled_create(bench, broker, tasks):
                        return [wrong]
                return await _settled(before)

            found = await Separate(anyio_backend_name, cancel).ended(_LONGEST)
        if found is None:
            pytest.fail(
                "a call that was cancelled did not end: the driver holds on to it (a shielded"
                " scope, or a swallowed cancellation). What must be done at the end anyway has a"
                " short deadline of its own",
                pytrace=False,
            )
        if found:
            pytest.fail(found[0], pytrace=False)

    async def test_nothing_blocks_the_loop(self) -> None:
        """While a cloud takes its time the loop goes on; what takes long to compute is no less."""
        places: Counter[str] | None = None
        for _ in range(_TIMES):
            async with Watchdog(self.packages(), _STAND_STILL) as watchdog:
                await self._used_while_slow()
            places = watchdog.places if places is None else places & watchdog.places
            if not places:
                return
        if always := (places or Counter()).most_common(1):
            pytest.fail(
                f"the event loop stood still for more than {_STAND_STILL * 1000:g} ms in"
                f" {always[0][0]}: await what waits (cloud.http, anyio.sleep), and put what"
                " cannot be awaited into anyio.to_thread.run_sync",
                pytrace=False,
            )

    # -------------------------------------------------------------------------------------

    async def _asking(self, bench: Bench, broker: Broker) -> list[str]:
        """The lists that ask the cloud; once used, so that the login is over."""
        asking: list[str] = []
        for operation in listable(broker.capabilities(NAME)):
            before = bench.requests()
            await bench.call(broker, operation, **first_page(operation))
            if bench.requests() > before:
                asking.append(operation)
        if not asking:
            pytest.skip("no list is offered")
        return sorted(asking, key=lambda name: name != "list_instances")[:3]

    async def _cancelled_create(self, bench: Bench, broker: Broker, tasks: set[int]) -> str:
        """Cancel a create that got no answer: nothing is made, and nothing is left."""
        offered = broker.capabilities(NAME)
        if not {"create_instance", "list_instances"} <= offered.keys():
            return ""
        spec = await self.spec(bench, broker, "cancelled")
        before = set(await self.machines(bench, broker))
        bench.break_with("hang")
        wrong = await _cancelled(broker, "create_instance", {"spec": spec}, tasks)
        bench.break_with()
        more = set(await self.machines(bench, broker)) - before
        if more and not wrong:
            wrong = f"create_instance was cancelled, and made {sorted(more)} afterwards"
        return wrong

    async def _used_while_slow(self) -> None:
        """Use every list, and make and destroy a machine, on a slow cloud."""
        async with self.bench(instances=20, behaviour=Behaviour(latency=_SLOW)) as bench:
            broker = await bench.warm()
            offered = broker.capabilities(NAME)
            async with anyio.create_task_group() as group:
                for operation in listable(offered):
                    group.start_soon(_tried, broker, operation, first_page(operation))
            if "create_instance" in offered:
                spec = await self.spec(bench, broker, "watched")
                made = await bench.call(broker, "create_instance", spec=spec)
                for operation in ("get_instance", "stop_instance", "destroy_instance"):
                    if operation in offered:
                        await _tried(broker, operation, {"instance_id": made.id})


async def _tried(broker: Broker, operation: str, arguments: dict[str, Any]) -> None:
    try:
        await broker.invoke(NAME, operation, arguments)
    except CloudError:
        return  # what becomes of it is for other checks


async def _late(
    broker: Broker, operation: str, arguments: Mapping[str, Any]
) -> AnabranchError | object:
    """What comes of an operation with a short deadline."""
    try:
        result: object = await broker.invoke(NAME, operation, arguments, timeout=_DEADLINE)
    except AnabranchError as exc:
        return exc
    return result


def _verdict(operation: str, came: object, seconds: float) -> str:
    """What is wrong with the end of a call that was to last for `_DEADLINE`; empty: nothing."""
    if seconds > _DEADLINE + _GRACE:
        return (
            f"{operation} with a deadline of {_DEADLINE:g} s ended after {seconds:.1f} s: a"
            " cancellation must go through at once"
        )
    if isinstance(came, (DeadlineExceeded, OutcomeUnknown)):
        return ""
    how = f"raised {told(came)}" if isinstance(came, Exception) else f"returned {came!r}"
    return (
        f"{operation} with a deadline of {_DEADLINE:g} s at a cloud that never answers must raise"
        f" DeadlineExceeded, and {how}: let a cancellation pass (no bare except, no except"
        " BaseException without raise)"
    )


async def _cancelled(
    broker: Broker, operation: str, arguments: dict[str, Any], tasks: set[int]
) -> str:
    """Cancel an operation, and say what is wrong with its end; empty: nothing."""
    started = anyio.current_time()
    with anyio.move_on_after(_DEADLINE) as scope:
        try:
            await broker.invoke(NAME, operation, arguments, timeout=30)
        except AnabranchError as exc:
            return f"{operation} must be cancelled, and raised {told(exc)}"
    if not scope.cancelled_caught:
        return f"{operation} was cancelled, and returned as if it were not: the driver swallows it"
    if anyio.current_time() - started > _DEADLINE + _GRACE:
        return f"{operation} ended {anyio.current_time() - started:.1f} s after it was cancelled"
    for _ in range(5):  # what was cancelled with it may need a round to end
        if _tasks() <= tasks:
            return ""
        await anyio.sleep(0.02)
    left = [task.name for task in anyio.get_running_tasks() if task.id not in tasks]
    return (
        f"{operation} left a task behind when it was cancelled: {left}. Start tasks in an anyio"
        " task group inside the hook"
    )


def _tasks() -> set[int]:
    return {task.id for task in anyio.get_running_tasks()}


async def _settled(before: int) -> list[str]:
    """Wait until there are no more sockets than before, on either side."""
    until = anyio.current_time() + _GRACE
    left = open_sockets() - before
    while left > 0 and anyio.current_time() < until:
        await anyio.sleep(0.02)
        left = open_sockets() - before
    if left <= 0:
        return []
    wrong = (
        f"{left} sockets are still open after calls were cancelled and the broker was closed:"
        " open connections by cloud.http only, or close them in a finally"
    )
    return [wrong]
