"""A circuit breaker: a dead cloud costs its deadline a few times, not every time."""

from __future__ import annotations

from typing import Final

import anyio

from anabranch.errors import (
    CircuitOpen,
    CloudError,
    CloudUnavailable,
    DeadlineExceeded,
    OutcomeUnknown,
)

__all__ = ["Breaker"]

_FAILURES: Final = 3
_REST: Final = 15.0
_LONGEST_REST: Final = 240.0
_DEAD: Final = (CloudUnavailable, DeadlineExceeded, OutcomeUnknown)


class Breaker:
    """Opens after three calls in a row that found the cloud dead; then lets one try at a time.

    The first rest is 15 s; every failed try doubles it, up to 240 s. Errors that an answering
    cloud gives (wrong password, not found) close it. Calls that were given less time than is the
    cloud's own are not recorded when that is over.
    """

    __slots__ = ("_failures", "_last", "_rest", "_trying", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._rest = _REST
        self._until = 0.0
        self._trying = False
        self._last = ""

    def check(self) -> None:
        """Let a call pass.

        Raises:
            CircuitOpen: the cloud rests.
        """
        if self._failures < _FAILURES:
            return
        now = anyio.current_time()
        if now < self._until:
            raise CircuitOpen(
                f"not asked for {self._until - now:.0f} s more, after {self._failures} failures "
                f"in a row: {self._last}",
                retry_after=self._until - now,
            )
        # One try. Should nobody ever record how it ended (cancelled), the next is a rest away.
        self._trying, self._until = True, now + self._rest

    def record(self, error: CloudError | None) -> None:
        """Count how a call that was let pass ended; None: well."""
        if not isinstance(error, _DEAD):
            self._failures, self._rest, self._trying = 0, _REST, False
            return
        self._failures += 1
        self._last = error.message
        if self._trying:
            self._rest = min(_LONGEST_REST, self._rest * 2)
        elif self._failures != _FAILURES:
            return  # too few; or one of many that were under way when it opened
        self._trying, self._until = False, anyio.current_time() + self._rest
