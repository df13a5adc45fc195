"""Lists: the platform tells names only, so that the details are asked for one by one, at once."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import anyio

from anabranch.errors import AuthenticationError, CloudError, NotFound
from anabranch.paging import ItemProblem, Page
from anabranch_paci.client import PaciCloud, Session
from anabranch_paci.markup import Node

__all__ = ["LOAD_BALANCERS", "SERVERS", "Collection", "names", "page"]

T = TypeVar("T")

_REMEMBERED: Final = 16
_REMEMBERED_FOR: Final = 120.0
_DEAD: Final = 8
"""Details that fail in a row, none in between going well, when the cloud itself is given up."""


class Collection(NamedTuple):
    """A list of the platform."""

    path: str
    root: str
    item: str
    by_subscription: bool
    """Whether it can be asked for by subscription."""


SERVERS: Final = Collection("ve", "ve-list", "ve-info", by_subscription=True)
LOAD_BALANCERS: Final = Collection(
    "load-balancer", "lb-list", "load-balancer", by_subscription=False
)


class _Remembered(NamedTuple):
    """What is left of a list, in the order of the names, and until when that is good."""

    left: Sequence[Node]
    until: float


class _Lists:
    """The lists of one cloud that somebody is in the middle of.

    The whole list comes in one reply. A cursor is the number under which what is left of it is
    remembered here for two minutes, and the last name that was given. When it is remembered no
    more (16 lists are, at most), the list is asked for again, and goes on behind that name.
    """

    def __init__(self, cloud: PaciCloud) -> None:
        del cloud
        self._numbers = itertools.count(1)
        self._lists: dict[tuple[str, Collection, str | None], _Remembered] = {}

    def take(
        self, number: str, collection: Collection, subscription: str | None
    ) -> Sequence[Node] | None:
        found = self._lists.pop((number, collection, subscription), None)
        return found.left if found and anyio.current_time() < found.until else None

    def keep(self, left: Sequence[Node], collection: Collection, subscription: str | None) -> str:
        now = anyio.current_time()
        live = [(key, kept) for key, kept in self._lists.items() if now < kept.until]
        self._lists = dict(live[1 - _REMEMBERED :])
        number = str(next(self._numbers))
        self._lists[number, collection, subscription] = _Remembered(left, now + _REMEMBERED_FOR)
        return number


async def names(
    paci: Session, collection: Collection, subscription: str | None
) -> tuple[list[Node], list[ItemProblem]]:
    """Return a whole list in the order of its names, and the problems of what has no name."""
    asked = subscription if collection.by_subscription else None
    params = {"subscription": asked} if asked else None
    try:
        root, _ = await paci.get(collection.path, roots=(collection.root,), params=params)
    except NotFound as exc:
        raise NotFound(
            f"there is no /{collection.path}: {exc.message}",
            provider_code=exc.provider_code,
            remedy=f"See whether {paci.endpoint} is the endpoint of the API",
        ) from exc
    named: list[Node] = []
    problems: list[ItemProblem] = []
    for info in root.all(collection.item):
        name = info.get("name")
        if name is None:
            ident = info.get("id") or ""
            problems.append(ItemProblem(id=ident, message=f"a <{info.tag}> without a name"))
        elif subscription in (None, info.get("subscription-id") or subscription):
            named.append(info)
    named.sort(key=_name)
    return named, problems


async def page(
    paci: Session,
    collection: Collection,
    cursor: str | None,
    *,
    subscription: str | None,
    detail: Callable[[Node], Awaitable[Sequence[T]]],
    told: Callable[[Node], Sequence[T]] | None = None,
) -> Page[T]:
    """Return one page of details.

    Whatever vanished since the list was made is left out. What cannot be had for another reason
    is a problem of the page, and is there as far as the list told it.

    Args:
        paci: The session.
        collection: The list.
        cursor: The cursor of the page before.
        subscription: Only what belongs to it; None: all.
        detail: Gets the items of one name of the list.
        told: Makes the items of one name from what the list told; None: it tells too little.

    Raises:
        AuthenticationError: the credentials are refused, even in the middle.
        CloudError: the list cannot be had, or the cloud died in the middle.
    """
    lists = paci.cloud.local(_Lists)
    problems: list[ItemProblem] = []
    number, _, last = (cursor or "").partition(":")
    left = lists.take(number, collection, subscription) if cursor else None
    if left is None:
        left, problems = await names(paci, collection, subscription)
        if cursor:
            left, problems = [info for info in left if _name(info) > last], []
    now, later = left[: paci.cloud.settings.page_size], left[paci.cloud.settings.page_size :]
    found = await _Details(paci, detail).of(now)
    items: list[T] = []
    for info, outcome in zip(now, found, strict=True):
        if isinstance(outcome, CloudError):
            items.extend(told(info) if told else ())
            problems.append(ItemProblem(id=_name(info), message=outcome.message or str(outcome)))
        else:
            items.extend(outcome)
    following = None
    if later:
        following = f"{lists.keep(later, collection, subscription)}:{_name(now[-1])}"
    return Page(items, following, problems)


class _Details(Generic[T]):
    """Gets the details of one page, at most so many at once as the session allows."""

    def __init__(self, paci: Session, detail: Callable[[Node], Awaitable[Sequence[T]]]) -> None:
        self._paci, self._detail = paci, detail
        self._outcomes: list[Sequence[T] | CloudError] = []
        self._in_a_row = 0
        self._fatal: CloudError | None = None

    async def of(self, listed: Sequence[Node]) -> Sequence[Sequence[T] | CloudError]:
        self._outcomes = [()] * len(listed)
        async with anyio.create_task_group() as group:
            for index, info in enumerate(listed):
                group.start_soon(self._one, index, info, group.cancel_scope)
        if self._fatal:
            raise self._fatal
        return self._outcomes

    async def _one(self, index: int, info: Node, everything: anyio.CancelScope) -> None:
        async with self._paci.details:
            try:
                self._outcomes[index] = await self._detail(info)
            except NotFound as exc:
                if exc.provider_code is None:  # no reply says so: its name fits into no URL
                    self._outcomes[index] = exc
            except CloudError as exc:
                self._outcomes[index] = exc
                self._in_a_row += exc.retryable
                if isinstance(exc, AuthenticationError) or self._in_a_row >= _DEAD:
                    self._fatal = exc
                    everything.cancel()
            else:
                self._in_a_row = 0


def _name(info: Node) -> str:
    return info.get("name") or ""
