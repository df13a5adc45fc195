"""One list operation over many clouds at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeAlias, TypeVar

import anyio
import msgspec
from anyio.streams.memory import MemoryObjectReceiveStream

from anabranch.answer import Answer, CloudReport, CloudStatus, ErrorReport
from anabranch.errors import AnabranchError, DeadlineExceeded, ProtocolError
from anabranch.paging import ItemProblem, Page

__all__ = ["Arrival", "FanOut", "Target"]

T = TypeVar("T")

Fetch: TypeAlias = Callable[[str | None, float], Awaitable[Page[T]]]
"""Gets the page of a cursor within so many seconds."""

_AT_ONCE: Final = 256
_PAGES_WAITING: Final = 64


class Target(Generic[T]):
    """One cloud of a fan-out: how to get its pages, or why that is not tried."""

    __slots__ = ("driver", "fetch", "name", "operation", "refusal", "skip", "timeout")

    def __init__(
        self,
        name: str,
        driver: str,
        operation: str,
        *,
        fetch: Fetch[T] | None = None,
        timeout: float = 10.0,
        refusal: AnabranchError | None = None,
        skip: bool = False,
    ) -> None:
        """Describe a cloud.

        Args:
            name: Its name.
            driver: Kind of its driver.
            operation: Operation, for the errors.
            fetch: Gets a page.
            timeout: Seconds for all its pages.
            refusal: Why it is not asked.
            skip: Whether that counts as skipped instead of failed.
        """
        self.name, self.driver, self.operation = name, driver, operation
        self.fetch, self.timeout, self.refusal, self.skip = fetch, timeout, refusal, skip


class Arrival(msgspec.Struct, Generic[T], frozen=True):
    """Items of one page of one cloud, as they arrived."""

    cloud: str
    items: Sequence[T]


class _Course(Generic[T]):
    """How far one cloud has come."""

    __slots__ = ("count", "done", "elapsed", "error", "problems")

    def __init__(self) -> None:
        self.count = 0
        self.done = False
        self.elapsed = 0.0
        self.error: AnabranchError | None = None
        self.problems: list[ItemProblem] = []

    def report(self, target: Target[T]) -> CloudReport:
        if self.error is None:
            status = CloudStatus.PARTIAL if self.problems else CloudStatus.OK
        elif target.skip:
            status = CloudStatus.SKIPPED
        else:
            status = CloudStatus.PARTIAL if self.count else CloudStatus.FAILED
        return CloudReport(
            name=target.name,
            driver=target.driver,
            status=status,
            count=self.count,
            elapsed_ms=round(self.elapsed * 1000),
            error=ErrorReport.of(self.error) if self.error else None,
            problems=tuple(self.problems),
        )


class FanOut(Generic[T]):
    """Asks all targets at once, 256 at a time, and gives pages while they arrive.

    An async context manager to iterate in; leaving it early cancels what is still under way.
    Only the time that a cloud takes counts against its deadline, not the time that the consumer
    takes. `answer()` collects everything instead, and afterwards `clouds` tells what became of
    each cloud.
    """

    def __init__(
        self, targets: Sequence[Target[T]], *, keep: Callable[[T], bool] | None = None
    ) -> None:
        """Prepare, and start nothing yet.

        Args:
            targets: The clouds, in the order of the answer.
            keep: Which items to keep; None: all.
        """
        self._targets, self._keep = targets, keep
        self._courses = {target.name: _Course[T]() for target in targets}
        self._stack = AsyncExitStack()
        self._pages: MemoryObjectReceiveStream[Arrival[T]] | None = None

    @property
    def clouds(self) -> list[CloudReport]:
        """What became of each cloud so far; final once the iteration has ended."""
        return [self._courses[t.name].report(t) for t in self._targets]

    @property
    def awaited(self) -> list[str]:
        """The names of the clouds that have not finished yet."""
        return [name for name, course in self._courses.items() if not course.done]

    async def answer(self) -> Answer[T]:
        """Ask all, and return everything together."""
        found: dict[str, list[T]] = {target.name: [] for target in self._targets}

        async def receive(arrival: Arrival[T]) -> None:
            found[arrival.cloud].extend(arrival.items)

        await self._ask_all(receive)
        return Answer(
            [item for items in found.values() for item in items],
            self.clouds,
            {name: c.error for name, c in self._courses.items() if c.error},
        )

    async def __aenter__(self) -> Self:
        send, self._pages = anyio.create_memory_object_stream[Arrival[T]](_PAGES_WAITING)
        tasks: AbstractAsyncContextManager[Any] = anyio.create_task_group()
        await self._stack.enter_async_context(self._pages)
        group = await self._stack.enter_async_context(tasks)

        async def run() -> None:
            async with send:
                await self._ask_all(send.send)

        group.start_soon(run)
        self._stack.callback(group.cancel_scope.cancel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._stack.__aexit__(kind, value, trace)

    def __aiter__(self) -> AsyncIterator[Arrival[T]]:
        if self._pages is None:
            msg = "enter the fan-out first: async with …"
            raise RuntimeError(msg)
        return aiter(self._pages)

    async def _ask_all(self, receive: Callable[[Arrival[T]], Awaitable[None]]) -> None:
        places = anyio.CapacityLimiter(_AT_ONCE)
        async with anyio.create_task_group() as group:
            for target in self._targets:
                if target.fetch is None:
                    self._courses[target.name].error = target.refusal
                    self._courses[target.name].done = True
                else:
                    group.start_soon(
                        self._ask,
                        target,
                        target.fetch,
                        receive,
                        places,
                        name=f"{target.operation}@{target.name}",
                    )

    async def _ask(
        self,
        target: Target[T],
        fetch: Fetch[T],
        receive: Callable[[Arrival[T]], Awaitable[None]],
        places: anyio.CapacityLimiter,
    ) -> None:
        course = self._courses[target.name]
        cursors: set[str] = set()
        cursor: str | None = None
        async with places:
            try:
                while True:
                    page = await self._page(target, course, fetch, cursor)
                    course.problems.extend(page.problems)
                    kept = self._filtered(page.items)
                    course.count += len(kept)
                    if kept:
                        await receive(Arrival(target.name, kept))
                    cursor = page.cursor
                    if cursor is None:
                        return
                    if cursor in cursors:
                        raise ProtocolError("the cloud gives the same page again and again")
                    cursors.add(cursor)
            except AnabranchError as exc:
                course.error = exc
                if isinstance(exc, DeadlineExceeded) and course.elapsed >= target.timeout:
                    exc.message = f"not finished within {target.timeout:g} s"
            finally:
                course.done = True

    async def _page(
        self,
        target: Target[T],
        course: _Course[T],
        fetch: Fetch[T],
        cursor: str | None,
    ) -> Page[T]:
        started = anyio.current_time()
        try:
            return await fetch(cursor, max(0.0, target.timeout - course.elapsed))
        finally:
            course.elapsed += anyio.current_time() - started

    def _filtered(self, items: Sequence[T]) -> Sequence[T]:
        return items if self._keep is None else [item for item in items if self._keep(item)]
