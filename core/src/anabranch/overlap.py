"""Two requests at once, for drivers: a change, and the look at what it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

__all__ = ["read_meanwhile"]

T = TypeVar("T")


async def read_meanwhile(
    change: Callable[[], Awaitable[object]], read: Callable[[], Awaitable[T]]
) -> T:
    """Make a change, read meanwhile, and return what was read: two requests in the time of one.

    What is read may be from before the change or from after it. So it is for changes that are
    accepted now and take effect later: who is told that one was accepted says so of what was read.

    Args:
        change: Makes the change. Nothing but the caller's cancellation ends it early.
        read: Reads; it must do no harm. It is ended when the change fails.

    Raises:
        Exception: that of the change; or else that of the reading, once the change is made.
    """
    read_in_vain: list[Exception] = []
    failures: list[Exception] = []
    found: list[T] = []

    async def reading() -> None:
        try:
            found.append(await read())
        except Exception as exc:
            read_in_vain.append(exc)

    async with anyio.create_task_group() as group:
        group.start_soon(reading)
        try:
            await change()
        except Exception as exc:
            failures.append(exc)
            group.cancel_scope.cancel()
    if failures or read_in_vain:
        raise (failures or read_in_vain)[0]
    return found[0]
