"""When a request is tried again: how often, after which pause, and whether it is worth it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Final

import anyio

__all__ = ["RetryBudget", "backoff", "retry_after", "worth"]

_LONGEST_WAIT: Final = 30.0


class RetryBudget:
    """Bounds the retries on one cloud: ten at once, and one more for every ten good replies."""

    __slots__ = ("_tenths",)
    _MOST: Final = 100

    def __init__(self) -> None:
        self._tenths = self._MOST

    def earn(self) -> None:
        """Count a good reply."""
        self._tenths = min(self._MOST, self._tenths + 1)

    def spend(self) -> bool:
        """Take a retry, if one is left."""
        if self._tenths < 10:
            return False
        self._tenths -= 10
        return True


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` (seconds, or an HTTP date), in seconds from now; None if absent."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (ValueError, OverflowError):
        return None


def backoff(attempt: int) -> float:
    """Return the pause after a try, in seconds: doubled each time, with jitter."""
    return min(4.0, 0.25 * 2.0**attempt) * random.uniform(0.5, 1.5)


def worth(pause: float) -> bool:
    """Whether there is time for the pause and anything after it, under the deadline in force."""
    left = anyio.current_effective_deadline() - anyio.current_time()
    return bool(pause <= min(_LONGEST_WAIT, left / 2))
