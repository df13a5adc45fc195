"""Pages of a list, in the way all OpenStack services cut them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from anabranch_openstack.simulator.wire import Refusal, Request

__all__ = ["Page", "cut", "integer_limit"]

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """The items of one page; `full` when it holds as many as were asked for.

    A full page has a link to a next one even if nothing is left to show there: that is what the
    real services do.
    """

    items: Sequence[T]
    full: bool


def cut(
    items: Sequence[T],
    limit: int | None,
    marker: str | None,
    key: Callable[[T], str],
    missing: Callable[[str], Refusal],
) -> Page[T]:
    """Cut one page out of a list.

    Args:
        items: The whole list in its order.
        limit: The most items on the page; `None` for all of them.
        marker: The key of the item before the page.
        key: The key of an item.
        missing: Makes the refusal of an unknown marker.

    Raises:
        Refusal: The marker is unknown.
    """
    start = 0
    if marker:
        start = next((i for i, item in enumerate(items, 1) if key(item) == marker), 0)
        if not start:
            raise missing(marker)
    chosen = items[start:] if limit is None else items[start : start + limit]
    return Page(chosen, bool(limit) and len(chosen) == limit)


def integer_limit(request: Request, most: int) -> int:
    """The number of items that a request to nova or cinder gets at most.

    Raises:
        Refusal: The limit is not a number.
    """
    text = request.param("limit")
    if text is None:
        return most
    if not text.isdecimal():
        raise Refusal(
            400,
            "Invalid input for query parameters limit."
            f" Value: {text}. '{text}' does not match '^[0-9]*$'",
        )
    return min(int(text), most)
