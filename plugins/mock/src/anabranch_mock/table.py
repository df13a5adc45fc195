"""One collection of a cloud: things by id, in the order in which they were made."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.models import Resource
from anabranch.paging import Page
from anabranch.settings import suggestion

__all__ = ["Table"]

R = TypeVar("R", bound=Resource)

_CURSOR = re.compile(r"[0-9]{1,18}")

_FEW = 20
"""Among so many a mistyped id is looked for; among more that would take too long."""


class Table(Generic[R]):
    """Things by id, in the order in which they were made.

    Models are frozen: to change a thing is to `put` another in its place.
    """

    def __init__(
        self, noun: str, *, prefix: str = "", first: int = 1, limit: int | None = None
    ) -> None:
        """Make an empty table.

        Args:
            noun: What the things are called in messages: `instance`.
            prefix: What their ids begin with, where the cloud makes the ids.
            first: Number of the first id.
            limit: How many there may be; None: as many as are wanted.
        """
        self.noun, self.limit = noun, limit
        self._prefix, self._number, self._serial = prefix, first, 0
        self._serials: list[int] = []
        self._serial_of: dict[str, int] = {}
        self._things: dict[int, R] = {}

    def __len__(self) -> int:
        return len(self._things)

    def __iter__(self) -> Iterator[R]:
        return iter(self._things.values())

    def __contains__(self, thing_id: object) -> bool:
        return thing_id in self._serial_of

    def new_id(self) -> str:
        """Return an id that no thing here has, nor ever had."""
        thing_id = f"{self._prefix}{self._number}"
        self._number += 1
        return thing_id

    def get(self, thing_id: str) -> R:
        """Return the thing of that id.

        Raises:
            NotFound: there is none.
        """
        if thing_id not in self._serial_of:
            raise NotFound(f"there is no {self.noun} {thing_id!r}", remedy=self._nearest(thing_id))
        return self._things[self._serial_of[thing_id]]

    def need(self, thing_id: str, field: str) -> R:
        """Return the thing that `field` of a request refers to.

        Raises:
            InvalidRequest: there is none.
        """
        if thing_id not in self._serial_of:
            message = f"{field}: there is no {self.noun} {thing_id!r}"
            raise InvalidRequest(message, remedy=self._nearest(thing_id))
        return self._things[self._serial_of[thing_id]]

    def require_room(self, count: int = 1) -> None:
        """See that `count` more may be made.

        Raises:
            QuotaExceeded: the limit does not allow it.
        """
        if self.limit is not None and len(self) + count > self.limit:
            raise QuotaExceeded(
                f"{count} more {self.noun}(s) wanted, {len(self)} of {self.limit} are there"
            )

    def add(self, thing: R) -> R:
        """Take a new thing in and return it.

        Raises:
            Conflict: there is one of that id already.
            QuotaExceeded: there are as many as there may be.
        """
        if thing.id in self._serial_of:
            raise Conflict(f"there is a {self.noun} {thing.id!r} already")
        self.require_room()
        return self.load(thing)

    def load(self, thing: R) -> R:
        """Take in a thing that was there before its user came: no limit holds."""
        self._serial += 1
        self._serials.append(self._serial)
        self._serial_of[thing.id] = self._serial
        self._things[self._serial] = thing
        return thing

    def put(self, thing: R) -> R:
        """Put a thing in the place of the one with its id, and return it."""
        self._things[self._serial_of[thing.id]] = thing
        return thing

    def remove(self, thing_id: str) -> None:
        """Take a thing out that is here."""
        serial = self._serial_of.pop(thing_id)
        del self._serials[bisect_left(self._serials, serial)]
        del self._things[serial]

    def page(
        self, cursor: str | None, size: int, keep: Callable[[R], bool] | None = None
    ) -> Page[R]:
        """Return the things that follow `cursor`, at most `size`, those that `keep` lets pass.

        The cursor is the serial number of the last thing seen: whatever is made or destroyed
        between two pages, no other thing is missed or comes twice.

        Raises:
            InvalidRequest: the cursor is none of this table's.
        """
        if cursor is not None and not _CURSOR.fullmatch(cursor):
            raise InvalidRequest(f"cursor: {cursor!r} is not from a page of {self.noun}s")
        start = bisect_right(self._serials, int(cursor)) if cursor else 0
        items: list[R] = []
        last = 0
        for position in range(start, len(self._serials)):
            thing = self._things[self._serials[position]]
            if keep is not None and not keep(thing):
                continue
            if len(items) == size:
                return Page(items, str(last))
            items.append(thing)
            last = self._serials[position]
        return Page(items)

    def _nearest(self, thing_id: str) -> str:
        return suggestion(thing_id, self._serial_of) if len(self) <= _FEW else ""
