"""Lists: oned's pools, page by page.

oned pages by offset, newest first (oldest first before 5.8, or where it is configured so). While
somebody reads on, machines come and go, and what was at an offset is elsewhere. So a cursor has
the id at which the page before ended, beside the offset of that item, and each page is asked
for so that it begins with that item:

* Machines that were made meanwhile have moved it down. What is seen again is known by its id,
  since the order is that of the ids, and is left out.
* Machines that went away have moved it up. The page then begins behind it, something may lie
  between, and a page further up is asked for.
* A page is asked for with one item more than it shows, so the last one is known as the last.

So everything that is there all the time is listed exactly once, in as many requests as there are
pages. What was made since the first page is not listed, where the newest come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from anabranch.errors import InvalidRequest, OperationNotSupported, ProtocolError
from anabranch.paging import Page
from anabranch_opennebula.client import Session
from anabranch_opennebula.reading import Converted, Thing, convert_all, integer, things
from anabranch_opennebula.replies import NO_SUCH_METHOD

__all__ = [
    "DATASTORES",
    "FIREWALLS",
    "IMAGES",
    "NETWORKS",
    "TEMPLATES",
    "VMS",
    "Pool",
    "listed",
    "page",
    "whole",
]

T = TypeVar("T")
Convert = Callable[[Thing], Iterable[T]]

_SCOPES: Final = {"all": -2, "group": -1, "mine": -3}
_NOT_DONE: Final = -1
_MOST_STEPS: Final = 1000


class Pool(NamedTuple):
    """A pool: the method that lists it, the tag of its items, and how it is asked."""

    method: str
    tag: str
    paged: bool = True
    scoped: bool = False
    more: tuple[int, ...] = ()


VMS: Final = Pool("vmpool.infoextended", "VM", scoped=True, more=(_NOT_DONE,))
"""The short form, `vmpool.info`, lacks the template, the context and most of what users set."""
IMAGES: Final = Pool("imagepool.info", "IMAGE")
TEMPLATES: Final = Pool("templatepool.info", "VMTEMPLATE")
NETWORKS: Final = Pool("vnpool.info", "VNET")
FIREWALLS: Final = Pool("secgrouppool.info", "SECURITY_GROUP")
DATASTORES: Final = Pool("datastorepool.info", "DATASTORE", paged=False)


class _Cursor(NamedTuple):
    """Where the page before ended: offset and id of its last item, and the order."""

    offset: int
    last: int
    ascending: bool

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        numbers = [integer(part) for part in text.split(".")]
        if len(numbers) == 3 and None not in numbers:
            offset, last, ascending = (n or 0 for n in numbers)
            if offset >= 0:
                return cls(offset, last, bool(ascending))
        raise InvalidRequest(f"{text!r} is no cursor of this list")

    def __str__(self) -> str:
        return f"{self.offset}.{self.last}.{self.ascending:d}"

    def seen(self, ident: int | None) -> bool:
        """Whether an item was on a page before."""
        if ident is None:
            return False
        return ident <= self.last if self.ascending else ident >= self.last


class _Window(NamedTuple):
    """What one request showed."""

    items: int
    begins_seen: bool
    fresh: int
    converted: Converted
    cursor: _Cursor | None


async def page(
    session: Session,
    pool: Pool,
    cursor: str | None,
    convert: Convert[T],
    *,
    scoped: bool | None = None,
) -> Page[T]:
    """Get one page of a pool.

    Args:
        session: Whom to ask.
        pool: What to list.
        cursor: The cursor of the page before.
        convert: Makes the models of an item, in a thread.
        scoped: Whether the setting `scope` bounds it; None: as the pool says.

    Raises:
        CloudError: it cannot be had.
        OperationNotSupported: the OpenNebula is too old.
    """
    scope = session.cloud.settings.scope if (pool.scoped if scoped is None else scoped) else "all"
    size = session.cloud.settings.page_size
    before = _Cursor.parse(cursor) if cursor else None
    start = before.offset if before else 0
    most = size + (2 if before else 1)
    for _ in range(_MOST_STEPS):

        def digest(document: Thing, start: int = start) -> _Window:
            return _window(document, pool.tag, before, start, size, convert)

        window = await _ask(session, pool, digest, _SCOPES[scope], start, -most)
        if start > 0 and not window.begins_seen:
            start = max(0, start - size)
            continue
        full = window.items >= most
        if not window.fresh and full:
            start += most - 1
            continue
        more = window.cursor if full or window.fresh > size else None
        items, problems = window.converted
        return Page(items, str(more) if more else None, problems)
    raise ProtocolError("the list changes faster than it can be read")


async def listed(session: Session, pool: Pool, convert: Convert[T]) -> list[T]:
    """Get a whole pool, page by page."""
    found: list[T] = []
    cursor: str | None = None
    while True:
        got = await page(session, pool, cursor, convert)
        found += got.items
        cursor = got.cursor
        if cursor is None:
            return found


async def whole(session: Session, pool: Pool, convert: Convert[T]) -> Page[T]:
    """Get a pool that oned does not page."""

    def digest(document: Thing) -> Converted:
        return convert_all(_items(document, pool.tag), convert)

    items, problems = await _ask(session, pool, digest)
    return Page(items, None, problems)


async def _ask(session: Session, pool: Pool, digest: Callable[[Thing], T], *parameters: int) -> T:
    try:
        return await session.read(digest, pool.method, *parameters, *pool.more)
    except OperationNotSupported as exc:
        if exc.provider_code != str(NO_SUCH_METHOD):
            raise
        version = await session.version()
        raise OperationNotSupported(
            f"OpenNebula {version} is too old: it has no method one.{pool.method}",
            provider_code=exc.provider_code,
            remedy="OpenNebula 5.10 or later is needed",
        ) from exc


def _items(document: Thing, tag: str) -> list[Thing]:
    return things(document.element, document.source or b"", tag)


def _window(
    document: Thing,
    tag: str,
    before: _Cursor | None,
    start: int,
    size: int,
    convert: Convert[T],
) -> _Window:
    found = _items(document, tag)
    ids = [integer(thing.element.findtext("ID")) for thing in found]
    begins_seen = bool(before and ids and before.seen(ids[0]))
    skipped = sum(1 for ident in ids if before and before.seen(ident))
    shown = found[skipped : skipped + size]
    return _Window(
        items=len(found),
        begins_seen=begins_seen,
        fresh=len(found) - skipped,
        converted=convert_all(shown, convert),
        cursor=_next(ids, before, start, skipped + len(shown) - 1),
    )


def _next(
    ids: Sequence[int | None], before: _Cursor | None, start: int, index: int
) -> _Cursor | None:
    """Make the cursor of the page that ends at `index`, or at the last before that with an id."""
    known = [ident for ident in ids if ident is not None]
    ascending = before.ascending if before else len(known) > 1 and known[0] < known[-1]
    for back in range(index, -1, -1):
        ident = ids[back]
        if ident is not None:
            return _Cursor(start + back, ident, ascending)
    return None
