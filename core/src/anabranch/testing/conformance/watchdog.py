"""Tells where code held up the event loop of the thread that watches it."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Collection
from types import FrameType, TracebackType
from typing import Final, NamedTuple, Self

import anyio

__all__ = ["Watchdog"]

_LOOK: Final = 0.005


class _Sight(NamedTuple):
    """What of the packages that are watched is on the stack."""

    call: tuple[int, int]
    """Which call it is: the outermost of their frames, and how often the loop beat before."""
    place: str
    """Where it is: the innermost of them."""


class Watchdog:
    """Looks at the stack of the thread that enters it, two hundred times a second.

    What waits for the loop is on no stack. So code of a package that is found there time after
    time, while a task that only beats never gets its turn, keeps the loop: it blocks, or computes.

    Args:
        packages: Names of the packages to watch.
        most: Seconds that a call may keep the loop.

    Attributes:
        places: Where a call kept it longer, `function (file)`, and how often it was seen there.
    """

    def __init__(self, packages: Collection[str], most: float) -> None:
        self._packages, self._most = frozenset(packages), most
        self._ended = threading.Event()
        self._watched = self._beats = 0
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._group = anyio.create_task_group()
        self.places: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        self._group.start_soon(self._beat)
        self._watched = threading.get_ident()
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self._ended.set()
        self._group.cancel_scope.cancel()
        if isinstance(value, anyio.get_cancelled_exc_class()):
            return await self._group.__aexit__(kind, value, trace)
        # What the block raises is not the group's, which would put it into an ExceptionGroup.
        await self._group.__aexit__(None, None, None)
        return None

    async def _beat(self) -> None:
        while True:
            self._beats += 1
            await anyio.sleep(_LOOK)

    def _watch(self) -> None:
        since, last, call = 0.0, time.monotonic(), (0, 0)
        while not self._ended.wait(_LOOK):
            now = time.monotonic()
            sight = self._look()
            if sight is None:
                call = (0, 0)
            elif sight.call != call:
                # It began after the last look: a call that holds the interpreter lock is seen
                # only when it is over.
                since, call = last, sight.call
            if sight is not None and now - since > self._most:
                self.places[sight.place] += 1
            last = now

    def _look(self) -> _Sight | None:
        frame: FrameType | None = sys._current_frames().get(self._watched)  # pyright: ignore[reportPrivateUsage]
        found: list[FrameType] = []
        while frame is not None:
            if str(frame.f_globals.get("__name__")).partition(".")[0] in self._packages:
                found.append(frame)
            frame = frame.f_back
        if not found:
            return None
        code = found[0].f_code
        return _Sight((id(found[-1]), self._beats), f"{code.co_qualname} ({code.co_filename})")
