"""Lists: what matches, and which part of it a reply holds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.records import Record
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["listed", "matching", "maximum"]

R = TypeVar("R", bound=Record)

_MAXIMUM = 500
"""The server's own `default.page.size`: the most rows of a page, and of a list without pages."""


def maximum(call: Call) -> int:
    """The most rows that a reply of this cloud holds: its `default.page.size`."""
    return call.state.behaviour.page_size or _MAXIMUM


def _page_of(call: Call, rows: Sequence[Any]) -> Sequence[Any]:
    """The rows of the page that a call asks for.

    Raises:
        Refusal: 431, only one of `page` and `pagesize` was sent, or the page is too large.
    """
    most = maximum(call)
    page, size = call.number("page"), call.number("pagesize")
    if size is not None and size > most:
        raise invalid(f"Page size can not exceed max allowed value: {most}")
    if page is None and size is None:
        return rows[:most]
    if page is None:
        if size == -1:
            return rows
        raise invalid('"page" parameter is required when "pagesize" is specified')
    if size is None:
        raise invalid('"pagesize" parameter is required when "page" is specified')
    if size < 0:
        raise invalid("Can't specify page parameter when pagesize is -1 (Unlimited)")
    start = (max(page, 1) - 1) * size
    return rows[start : start + size]


def listed(call: Call, key: str, rows: Sequence[Any]) -> Document:
    """The reply of a list: the number of all rows that match, and those of the page.

    An empty list is `{}`, a page past the end has its `count` only.

    Args:
        call: The call, with its paging.
        key: What the platform calls one row.
        rows: All rows that match, as documents.
    """
    page = _page_of(call, rows)
    if not rows:
        return {}
    if not page:
        return {"count": len(rows)}
    return {"count": len(rows), key: list(page)}


def matching(call: Call, records: Iterable[R], **equal: str) -> list[R]:
    """The records that the caller sees and that fit the usual filters.

    The usual ones are `id`, `ids`, `name` and `keyword`.

    Args:
        call: The call.
        records: Among which.
        equal: Attributes that must equal a parameter, when it was sent: `zone="zoneid"`.
    """
    wanted = set(call.items("ids"))
    filters = [(name, call.text(sent)) for name, sent in equal.items() if call.has(sent)]
    if call.has("id"):
        filters.append(("id", call.text("id")))
    if call.has("name"):
        filters.append(("name", call.text("name")))
    keyword = call.text("keyword").lower()
    return [
        record
        for record in call.visible(records)
        if all(getattr(record, name) == value for name, value in filters)
        and (not wanted or record.id in wanted)
        and keyword in record.name.lower()
    ]
