"""A list that is asked for part by part: `?limit=N`, and a `Link` that leads on (RFC 8288)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.sealing import opened, sealed
from anabranch_server.problems import Problem

__all__ = ["Part", "leading_on", "part_of"]

_LIFE: Final = 24 * 3600
"""Seconds that a page can be asked for."""


class Part(NamedTuple):
    """The part of a list that is asked for.

    Attributes:
        limit: Members of a cloud after which it is asked for no further page of its own, from 1;
            None: all are asked for.
        cursors: Where to go on, by cloud; None: at the beginning.
    """

    limit: int | None
    cursors: Mapping[str, str] | None


def part_of(request: Request, about: Sequence[Any]) -> Part:
    """Read which part of a list is asked for.

    Args:
        request: The request; its parameters are `limit` and `page`.
        about: What list it is, as plain values: which collection, whose, and how it is filtered.

    Raises:
        Problem: `limit` is no number from 1, or `page` was not given for this list, or a day ago.
    """
    limit = request.parameters.number("limit")
    if limit is not None and limit < 1:
        raise Problem(400, f"parameter 'limit' is {limit}: 1 or more is wanted")
    page = request.parameters.get("page")
    if page is None:
        return Part(limit, None)
    cursors = opened(page, about, life=_LIFE)
    if cursors is None:
        raise Problem(
            400,
            "parameter 'page' is none that was given for this list, or a day old",
            remedy="Start again without it",
        )
    return Part(limit, cursors)


def leading_on(
    request: Request, cursors: Mapping[str, str], about: Sequence[Any]
) -> tuple[Mapping[str, str], str | None]:
    """Return the header `Link` of a list with a limit, and the URL of its next page, if any.

    Args:
        request: The request.
        cursors: Where each cloud goes on that has more.
        about: What list it is, as for `part_of`.
    """
    root, call = request.view.root, request.call
    links = [f'<{call.address(root, without="page")}>; rel="first"']
    next_page = None
    if cursors:
        next_page = call.address(root, page=sealed(cursors, about))
        links.insert(0, f'<{next_page}>; rel="next"')
    return {"Link": ", ".join(links)}, next_page
