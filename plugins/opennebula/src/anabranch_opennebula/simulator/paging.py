"""The range parameters of the pools."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from anabranch_opennebula.simulator.records import Resource

__all__ = ["page"]

_R = TypeVar("_R", bound=Resource)


def page(resources: Iterable[_R], start: int, end: int) -> Iterator[_R]:
    """Part of a pool.

    oned knows no limit of its own, so the page size of a simulated cloud's behaviour has no say.

    Args:
        resources: The pool, newest first.
        start: The lowest id, or the offset when `end` is below -1; negative for all.
        end: The highest id; -1 for no bound; below that, the size of a page.
    """
    if start < 0:
        return iter(resources)
    if end < -1:
        return islice(resources, start, start - end)
    return (r for r in resources if r.id >= start and (end == -1 or r.id <= end))
