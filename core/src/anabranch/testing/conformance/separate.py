"""Runs what may never end in a thread with an event loop of its own, and gives up on it."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

import anyio

__all__ = ["Separate"]

T = TypeVar("T")
_LOOK: Final = 0.01


class Separate(Generic[T]):
    """A coroutine function in a thread of its own.

    A driver that holds on to a cancelled call cannot be ended from outside: not on trio, and on
    asyncio not in a way that would be the same. Its thread is left behind, as a daemon.

    Args:
        backend: `asyncio` or `trio`.
        run: What to run.
    """

    def __init__(self, backend: str, run: Callable[[], Awaitable[T]]) -> None:
        self._backend, self._run = backend, run
        self._results: list[T] = []
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="conformance", daemon=True)

    async def ended(self, seconds: float) -> T | None:
        """Return the result; None: it did not end in time.

        Raises:
            BaseException: what it raised.
        """
        self._thread.start()
        until = anyio.current_time() + seconds
        while self._thread.is_alive() and anyio.current_time() < until:  # noqa: ASYNC110
            await anyio.sleep(_LOOK)
        if self._failure is not None:
            raise self._failure
        return self._results[0] if self._results else None

    def _main(self) -> None:
        try:
            self._results.append(anyio.run(self._run, backend=self._backend))
        except BaseException as exc:  # raised again in the thread that waits for it
            self._failure = exc
