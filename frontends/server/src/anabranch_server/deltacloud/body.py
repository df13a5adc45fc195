"""The body of a request as it arrives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Self

import anyio

from anabranch_server.deltacloud.call import Call
from anabranch_server.problems import Problem

__all__ = ["Body", "ClientGone"]

_PATIENCE: Final = 60.0
"""Seconds that a client may be waited for, at once and in all; what it sends earns it more."""
_SLOWEST: Final = 1024.0
"""Bytes that earn it a second."""


class ClientGone(Problem):
    """The client left before it had sent all of the body: nobody reads the answer."""

    def __init__(self) -> None:
        super().__init__(400, "the body broke off before its end", kind="ClientGone")


class Body(AsyncIterator[bytes]):
    """The pieces of a body, none of them empty; the next is received only when it is asked for.

    Iterating raises `ClientGone` if the body ends before it is complete, and a Problem (408) if
    nothing comes for 60 seconds, or less than 1 KiB a second for longer than that.
    """

    def __init__(self, call: Call) -> None:
        """Take the request; its body is read once, by one `Body`."""
        self._receive, self._more, self._left = call.receive, True, _PATIENCE

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        while self._more:
            began = anyio.current_time()
            try:
                with anyio.fail_after(self._left):
                    message = await self._receive()
            except TimeoutError:
                raise Problem(
                    408, "the body comes too slowly, or no more of it", kind="RequestTimeout"
                ) from None
            if message["type"] == "http.disconnect":
                raise ClientGone
            self._more = message.get("more_body", False)
            part: bytes = message.get("body", b"")
            spent, earned = anyio.current_time() - began, len(part) / _SLOWEST
            self._left = min(_PATIENCE, self._left - spent + earned)
            if part:
                return part
        raise StopAsyncIteration
