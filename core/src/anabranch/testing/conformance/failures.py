"""Checks of failures: each has one name, whatever the platform, and is never an empty list."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Any, Final, NamedTuple

import anyio
import pytest

from anabranch.cloud import Token, TokenStore
from anabranch.errors import (
    AnabranchError,
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    DeadlineExceeded,
    NotFound,
    PermissionDenied,
    ProtocolError,
    RateLimited,
)
from anabranch.facade import Broker
from anabranch.hooks import Ops
from anabranch.operations import OPERATIONS
from anabranch.testing.behaviour import Fault, FaultKind
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, first_page, listable, told
from anabranch.testing.conformance.strangers import stranger

__all__ = ["FailureChecks"]

_RETRY_AFTER: Final = 7
_SHORT: Final = 0.3
_MACHINES: Final = 5
_PROXIED: Final = (
    FaultKind.UNAUTHORIZED,
    FaultKind.FORBIDDEN,
    FaultKind.RATE_LIMITED,
    FaultKind.BROKEN,
    FaultKind.UNAVAILABLE,
)
"""What a proxy in front of a platform says, too; 404 and 409 are the platform's own affair."""
_SPEAKERS: Final = (False, True)


class _Use(NamedTuple):
    """An operation, and arguments that it works with."""

    operation: str
    arguments: Mapping[str, Any]


class FailureChecks(ConformanceBase):
    """What is asked of failures."""

    async def test_unauthorized_is_typed(self) -> None:
        """401 is AuthenticationError."""
        await self._each_is(FaultKind.UNAUTHORIZED, AuthenticationError, "on a reply of 401")
        await self._check_is(FaultKind.UNAUTHORIZED, AuthenticationError, "on a reply of 401")
        await self._a_token_ends()

    async def test_forbidden_is_typed(self) -> None:
        """403 is PermissionDenied."""
        await self._each_is(FaultKind.FORBIDDEN, PermissionDenied, "on a reply of 403")

    async def test_not_found_is_typed(self) -> None:
        """What is not there is NotFound, by its id, and when the platform says so."""
        async with self.bench() as bench:
            broker = await bench.warm(retries=0)
            asked = [u for u in await self._uses(bench, broker) if u.operation.startswith("get_")]
            for operation, arguments in asked:
                ((name, known),) = arguments.items()
                absent = stranger(known)
                when = f"{absent!r} is not there"
                await self.must_fail(broker, operation, {name: absent}, NotFound, when)
            if not asked:
                pytest.skip("no get operation is offered, or nothing is there to be got")
        if self.simulator:
            await self._each_is(FaultKind.NOT_FOUND, NotFound, "on a reply of 404", only="get_")

    async def test_conflict_is_typed(self) -> None:
        """A change that meets 409 is Conflict."""
        await self._each_is(FaultKind.CONFLICT, Conflict, "on a reply of 409", changes=True)

    async def test_rate_limit_is_typed(self) -> None:
        """429 is RateLimited, with the pause that was asked for; one that passes is waited out."""
        self.needs_wire()
        when = f"on a reply of 429 with Retry-After: {_RETRY_AFTER}"
        for use, error in await self._each_is(FaultKind.RATE_LIMITED, RateLimited, when):
            if error.retry_after != _RETRY_AFTER:
                pytest.fail(
                    f"{when}: the RateLimited of {use.operation} must say"
                    f" retry_after={_RETRY_AFTER}, and says {error.retry_after}:"
                    " anabranch.cloud.retry_after(response.headers) reads it",
                    pytrace=False,
                )
        async with self.bench() as bench:
            broker = await bench.warm(retries=2)
            first = self._first_list(broker)
            bench.break_with(Fault(kind=FaultKind.RATE_LIMITED, times=1, retry_after=1))
            started = anyio.current_time()
            await bench.call(broker, first.operation, **first.arguments)
            if anyio.current_time() - started < 1:
                pytest.fail(
                    "a reply of 429 with Retry-After: 1 must be waited out before the next"
                    " try: leave trying again to cloud.http, which does",
                    pytrace=False,
                )

    async def test_unavailable_is_typed(self) -> None:
        """500 and 503 are CloudUnavailable, in every list and on every page; a moment is not."""
        for kind, status in ((FaultKind.BROKEN, 500), (FaultKind.UNAVAILABLE, 503)):
            await self._each_is(kind, CloudUnavailable, f"on a reply of {status}", all_lists=True)
        await self._check_is(FaultKind.UNAVAILABLE, CloudUnavailable, "on a reply of 503")
        await self._a_later_page_fails()
        await self._a_moment_is_not_seen("503x1")

    async def test_timeout_is_typed(self) -> None:
        """No reply within request_timeout is DeadlineExceeded."""
        await self._each_is(
            FaultKind.HANG,
            DeadlineExceeded,
            f"without a reply within request_timeout: {_SHORT}",
            few=True,
            request_timeout=_SHORT,
        )

    async def test_reset_is_typed(self) -> None:
        """A connection that is cut is CloudUnavailable; a cut that passes is not seen."""
        await self._each_is(FaultKind.RESET, CloudUnavailable, "when the connection is cut")
        await self._a_moment_is_not_seen("resetx1")

    async def test_garbage_is_typed(self) -> None:
        """A reply that is not the protocol is ProtocolError, and no empty list."""
        when = "when the reply is a page of HTML with status 200"
        await self._each_is(FaultKind.GARBAGE, ProtocolError, when, all_lists=True)
        await self._check_is(FaultKind.GARBAGE, ProtocolError, when)

    # -------------------------------------------------------------------------------------

    async def _each_is(
        self,
        kind: FaultKind,
        expected: type[CloudError],
        when: str,
        *,
        only: str = "",
        changes: bool = False,
        all_lists: bool = False,
        few: bool = False,
        **settings: Any,
    ) -> list[tuple[_Use, CloudError]]:
        """See that each operation raises the class; between two of them the cloud is well."""
        self.needs_wire()
        errors: list[tuple[_Use, CloudError]] = []
        async with self.bench() as bench:
            broker = await bench.warm(retries=0, **settings)
            if changes:
                uses = await self._changes(bench, broker)
            else:
                uses = await self._uses(bench, broker, all_lists=all_lists)
            uses = [use for use in uses if use.operation.startswith(only)][: 2 if few else None]
            if not uses:
                pytest.skip("no operation that this is about is offered")
            for use in uses:
                for by_proxy in _SPEAKERS[: 2 if kind in _PROXIED and use in uses[:2] else 1]:
                    if not await self._asks(bench, broker, use):
                        continue
                    bench.break_with(Fault(kind=kind, by_proxy=by_proxy, retry_after=_RETRY_AFTER))
                    which = f"{when} (a proxy's, a page of HTML)" if by_proxy else when
                    error = await self.must_fail(
                        broker, use.operation, use.arguments, expected, which
                    )
                    errors.append((use, error))
                    bench.break_with()
        return errors

    async def _check_is(self, kind: FaultKind, expected: type[CloudError], when: str) -> None:
        """See that the check of a cloud that was never asked before raises the class."""
        if type(self.registry().driver(self.kind)).check is Ops.check:
            return
        async with self.bench() as bench:
            broker = await bench.broker(retries=0)
            bench.break_with(Fault(kind=kind))
            await self.must_fail(broker, "check", {}, expected, when)

    async def _asks(self, bench: Bench, broker: Broker, use: _Use) -> bool:
        """Whether an operation asks the cloud at all; changes are not tried beforehand."""
        if use.operation in OPERATIONS and OPERATIONS[use.operation].mutates:
            first = self._first_list(broker)
            await bench.call(broker, first.operation, **first.arguments)
            return True
        before = bench.requests()
        await bench.call(broker, use.operation, **use.arguments)
        return bench.requests() > before

    async def _uses(self, bench: Bench, broker: Broker, *, all_lists: bool = False) -> list[_Use]:
        """What can be asked without changing anything."""
        offered = broker.capabilities(NAME)
        lists = listable(offered)
        most = ("list_instances", "list_images")
        chosen = [op for op in lists if all_lists or op in most] or lists[:1]
        uses = [_Use(operation, first_page(operation)) for operation in chosen]
        for operation in lists:
            singular = operation.removeprefix("list_").removesuffix("s")
            if f"get_{singular}" in offered and (all_lists or operation in chosen):
                page = await bench.call(broker, operation, **first_page(operation))
                uses += [
                    _Use(f"get_{singular}", {f"{singular}_id": item.id}) for item in page.items[:1]
                ]
        return uses

    async def _changes(self, bench: Bench, broker: Broker) -> list[_Use]:
        """Changes of an instance that is there, none of which will come to pass."""
        offered = broker.capabilities(NAME)
        if "list_instances" not in offered:
            return []
        machines = await self.machines(bench, broker)
        wanted = ("stop_instance", "destroy_instance")
        return [
            _Use(operation, {"instance_id": instance})
            for instance in list(machines)[:1]
            for operation in wanted
            if operation in offered
        ]

    def _first_list(self, broker: Broker) -> _Use:
        for operation in sorted(
            listable(broker.capabilities(NAME)), key=lambda name: name != "list_instances"
        ):
            return _Use(operation, first_page(operation))
        pytest.skip("no list is offered")

    async def _a_token_ends(self) -> None:
        """See that a driver that holds a token gets another when it is refused in between."""
        async with self.bench() as bench:
            with pytest.MonkeyPatch.context() as patch:
                logins = _noted_logins(patch)
                broker = await bench.warm(retries=0)
                first = self._first_list(broker)
                await bench.call(broker, first.operation, **first.arguments)
            if not logins:
                return
            bench.break_with(Fault(kind=FaultKind.UNAUTHORIZED, times=1))
            try:
                await broker.invoke(NAME, first.operation, first.arguments)
            except AnabranchError as exc:
                pytest.fail(
                    "when its token is refused in between (it expired, or was revoked),"
                    f" {first.operation} must log in anew, once, and go on:"
                    f" cloud.tokens.discard, then get again; it raised {told(exc)}",
                    pytrace=False,
                )

    async def _a_moment_is_not_seen(self, fault: str) -> None:
        async with self.bench() as bench:
            broker = await bench.warm(retries=2)
            first = self._first_list(broker)
            bench.break_with(fault)
            try:
                await broker.invoke(NAME, first.operation, first.arguments)
            except CloudError as exc:
                pytest.fail(
                    f"{fault}: a failure that passes must not be seen in {first.operation}, and"
                    f" it raised {type(exc).__name__}: {exc}. Reading is idempotent: leave trying"
                    " again to cloud.http, and say idempotent=True where the method does not",
                    pytrace=False,
                )

    async def _a_later_page_fails(self) -> None:
        """What fails in the middle of a list is no end of the list."""
        short = {"page_size": 2} if self.has_setting("page_size") else {}
        async with self.bench(instances=_MACHINES) as bench:
            if bench.simulated:
                bench.simulated.behaviour.page_size = 2
            broker = await bench.warm(retries=0, **short)
            for operation in listable(broker.capabilities(NAME)):
                given = first_page(operation)
                page = await bench.call(broker, operation, **given)
                if page.cursor is None:
                    continue
                bench.break_with("503")
                when = "on a reply of 503 to the second page"
                given = {**given, "cursor": page.cursor}
                if not await self._told_as_problems(broker, operation, given):
                    await self.must_fail(broker, operation, given, CloudUnavailable, when)
                bench.break_with()
                await bench.call(broker, operation, **first_page(operation))

    async def _told_as_problems(
        self, broker: Broker, operation: str, arguments: Mapping[str, Any]
    ) -> bool:
        """Whether a page comes that says of its items that they could not be had."""
        try:
            page = await broker.invoke(NAME, operation, arguments)
        except AnabranchError:
            return False
        return bool(getattr(page, "problems", ()))


def _noted_logins(patch: pytest.MonkeyPatch) -> list[Hashable]:
    """Note from now on which tokens drivers ask for."""
    asked: list[Hashable] = []
    get = TokenStore.get

    async def noting(
        store: TokenStore, key: Hashable, login: Callable[[], Awaitable[Token]]
    ) -> Token:
        asked.append(key)
        return await get(store, key, login)

    patch.setattr(TokenStore, "get", noting)
    return asked
