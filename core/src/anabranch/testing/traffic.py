"""What a simulated cloud was asked."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Request", "RequestLog"]


class Request(NamedTuple):
    """The first line of a request, without its query."""

    method: str
    path: str


class RequestLog:
    """Counts the requests to one cloud and remembers the latest of them.

    Args:
        size: How many requests are remembered one by one; the totals count all of them.

    Attributes:
        grown: How many replies got fields that nobody knows, since the last reset.
    """

    def __init__(self, size: int = 10_000) -> None:
        self._latest: deque[Request] = deque(maxlen=size)
        self._queries: deque[str] = deque(maxlen=size)
        self._totals: Counter[str] = Counter()
        self.grown = 0

    def __iter__(self) -> Iterator[Request]:
        """The remembered requests, oldest first."""
        return iter(tuple(self._latest))

    def __len__(self) -> int:
        """How many requests are remembered."""
        return len(self._latest)

    @property
    def total(self) -> int:
        """How many requests came since the last reset."""
        return self._totals.total()

    @property
    def totals(self) -> dict[str, int]:
        """How many requests came since the last reset, by method."""
        return dict(self._totals)

    @property
    def queries(self) -> tuple[str, ...]:
        """The query strings of the remembered requests, as they were sent; those that had one."""
        return tuple(self._queries)

    def record(self, method: str, path: str, query: str = "") -> None:
        """Count one request."""
        self._latest.append(Request(method, path))
        if query:
            self._queries.append(query)
        self._totals[method] += 1

    def count(self, path: str = "", method: str = "") -> int:
        """How many remembered requests have this part in their path, and this method."""
        return sum(path in r.path and method in ("", r.method) for r in self)

    def reset(self) -> None:
        """Forget everything."""
        self._latest.clear()
        self._queries.clear()
        self._totals.clear()
        self.grown = 0
