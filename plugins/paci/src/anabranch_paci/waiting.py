"""Waiting for the platform, never longer than whoever called waits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Generic, NamedTuple, TypeVar

import anyio

from anabranch.errors import CloudError

__all__ = ["Seen", "shown", "time_left", "watch"]

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_LONGEST_RESERVE: Final = 5.0
_LONGEST_ANSWER: Final = 1.0
_SHOWS_WITHIN: Final = 15.0
"""Seconds until a change that was accepted is to show, where no state tells of it."""


class Seen(NamedTuple, Generic[T]):
    """How a wait ended: what was seen last, and whether it was as wanted."""

    last: T | None
    done: bool


def time_left() -> float:
    """Seconds until the caller is to have what is known, shortly before its deadline."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return max(0.0, left - min(_LONGEST_ANSWER, left / 8))


async def watch(
    look: Callable[[], Awaitable[T]],
    done: Callable[[T], bool],
    seconds: float,
    passing: tuple[type[CloudError], ...] = (),
) -> Seen[T]:
    """Look again and again, and return what was seen last and whether it is as wanted.

    It ends, with what it knows, some seconds before the deadline of the caller: so the caller
    still learns it, instead of that nothing is known. An error that may pass does not end it.

    Args:
        look: Gets the thing.
        done: Whether it is as wanted.
        seconds: How long to look at most.
        passing: Further errors that may pass.
    """
    left = anyio.current_effective_deadline() - anyio.current_time()
    seconds = min(seconds, left - min(_LONGEST_RESERVE, left / 4))
    last: T | None = None
    pause = _FIRST_PAUSE
    with anyio.move_on_after(max(0.0, seconds)):
        while True:
            try:
                last = await look()
            except CloudError as exc:
                if not (exc.retryable or isinstance(exc, passing)):
                    raise
            else:
                if done(last):
                    return Seen(last, True)
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
    return Seen(last, False)


async def shown(look: Callable[[], Awaitable[T]], done: Callable[[T], bool]) -> T:
    """Look until a change that was accepted shows, and return what was seen last, so or not.

    Args:
        look: Gets the thing.
        done: Whether the change shows.
    """
    seen = await watch(look, done, _SHOWS_WITHIN)
    return await look() if seen.last is None else seen.last
