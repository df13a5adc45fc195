"""One list operation over many clouds at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Generic, Self, TypeAlias, TypeVar

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream

from anabranch.answer import Answer, CloudReport, CloudStatus, ErrorReport
from anabranch.errors import (
    AnabranchError,
    CloudError,
    DeadlineExceeded,
    OperationNotSupported,
    ProtocolError,
)
from anabranch.paging import ItemProblem, Page

__all__ = ["Arrival", "FanOut", "Target"]

T = TypeVar("T")

Fetch: TypeAlias = Callable[[str | None, float], Awaitable[Page[T]]]
"""Gets the page of a cursor within so many seconds."""

_AT_ONCE: Final = 256
_PAGES_WAITING: Final = 64


class Target(Generic[T]):
    """One cloud of a fan-out: how to get its pages, or why that is not tried."""

    __slots__ = ("cursor", "driver", "fetch", "name", "operation", "refusal", "skip", "timeout")

    def __init__(
        self,
        name: str,
        driver: str,
        operation: str,
        *,
        fetch: Fetch[T] | None = None,
        timeout: float = 10.0,
        cursor: str | None = None,
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
            cursor: Where to begin; None: with the first page.
            refusal: Why it is not asked.
            skip: Whether that counts as skipped instead of failed.
        """
        self.name, self.driver, self.operation = name, driver, operation
        self.fetch, self.timeout, self.cursor = fetch, timeout, cursor
        self.refusal, self.skip = refusal, skip


class Arrival(msgspec.Struct, Generic[T], frozen=True):
    """Items of one page of one cloud, as they arrived."""

    cloud: str
    items: Sequence[T]


class _Course(Generic[T]):
    """How far one cloud has come."""

    __slots__ = ("count", "done", "elapsed", "error", "more", "pages", "problems")

    def __init__(self) -> None:
        self.count = self.pages = 0
        self.done = False
        self.elapsed = 0.0
        self.error: AnabranchError | None = None
        self.more: str | None = None
        self.problems: list[ItemProblem] = []

    def report(self, target: Target[T]) -> CloudReport:
        error = self.error
        if error is None and not self.done:
            error = CloudError("not finished, and not waited for any longer")
        if error is None:
            status = CloudStatus.PARTIAL if self.problems else CloudStatus.OK
        elif target.skip or (not self.pages and type(error) is OperationNotSupported):
            status = CloudStatus.SKIPPED
        else:
            status = CloudStatus.PARTIAL if self.pages else CloudStatus.FAILED
        return CloudReport(
            name=target.name,
            driver=target.driver,
            status=status,
            count=self.count,
            elapsed_ms=round(self.elapsed * 1000),
            error=ErrorReport.of(error) if error else None,
            problems=tuple(self.problems),
        )


class FanOut(Generic[T]):
    """Asks all targets at once, 256 at a time, and gives pages while they arrive.

    An async context manager to iterate in; leaving it early cancels what is still under way. An
    exception in its body comes out as it is, never in an ExceptionGroup. It is for one use.
    Only the time that a cloud takes counts against its deadline, not the time that the consumer
    takes. `answer()` collects everything instead, and afterwards `clouds` tells what became of
    each cloud.
    """

    def __init__(
        self,
        targets: Sequence[Target[T]],
        *,
        keep: Callable[[T], bool] | None = None,
        limit: int | None = None,
    ) -> None:
        """Prepare, and start nothing yet.

        Args:
            targets: The clouds, in the order of the answer.
            keep: Which items to keep; None: all.
            limit: Items of a cloud after which it is not asked for another page; None: all pages.
        """
        self._targets, self._keep = targets, keep
        self._limit = float("inf") if limit is None else limit
        self._courses = {target.name: _Course[T]() for target in targets}
        self._begun = False
        self._broken: Exception | None = None
        self._group: TaskGroup | None = None
        self._pages: MemoryObjectReceiveStream[Arrival[T]] | None = None

    @property
    def clouds(self) -> list[CloudReport]:
        """What became of each cloud so far; final once the iteration has ended."""
        return [self._courses[t.name].report(t) for t in self._targets]

    @property
    def cursors(self) -> Mapping[str, str]:
        """The clouds that reached the limit and have more, each with the cursor to go on from."""
        return {name: c.more for name, c in self._courses.items() if c.more is not None}

    @property
    def awaited(self) -> list[str]:
        """The names of the clouds that have not finished, or were given up before they did."""
        return [name for name, course in self._courses.items() if not course.done]

    async def answer(self) -> Answer[T]:
        """Ask all, and return everything together."""
        found: dict[str, list[T]] = {target.name: [] for target in self._targets}

        async def receive(arrival: Arrival[T]) -> None:
            found[arrival.cloud].extend(arrival.items)

        self._begin()
        await self._ask_all(receive)
        if self._broken:
            raise self._broken
        return Answer(
            [item for items in found.values() for item in items],
            self.clouds,
            {name: c.error for name, c in self._courses.items() if c.error},
            self.cursors,
        )

    async def __aenter__(self) -> Self:
        self._begin()
        send, self._pages = anyio.create_memory_object_stream[Arrival[T]](_PAGES_WAITING)

        async def run() -> None:
            async with send:
                await self._ask_all(send.send)

        self._group = await anyio.create_task_group().__aenter__()
        self._group.start_soon(run)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if self._group is None or self._pages is None:
            return None
        self._group.cancel_scope.cancel()
        try:
            # No task raises anything; an error of the consumer's own is not the group's, which
            # would put it into an ExceptionGroup.
            if isinstance(value, anyio.get_cancelled_exc_class()):
                return await self._group.__aexit__(kind, value, trace)
            await self._group.__aexit__(None, None, None)
            return None
        finally:
            self._pages.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Arrival[T]:
        if self._pages is None:
            msg = "enter the fan-out first: async with …"
            raise RuntimeError(msg)
        try:
            return await self._pages.receive()
        except anyio.EndOfStream:
            if self._broken:
                raise self._broken from None
            raise StopAsyncIteration from None

    def _begin(self) -> None:
        if self._begun:
            msg = "a fan-out is for one use: make another"
            raise RuntimeError(msg)
        self._begun = True

    async def _ask_all(self, receive: Callable[[Arrival[T]], Awaitable[None]]) -> None:
        """Ask all. What `keep` raises ends it and is left in `_broken`, out of any group."""
        asked: list[tuple[Target[T], Fetch[T]]] = []
        for target in self._targets:
            if target.fetch is None:
                self._courses[target.name].error = target.refusal
                self._courses[target.name].done = True
            else:
                asked.append((target, target.fetch))
        if len(asked) == 1:  # needs no task: nearly half of what a listing costs the broker
            try:
                await self._ask(*asked[0], receive)
            except Exception as exc:
                self._broken = exc
            return
        places = anyio.CapacityLimiter(_AT_ONCE)
        async with anyio.create_task_group() as group:

            async def ask(target: Target[T], fetch: Fetch[T]) -> None:
                try:
                    async with places:
                        await self._ask(target, fetch, receive)
                except Exception as exc:
                    self._broken = exc
                    group.cancel_scope.cancel()

            for target, fetch in asked:
                name = f"{target.operation}@{target.name}"
                group.start_soon(ask, target, fetch, name=name)

    async def _ask(
        self,
        target: Target[T],
        fetch: Fetch[T],
        receive: Callable[[Arrival[T]], Awaitable[None]],
    ) -> None:
        course = self._courses[target.name]
        cursor = target.cursor
        cursors = {cursor}
        seen: set[object] = set()
        try:
            while True:
                page = await self._page(target, course, fetch, cursor)
                course.pages += 1
                course.problems.extend(page.problems)
                items = page.items
                if cursor is not None or page.cursor is not None:
                    items = _unseen(items, seen)
                kept = self._filtered(items)
                course.count += len(kept)
                if kept:
                    await receive(Arrival(target.name, kept))
                cursor = page.cursor
                if cursor is None:
                    course.done = True
                    return
                if cursor in cursors:
                    again = ProtocolError("the cloud gives the same page again and again")
                    again.locate(target.name, target.operation)
                    raise again
                if course.count >= self._limit:
                    course.more, course.done = cursor, True
                    return
                cursors.add(cursor)
        except AnabranchError as exc:
            course.error, course.done = exc, True
            if isinstance(exc, DeadlineExceeded) and course.elapsed >= target.timeout:
                exc.message = f"not finished within {target.timeout:g} s"

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


def _unseen(items: Sequence[T], seen: set[object]) -> Sequence[T]:
    """Leave out what an earlier page had: by number, pages overlap when something comes or goes."""
    fresh: list[T] = []
    for item in items:
        ident = getattr(item, "id", None)
        if ident is None or ident not in seen:
            seen.add(ident)
            fresh.append(item)
    return fresh
