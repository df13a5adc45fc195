"""Collections that are several lists on the platform, shown one after the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from anabranch.paging import Page

__all__ = ["Stage", "staged"]

T = TypeVar("T")
Stage = Callable[[str | None], Awaitable[Page[T]]]


async def staged(cursor: str | None, stages: Sequence[Stage[T]]) -> Page[T]:
    """Return a page of the lists, of which each has cursors of its own.

    Args:
        cursor: `STAGE.CURSOR`, as the page before told it; None: the first page of the first.
        stages: The lists.
    """
    number, _, inner = (cursor or "0.").partition(".")
    page = await stages[int(number)](inner or None)
    following: str | None = None
    if page.cursor is not None:
        following = f"{number}.{page.cursor}"
    elif int(number) + 1 < len(stages):
        following = f"{int(number) + 1}."
    return Page(page.items, following, page.problems)
