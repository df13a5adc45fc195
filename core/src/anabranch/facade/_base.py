"""What the collections of the façade share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import anyio
import msgspec

from anabranch.answer import Answer, CloudStatus
from anabranch.broker import BrokerBase
from anabranch.errors import ConfigurationError, NotFound, OutcomeUnknown
from anabranch.fanout import FanOut
from anabranch.hooks import Ops
from anabranch.ids import QualifiedId
from anabranch.models import Resource

__all__ = ["CALL_TIMEOUT", "Collection", "Listing", "OwnedCollection", "searched"]

T = TypeVar("T", bound=Resource)
SpecT = TypeVar("SpecT", bound=msgspec.Struct)

CALL_TIMEOUT: Final = 60.0
"""Seconds that an operation on one cloud may take, unless told otherwise."""
_LOOK: Final = 30.0
_LOOKS: Final = (0.0, 1.0, 4.0)
"""Pauses before each look for what was lost: it may take the cloud a moment to list it."""
_NAMESAKES: Final = 5


class Listing(Generic[T]):
    """A collection that can be listed over all clouds at once."""

    def __init__(self, broker: BrokerBase, name: str, singular: str) -> None:
        """Take the broker to call, and the collection's name in the plural and the singular."""
        self._broker, self._name, self._singular = broker, name, singular

    async def list(
        self,
        *,
        clouds: Iterable[str] | None = None,
        drivers: Iterable[str] | None = None,
        timeout: float | None = None,
        require: str | int | None = None,
        where: Mapping[str, str] | None = None,
        keep: Callable[[T], bool] | None = None,
        limit: int | None = None,
        cursors: Mapping[str, str] | None = None,
    ) -> Answer[T]:
        """List over many clouds at once.

        Args:
            clouds: Names; None or empty: all.
            drivers: Kinds of driver; None or empty: all.
            timeout: Seconds per cloud; None: the cloud's own, or the configuration's (10).
            require: Clouds that must answer in full (`any`, `all`, a number); None: no matter.
            where: Fields and the text that they must equal.
            keep: Which items to keep, beyond that.
            limit: Ask a cloud for no further page once so many items of it, 1 or more, were kept;
                None: ask for all pages.
            cursors: Where to go on, by cloud, as `cursors` of an earlier answer tells: only these
                are asked. Authenticate what comes from outside: see `BrokerBase.fan_out`.

        Raises:
            RequirementNotMet: fewer clouds than required answered, in full or up to the limit.
            ConfigurationError: there is no such cloud; `limit` is below 1.
        """
        answer = await self.stream(
            clouds=clouds,
            drivers=drivers,
            timeout=timeout,
            where=where,
            keep=keep,
            limit=limit,
            cursors=cursors,
        ).answer()
        if require is not None:
            answer.require(require)
        return answer

    def stream(
        self,
        *,
        clouds: Iterable[str] | None = None,
        drivers: Iterable[str] | None = None,
        timeout: float | None = None,
        where: Mapping[str, str] | None = None,
        keep: Callable[[T], bool] | None = None,
        limit: int | None = None,
        cursors: Mapping[str, str] | None = None,
    ) -> FanOut[T]:
        """List over many clouds at once, page by page as they arrive; arguments as for `list`.

        Use it as `async with broker.instances.stream() as arrivals: async for page in arrivals:`;
        afterwards `arrivals.clouds` tells what became of each cloud, and `arrivals.cursors` which
        have more than the limit.

        Raises:
            ConfigurationError: there is no such cloud; `limit` is below 1.
        """
        operation: Any = getattr(Ops, f"list_{self._name}")
        fan_out: FanOut[T] = self._broker.fan_out(
            operation,
            clouds=clouds,
            drivers=drivers,
            timeout=timeout,
            where=where,
            keep=keep,
            limit=limit,
            cursors=cursors,
        )
        return fan_out

    async def _do(
        self,
        target: str | QualifiedId,
        operation: str,
        *,
        timeout: float = CALL_TIMEOUT,
        **arguments: Any,
    ) -> Any:
        where = self._broker.parse(target)
        arguments = {f"{self._singular}_id": where.id, **arguments}
        return await self._broker.invoke(where.cloud, operation, arguments, timeout=timeout)

    def _beside(self, target: str | QualifiedId, other: str | QualifiedId) -> str:
        """Return the id of `other`, qualified or not, which must be on the cloud of `target`."""
        cloud = self._broker.parse(target).cloud
        if isinstance(other, str) and not other.startswith(f"{cloud}/"):
            known = other.partition("/")[0] in self._broker.clouds and "/" in other
            if not known:
                return other
        there = self._broker.parse(other)
        if there.cloud != cloud:
            raise ConfigurationError(
                f"{target!s} and {other!s} are on different clouds",
                remedy="Both must be on the same",
            )
        return there.id


class Collection(Listing[T]):
    """A collection whose members can be got one by one."""

    async def get(self, target: str | QualifiedId, *, timeout: float = CALL_TIMEOUT) -> T:
        """Return one member.

        Args:
            target: Its `cloud/id`.
            timeout: Seconds that it may take.

        Raises:
            NotFound: there is none.
            CloudError: it cannot be told.
        """
        found: T = await self._do(target, f"get_{self._singular}", timeout=timeout)
        return found


class OwnedCollection(Collection[T], Generic[T, SpecT]):
    """A collection whose members can be made and destroyed."""

    async def create(self, cloud: str, spec: SpecT, *, timeout: float = CALL_TIMEOUT) -> T:
        """Make one, and return it as the cloud now reports it. Not idempotent, never repeated.

        If the answer is lost it is looked for, and the error tells what was found.

        Args:
            cloud: Name of the cloud.
            spec: What to make.
            timeout: Seconds that it may take.

        Raises:
            FeatureNotSupported: the cloud does not offer what a field asks for.
            InvalidRequest: the cloud refuses a field.
            OutcomeUnknown: the answer was lost.
        """
        try:
            made: T = await self._broker.invoke(
                cloud, f"create_{self._singular}", {"spec": spec}, timeout=timeout
            )
        except OutcomeUnknown as exc:
            made = await self._find(cloud, spec, exc)
        return made

    async def _find(self, cloud: str, spec: SpecT, lost: OutcomeUnknown) -> T:
        """Look for what a create made whose answer was lost.

        A name proves nothing: what has it may have been there before. So this tells, and raises.
        """
        group = self._name.replace("_", "-")
        lost.remedy = f"Look for it before you try again: anabranch {group} list --cloud {cloud}"
        name: str | None = getattr(spec, "name", None)
        if not name:
            raise lost
        found, complete = await self._look(cloud, lambda item: item.name == name)
        if found:
            several = ", ".join(str(item.qualified_id) for item in found[:_NAMESAKES])
            more = f" and {len(found) - _NAMESAKES} more" if len(found) > _NAMESAKES else ""
            lost.message += f"; there is one of that name, maybe this: {several}{more}"
        else:
            lost.message += searched("name", complete)
        raise lost

    async def _look(self, cloud: str, keep: Callable[[T], bool]) -> tuple[Sequence[T], bool]:
        """Look until something is found; tell, too, whether the last listing was complete."""
        complete = False
        for pause in _LOOKS:
            await anyio.sleep(pause)
            answer = await self.list(clouds=[cloud], timeout=_LOOK, keep=keep)
            if answer.items:
                return answer.items, True
            complete = answer.cloud(cloud).status is CloudStatus.OK
        return (), complete

    async def destroy(self, target: str | QualifiedId, *, timeout: float = CALL_TIMEOUT) -> bool:
        """Destroy one. Idempotent: what is gone already is no error.

        Args:
            target: Its `cloud/id`.
            timeout: Seconds that it may take.

        Returns:
            Whether it was there.

        Raises:
            Conflict: it is in use.
        """
        try:
            await self._do(target, f"destroy_{self._singular}", timeout=timeout)
        except NotFound:
            return False
        return True


def searched(by: str, complete: bool) -> str:
    """Say that nothing was found by a token or a name."""
    if complete:
        return f"; looked for it by its {by}, and found nothing"
    return "; it could not be looked for either"
