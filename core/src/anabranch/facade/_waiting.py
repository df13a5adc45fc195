"""Waiting until a thing is in a state, for the collections whose members go through states."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, Final, TypeVar

import anyio
import msgspec

from anabranch.errors import CloudError, DeadlineExceeded, InvalidState, NotFound
from anabranch.facade._base import CALL_TIMEOUT, OwnedCollection
from anabranch.ids import QualifiedId
from anabranch.models import Resource

__all__ = ["WAIT", "AwaitedCollection"]

T = TypeVar("T", bound=Resource)
SpecT = TypeVar("SpecT", bound=msgspec.Struct)

WAIT: Final = 300.0
"""Seconds to wait for a state, unless told otherwise."""
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 5.0
_FOR_GOOD: Final = frozenset({"ERROR", "FINISH", "DELETED"})
"""States that nothing leaves by itself."""


class AwaitedCollection(OwnedCollection[T, SpecT]):
    """A collection whose members go through states."""

    usable: ClassVar[str] = "AVAILABLE"
    """The state of a member that is ready for use."""

    async def create(
        self, cloud: str, spec: SpecT, *, timeout: float = CALL_TIMEOUT, wait: float | None = None
    ) -> T:
        """Make one. Not idempotent, never repeated: if the answer is lost it is looked for.

        Args:
            cloud: Name of the cloud.
            spec: What to make.
            timeout: Seconds that the cloud may take to accept it.
            wait: Seconds to wait until it can be used; None: do not wait.

        Raises:
            FeatureNotSupported: the cloud does not offer what a field asks for.
            InvalidRequest: the cloud refuses a field.
            OutcomeUnknown: the answer was lost.
            InvalidState: it went to ERROR.
        """
        made = await super().create(cloud, spec, timeout=timeout)
        if wait is None:
            return made
        return await self.wait(made.qualified_id, self.usable, timeout=wait)

    async def destroy(
        self,
        target: str | QualifiedId,
        *,
        timeout: float = CALL_TIMEOUT,
        wait: float | None = None,
    ) -> bool:
        """Destroy one. Idempotent: what is gone already is no error.

        Args:
            target: Its `cloud/id`.
            timeout: Seconds that the cloud may take to accept it.
            wait: Seconds to wait until it is gone; None: do not wait.

        Returns:
            Whether it was there.

        Raises:
            Conflict: it is in use, or its state forbids it.
        """
        there = await super().destroy(target, timeout=timeout)
        if there and wait is not None:
            await self._gone(target, wait)
        return there

    async def wait(self, target: str | QualifiedId, *states: str, timeout: float = WAIT) -> T:
        """Wait until a member is in one of the states, and the platform is done with it.

        Args:
            target: Its `cloud/id`.
            *states: The states to wait for; an instance that is gone altogether is in FINISH.
            timeout: Seconds to wait.

        Raises:
            InvalidState: it went to ERROR instead, or is gone.
            DeadlineExceeded: it did not get there in time; the message tells how far it is.
        """
        seen = "not seen yet"

        def arrived(found: Any) -> bool:
            nonlocal seen
            seen = f"{found.state.value} ({found.platform_state})".replace(" ()", "")
            busy = getattr(found, "busy", False)
            if busy or found.state in states:
                return not busy
            if found.state in _FOR_GOOD:
                reason = getattr(found, "fault", "") or "no reason told"
                failed = InvalidState(f"it is in {seen}: {reason}")
                failed.locate(found.cloud, "wait")
                raise failed
            return False

        where = self._broker.parse(target)
        wanted = " or ".join(states)
        with anyio.move_on_after(timeout):
            try:
                return await self._until(where, arrived)
            except NotFound as exc:
                if (what_is_left := self._finished(where, states)) is not None:
                    return what_is_left
                gone = InvalidState(f"it is gone, not {wanted}; before that it was {seen}")
                gone.locate(where.cloud, "wait")
                raise gone from exc
        late = DeadlineExceeded(f"not {wanted} within {timeout:g} s: it is {seen}")
        late.locate(where.cloud, "wait")
        raise late

    def _finished(self, where: QualifiedId, states: tuple[str, ...]) -> T | None:
        """Return what stands for a member that is gone, if that is a state to wait for."""
        del where, states
        return None

    async def _gone(self, target: str | QualifiedId, seconds: float) -> None:
        def over(found: Any) -> bool:
            return found.state in ("FINISH", "DELETED") and not getattr(found, "busy", False)

        with anyio.move_on_after(seconds):
            with suppress(NotFound):
                await self._until(target, over)
            return
        late = DeadlineExceeded(f"not gone within {seconds:g} s")
        late.locate(self._broker.parse(target).cloud, f"destroy_{self._singular}")
        raise late

    async def _until(self, target: str | QualifiedId, done: Callable[[T], bool]) -> T:
        """Look at a member again and again; an error that may pass does not end it."""
        pause = _FIRST_PAUSE
        while True:
            try:
                found = await self.get(target)
            except CloudError as exc:
                if not exc.retryable:
                    raise
            else:
                if done(found):
                    return found
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
