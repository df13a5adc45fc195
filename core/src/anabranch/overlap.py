"""Two requests at once: two looks, or a change and the look at what it changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

__all__ = ["both", "read_meanwhile"]

T = TypeVar("T")
U = TypeVar("U")


async def both(
    first: Callable[[], Awaitable[T]], second: Callable[[], Awaitable[U]]
) -> tuple[T, U]:
    """Do two things at once, and return what they return.

    Which error is told does not depend on which one comes first.

    Args:
        first: Nothing but the caller's cancellation ends it early.
        second: It is ended when `first` fails.

    Raises:
        Exception: that of `first`; or else that of `second`, once `first` is done.
    """
    failed_second: list[Exception] = []
    failed: list[Exception] = []
    found: list[T] = []
    found_second: list[U] = []

    async def doing_second() -> None:
        try:
            found_second.append(await second())
        except Exception as exc:
            failed_second.append(exc)

    async with anyio.create_task_group() as group:
        group.start_soon(doing_second)
        try:
            found.append(await first())
        except Exception as exc:
            failed.append(exc)
            group.cancel_scope.cancel()
    if failed or failed_second:
        raise (failed or failed_second)[0]
    return found[0], found_second[0]


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
    return (await both(change, read))[1]
