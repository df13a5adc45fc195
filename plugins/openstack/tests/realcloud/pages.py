"""Lists on a cloud where others are at work at the same time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from typing import Any

from anabranch.errors import InvalidRequest, NotFound

__all__ = ["everything", "undisturbed"]


async def everything(listing: Callable[..., Any], cloud: Any, *arguments: Any) -> list[Any]:
    """Get all pages of a list.

    It begins again where the item that the next page follows is deleted in between: of pages of
    one item there is no other to go on from.
    """
    for _ in range(20):
        found: list[Any] = []
        cursor: str | None = None
        try:
            while True:
                page = await listing(cloud, cursor, *arguments)
                assert not page.problems
                found += page.items
                cursor = page.cursor
                if cursor is None:
                    return found
        except (InvalidRequest, NotFound):
            if cursor is None:
                raise
    raise AssertionError("others delete faster than pages can be read")


async def undisturbed(
    theirs: Callable[[], Awaitable[dict[str, Collection[Any]]]],
    ours: Callable[[], Awaitable[dict[str, Collection[Any]]]],
) -> dict[str, Collection[Any]]:
    """Compare two ways to list the same things, and return what was found.

    Whatever is there before and after must be found, and nothing that is there at neither time.
    """
    for _ in range(5):
        before = {name: set(items) for name, items in (await theirs()).items()}
        found = {name: set(items) for name, items in (await ours()).items()}
        after = {name: set(items) for name, items in (await theirs()).items()}
        assert before.keys() == found.keys()
        if all(before[n] & after[n] <= found[n] <= before[n] | after[n] for n in found):
            return dict(found)
    assert found == after
    raise AssertionError("what there is changes faster than it can be listed")
