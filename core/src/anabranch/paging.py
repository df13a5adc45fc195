"""One page of a list: what every list hook returns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

__all__ = ["ItemProblem", "Page"]

T_co = TypeVar("T_co", covariant=True)


class ItemProblem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a list that could not be read, or not in full.

    The list goes on without it, or with what is known of it, and its cloud counts as partial.

    Attributes:
        id: The item's id, as far as it could be read.
        message: What is wrong with it, in one line.
    """

    id: str = ""
    message: str


class Page(msgspec.Struct, Generic[T_co], frozen=True):
    """One page of items and where the next begins.

    A driver returns the platform's own pages as they come; the core asks on until `cursor` is
    None, and owns deadline, retry and resumption.

    Attributes:
        items: The items, as the platform orders them.
        cursor: Opaque to all but the driver: given back to fetch the next page. None: this was the
            last.
        problems: Items that could not be read, or not in full.
    """

    items: Sequence[T_co]
    cursor: str | None = None
    problems: Sequence[ItemProblem] = ()
