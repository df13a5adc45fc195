"""A circuit breaker: a dead cloud costs its deadline a few times, not every time."""

from __future__ import annotations

from typing import Final

import anyio

from anabranch.errors import CircuitOpen, CloudUnavailable, DeadlineExceeded

__all__ = ["Breaker"]

_FAILURES: Final = 3
_REST: Final = 15.0
_LONGEST_REST: Final = 240.0


class Breaker:
    """Opens after three calls in a row that found the cloud dead; then lets one try at a time.

    The first rest is 15 s; every failed try doubles it, up to 240 s. Errors that an answering
    cloud gives (wrong password, not found) close it.
    """

    __slots__ = ("_failures", "_last", "_rest", "_until")

    def __init__(self) -> None:
        self._failures = 0
        self._rest = _REST
        self._until = 0.0
        self._last = ""

    def check(self) -> None:
        """Let a call pass.

        Raises:
            CircuitOpen: the cloud rests.
        """
        if self._failures < _FAILURES:
            return
        left = self._until - anyio.current_time()
        if left > 0:
            raise CircuitOpen(
                f"not asked for {left:.0f} s more, after {self._failures} failures in a row: "
                f"{self._last}",
                retry_after=left,
            )
        self._until = anyio.current_time() + self._rest

    def record(self, error: BaseException | None) -> None:
        """Count how a call ended; None: well."""
        if isinstance(error, CircuitOpen):
            return
        if not isinstance(error, (CloudUnavailable, DeadlineExceeded)):
            self._failures, self._rest = 0, _REST
            return
        self._failures += 1
        self._last = error.message
        if self._failures >= _FAILURES:
            self._until = anyio.current_time() + self._rest
            self._rest = min(_LONGEST_REST, self._rest * 2)
