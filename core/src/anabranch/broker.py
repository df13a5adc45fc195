"""The broker: clouds, their drivers, and every call to one of them."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar, cast

import anyio
import msgspec

from anabranch.answer import Answer
from anabranch.breaker import Breaker
from anabranch.capabilities import Capabilities
from anabranch.cloud import Cloud, SingleFlight
from anabranch.configuration import Configuration, check_entry
from anabranch.dispatch import Dispatch
from anabranch.errors import (
    AnabranchError,
    CloudError,
    ConfigurationError,
    DeadlineExceeded,
    DriverFault,
    OperationNotSupported,
    OutcomeUnknown,
    PluginError,
)
from anabranch.fanout import FanOut, Target
from anabranch.features import FEATURES
from anabranch.hooks import CloudIdentity, Lacks, Ops
from anabranch.ids import QualifiedId
from anabranch.operations import OPERATIONS
from anabranch.paging import Page
from anabranch.plugins import PluginRegistry
from anabranch.results import nonsense
from anabranch.settings import CloudSettings, suggestion

__all__ = ["BrokerBase"]

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_CALL_TIMEOUT: Final = 60.0
_PROBE_LIFE: Final = 300.0
_CLOSING: Final = 2.0
_ABOUT_CLOUDS: Final = ("check", "probe")


class _Member:
    """One configured cloud: with what it takes to call it, or with why it cannot be called."""

    __slots__ = ("breaker", "capabilities", "cloud", "failure", "kind", "name", "probed", "probing")

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.cloud: Cloud[Any] | None = None
        self.failure: PluginError | None = None  # exactly one of the two is None
        self.capabilities = Capabilities(kind, ())
        self.breaker = Breaker()
        self.probed: float | None = None
        self.probing = SingleFlight[Lacks]()

    def usable(self) -> Cloud[Any]:
        if self.cloud is None:
            # Another each time: an exception keeps the traceback of every raise.
            raise PluginError(str(self.failure)) from self.failure
        return self.cloud


class BrokerBase:
    """Routes each call to the one driver concerned; safe to share among tasks.

    An async context manager: leaving it closes all connections. It belongs to one event loop.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        registry: PluginRegistry | None = None,
        beside: BrokerBase | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Load the drivers of the configured clouds, and check their settings. Connects nowhere.

        It imports and may read files: make it before the loop runs, or in a thread
        (`await anyio.to_thread.run_sync(Broker, configuration)`). A driver that cannot be loaded
        fails its clouds, not the broker.

        Args:
            configuration: What `load_configuration` returns.
            registry: The drivers to use; None: those that are installed.
            beside: Another broker whose drivers to share instead, and what wraps them: see
                `sibling`.
            environment: The variables that entries may refer to; None: those of the process.

        Raises:
            ConfigurationError: a setting of a cloud is wrong; several: all are told in one.
        """
        self.configuration = configuration
        self._dispatch: Dispatch = (
            Dispatch(registry or PluginRegistry(configuration.plugins))
            if beside is None
            else beside._dispatch
        )
        self.registry = self._dispatch.registry
        self._environment = dict(os.environ if environment is None else environment)
        wrong: list[ConfigurationError] = []
        self._members: dict[str, _Member] = {}
        for name, entry in configuration.clouds.items():
            try:
                self._members[name] = self._join(name, entry)
            except ConfigurationError as exc:
                exc.cloud = exc.cloud or name
                wrong.append(exc)
        if len(wrong) == 1:
            raise wrong[0]
        if wrong:
            raise ConfigurationError("; ".join(str(exc) for exc in wrong))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections; idempotent."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(_CLOSING):
            async with anyio.create_task_group() as group:
                for member in self._members.values():
                    if member.cloud:
                        group.start_soon(member.cloud.aclose)

    def sibling(
        self,
        clouds: Mapping[str, Mapping[str, Any]],
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Return another broker that has other clouds and shares the drivers; costs below 0.1 ms.

        Shared are the loaded drivers, the rules about plugins, and what was given to `register`,
        then or later, to either. Nothing else is: clouds, connections, tokens, breakers and probes
        are its own, and closing one closes none of the other. So the same name may stand for
        another account in each: what a wrapper keeps about a cloud belongs into `cloud.local`.

        Call it on the loop's thread. It blocks where a driver is not loaded yet; load it before,
        in another: `await anyio.to_thread.run_sync(broker.registry.driver, "openstack")`. Drivers
        read files that an entry refers to: whoever takes entries from outside chooses the fields.

        Args:
            clouds: Entries by name, as in `anabranch.yaml`.
            environment: The variables that they may refer to; None: none, not even those of the
                process. (The proxy that the process uses is in force for all.)

        Raises:
            ConfigurationError: a name or a setting is wrong; several: all are told in one.
        """
        own = msgspec.structs.replace(self.configuration, clouds=dict(clouds), source="")
        return type(self)(own, beside=self, environment=environment or {})

    @property
    def clouds(self) -> Mapping[str, str]:
        """The kind of driver of each cloud, by the cloud's name, in configuration order."""
        return {member.name: member.kind for member in self._members.values()}

    def register(self, plugin: object, name: str | None = None) -> None:
        """Add a plugin that wraps hooks (caching, audit, quota), here and for all siblings.

        Args:
            plugin: Object whose `@hookimpl(wrapper=True)` methods wrap the operations of that name.
            name: Its name.

        Raises:
            PluginError: it has a hook that there is not, or one that wraps nothing: an operation
                is answered by the driver of its cloud and nobody else.
        """
        self._dispatch.register(plugin, name)

    def capabilities(self, cloud: str) -> Capabilities:
        """What a cloud offers, as far as it is known without asking it; see `probe`.

        Raises:
            ConfigurationError: there is no such cloud.
            PluginError: its driver cannot be loaded.
        """
        member = self._member(cloud)
        member.usable()
        return member.capabilities

    async def probe(self, cloud: str, *, timeout: float = _CALL_TIMEOUT) -> Capabilities:
        """Ask a cloud what it lacks, and return what it offers now; kept for five minutes.

        Raises:
            CloudError: it cannot be told.
        """
        member = self._member(cloud)
        member.usable()
        now = anyio.current_time()
        if member.probed is None or now - member.probed > _PROBE_LIFE:

            async def ask() -> Lacks:
                try:
                    lacks: Lacks = await self.invoke(cloud, "probe", {}, timeout=timeout)
                except OperationNotSupported:
                    return Lacks()
                return lacks

            lacks = await member.probing.get(ask)
            member.capabilities = self._dispatch.capabilities(member.kind).narrowed(lacks)
            member.probed = now
        return member.capabilities

    async def check(self, cloud: str, *, timeout: float | None = None) -> CloudIdentity:
        """Log in to a cloud and tell who one is there. Changes nothing.

        Args:
            cloud: Name of the cloud.
            timeout: Seconds that it may take; None: the cloud's own, or the configuration's.

        Raises:
            CloudError: it cannot be reached, or refuses the credentials.
        """
        identity: CloudIdentity = await self.invoke(
            cloud, "check", {}, timeout=timeout or self._patience(self._member(cloud))
        )
        return identity

    async def call(
        self,
        cloud: str,
        operation: Callable[Concatenate[Any, Cloud[Any], P], Awaitable[R]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> R:
        """Call one operation on one cloud; it may take 60 s.

        Args:
            cloud: Name of the cloud.
            operation: The hookspec, as the typed key: `Ops.start_instance`.
            *args: The hook's parameters after `cloud` …
            **kwargs: … or the same by name.

        Raises:
            ConfigurationError: there is no such cloud.
            PluginError: its driver cannot be loaded.
            OperationNotSupported: it does not offer the operation.
            FeatureNotSupported: it does not offer what a parameter asks for.
            DeadlineExceeded: it did not answer in time.
            OutcomeUnknown: the answer to a change was lost.
            DriverFault: its driver has a bug.
            CloudError: any other failure, by its narrowest class.
        """
        name = operation.__name__
        known = OPERATIONS.get(name)
        arguments = dict(zip(known.parameters if known else (), args, strict=False))
        if len(arguments) < len(args) or not arguments.keys().isdisjoint(kwargs):
            raise TypeError(f"{name} is given more arguments than it takes")
        result: R = await self.invoke(cloud, name, {**arguments, **kwargs})
        return result

    async def invoke(
        self,
        cloud: str,
        operation: str,
        arguments: Mapping[str, Any],
        *,
        timeout: float = _CALL_TIMEOUT,
    ) -> Any:
        """Call an operation by its name; untyped, otherwise as `call`.

        Args:
            cloud: Name of the cloud.
            operation: Name of the hook.
            arguments: Its parameters after `cloud`.
            timeout: Seconds that it may take.

        Raises:
            TypeError: there is no such parameter, or one is missing.
        """
        member = self._member(cloud)
        target = member.usable()
        if operation in OPERATIONS:
            OPERATIONS[operation].check(arguments)
            arguments = {**OPERATIONS[operation].defaults, **arguments}
        started = anyio.current_time()
        asked = False
        try:
            self._refuse(member, operation, arguments)
            member.breaker.check()
            asked = True
            result = await self._ask(member, target, operation, arguments, timeout)
        except BaseException as exc:
            if _is_not_the_drivers(exc):
                raise
            error = _deliberate(exc) or DriverFault(
                f"{type(exc).__name__} in driver {member.kind!r}"
            )
            taken = anyio.current_time() - started
            elapsed = round(taken * 1000)
            if isinstance(error, CloudError):
                error.locate(cloud, operation)
                # A cloud that was given less time than is its own is not dead for that.
                given_up = (
                    isinstance(error, (DeadlineExceeded, OutcomeUnknown)) and taken >= timeout
                )
                hasty = given_up and timeout < min(self._patience(member), _CALL_TIMEOUT)
                if asked and not isinstance(error, DriverFault) and not hasty:
                    member.breaker.record(error)
            if isinstance(error, DriverFault):
                target.log.warning("driver.fault", operation=operation, error=repr(exc))
            else:
                target.log.info(
                    "cloud.call.failed", operation=operation, error=str(error), elapsed_ms=elapsed
                )
            if error is exc:
                raise
            raise error from (error.__cause__ or exc)
        member.breaker.record(None)
        return result

    def fan_out(
        self,
        operation: Callable[..., Awaitable[Page[T]]],
        *,
        clouds: Iterable[str] | None = None,
        drivers: Iterable[str] | None = None,
        timeout: float | None = None,
        where: Mapping[str, str] | None = None,
        keep: Callable[[T], bool] | None = None,
        limit: int | None = None,
        cursors: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> FanOut[T]:
        """Prepare one list operation over many clouds at once.

        With `limit` it can be asked for part by part: the answer's `cursors` tell which clouds
        have more, and given back they go on from there, with everything else as it was. Nothing
        is kept here in between, and no page is fetched twice. A cloud that failed has no cursor.
        A cursor is trusted, and a driver may put anything into it, even a path: whoever takes one
        from outside authenticates it.

        Args:
            operation: The hookspec: `Ops.list_instances`.
            clouds: Names; None or empty: all.
            drivers: Kinds of driver; None or empty: all.
            timeout: Seconds per cloud; None: the cloud's own, or the configuration's.
            where: Fields and the text that they must equal. What the driver can filter by is
                sent to the cloud, the rest is filtered here.
            keep: Which items to keep, beyond that.
            limit: Ask a cloud for no further page once so many items of it, 1 or more, were kept.
                Its pages are whole, so that there may be more items. None: ask for all pages.
            cursors: Where to go on, by cloud: only these are asked. None: from the beginning.
            **arguments: Further parameters of the hook (`bucket_id`).

        Raises:
            ConfigurationError: there is no such cloud, or none of that kind; `limit` is below 1.
        """
        chosen = self.configuration.select(clouds, drivers).clouds
        for name in cursors or ():
            self._member(name)
        if limit is not None and limit < 1:
            raise ConfigurationError(f"{limit} is below 1", field="limit")
        fields = dict(where or {})
        known = OPERATIONS[operation.__name__]
        known.check({"cursor", *arguments} | ({"where"} & set(known.parameters)))
        names = known.model().__struct_fields__ if fields else ()
        for field in set(fields).difference(names):
            raise ConfigurationError(
                f"there is no field {field!r} in {known.collection}",
                remedy=suggestion(field, names),
            )
        return FanOut(
            [
                self._target(
                    self._members[name],
                    operation,
                    timeout,
                    fields,
                    arguments,
                    cursors[name] if cursors else None,
                )
                for name in chosen
                if cursors is None or name in cursors
            ],
            keep=_keeper(fields, keep),
            limit=limit,
        )

    async def list_all(
        self, operation: Callable[..., Awaitable[Page[T]]], **options: Any
    ) -> Answer[T]:
        """List over many clouds at once and return everything together; see `fan_out`."""
        return await self.fan_out(operation, **options).answer()

    def parse(self, text: str | QualifiedId) -> QualifiedId:
        """Read `cloud/id`, and see that there is such a cloud.

        Raises:
            ConfigurationError: it is not of that form, or there is no such cloud.
        """
        qualified = QualifiedId.parse(text) if isinstance(text, str) else text
        self._member(qualified.cloud)
        return qualified

    def _join(self, name: str, entry: Mapping[str, Any]) -> _Member:
        check_entry(name, entry)
        kind = str(entry["driver"])
        if kind not in self.registry.kinds:
            raise ConfigurationError(
                f"there is no driver {kind!r}",
                cloud=name,
                field="driver",
                remedy=suggestion(kind, self.registry.kinds)
                + f" Or install it: pip install anabranch-{kind}",
            )
        member = _Member(name, kind)
        try:
            driver = self._dispatch.enlist(kind)
            member.cloud = Cloud(name, self._settings(kind, driver, name, entry))
            member.capabilities = self._dispatch.capabilities(kind)
        except ConfigurationError:
            raise
        except PluginError as exc:
            member.failure = exc
        except (Exception, SystemExit) as exc:  # a bug: of this driver's clouds alone
            # Without its text: an exception about settings may quote a secret.
            place = _place(exc)
            member.failure = PluginError(f"{type(exc).__name__} in driver {kind!r}, {place}")
            member.failure.__cause__ = exc
        return member

    def _settings(
        self, kind: str, driver: Ops, cloud: str, entry: Mapping[str, Any]
    ) -> CloudSettings:
        settings: object = driver.configure(cloud, entry, self._environment)
        if not isinstance(settings, CloudSettings):
            raise PluginError(
                f"driver {kind!r} made {type(settings).__name__} of the settings of {cloud!r}"
            )
        return settings

    def _member(self, cloud: str) -> _Member:
        try:
            return self._members[cloud]
        except KeyError:
            raise ConfigurationError(
                f"there is no cloud {cloud!r}", remedy=suggestion(cloud, self._members)
            ) from None

    def _patience(self, member: _Member) -> float:
        """Return the seconds that a cloud may take, its own or the configuration's."""
        own = member.cloud.settings.timeout if member.cloud else None
        return own or self.configuration.timeout

    def _target(
        self,
        member: _Member,
        operation: Callable[..., Awaitable[Page[T]]],
        timeout: float | None,
        where: Mapping[str, str],
        arguments: Mapping[str, Any],
        start: str | None,
    ) -> Target[T]:
        name = operation.__name__
        if member.failure or member.cloud is None:
            return Target(member.name, member.kind, name, refusal=member.failure)
        if name not in member.capabilities:
            why = OperationNotSupported(member.capabilities.why_not(name))
            why.locate(member.name, name)
            return Target(member.name, member.kind, name, refusal=why, skip=True)
        wanted = timeout or self._patience(member)
        arguments = dict(arguments)
        if "where" in OPERATIONS[name].parameters:
            offered = member.capabilities[name].features
            pushed = {f for feature in offered for f in FEATURES[feature].fields}
            arguments["where"] = {k: v for k, v in where.items() if k in pushed}

        ignored = member.capabilities[name].ignores

        async def fetch(cursor: str | None, seconds: float) -> Page[T]:
            page: Page[T] = await self.invoke(
                member.name, name, {**arguments, "cursor": cursor}, timeout=seconds
            )
            if page.cursor is not None and "cursor" in ignored:
                fault = DriverFault(f"driver {member.kind!r} gives a cursor that it does not take")
                fault.locate(member.name, name)
                raise fault
            return page

        return Target(member.name, member.kind, name, fetch=fetch, timeout=wanted, cursor=start)

    def _refuse(self, member: _Member, operation: str, arguments: Mapping[str, Any]) -> None:
        """Refuse what is not offered, before the cloud is asked."""
        if operation in OPERATIONS:
            member.capabilities.require(operation, arguments)
        elif operation not in _ABOUT_CLOUDS:
            raise OperationNotSupported(
                f"there is no operation {operation!r}", remedy=suggestion(operation, OPERATIONS)
            )
        elif not self._dispatch.has(member.kind, operation):
            raise OperationNotSupported(member.capabilities.why_not(operation))

    async def _ask(
        self,
        member: _Member,
        cloud: Cloud[Any],
        operation: str,
        arguments: Mapping[str, Any],
        timeout: float,
    ) -> Any:
        with anyio.move_on_after(timeout):
            result = await self._dispatch.route(member.kind, operation)(cloud=cloud, **arguments)
            if wrong := nonsense(operation, cloud.name, result):
                changes = operation in OPERATIONS and OPERATIONS[operation].mutates
                raise DriverFault(
                    f"driver {member.kind!r} {wrong}",
                    remedy="It may have happened: look before you try again" if changes else "",
                )
            return result
        raise self._late(operation, timeout)

    @staticmethod
    def _late(operation: str, timeout: float) -> CloudError:
        known = OPERATIONS.get(operation)
        if known is None or not known.mutates or known.idempotent:
            return DeadlineExceeded(f"no answer within {timeout:g} s")
        return OutcomeUnknown(
            f"no answer within {timeout:g} s: it may have happened or not",
            remedy="Look before you try again",
        )


def _keeper(
    where: Mapping[str, str], keep: Callable[[T], bool] | None
) -> Callable[[T], bool] | None:
    if not where:
        return keep

    def matches(item: T) -> bool:
        found = [(getattr(item, field), value) for field, value in where.items()]
        equal = all(have is not None and str(have) == wanted for have, wanted in found)
        return equal and (keep is None or keep(item))

    return matches


def _place(exc: BaseException) -> str:
    """Return file and line that raised it."""
    trace = exc.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"


def _deliberate(exc: BaseException) -> AnabranchError | None:
    """Return what was raised on purpose, be it in the group of a driver's own task group."""
    if isinstance(exc, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", exc).exceptions
        return next((found for e in inner if (found := _deliberate(e))), None)
    return exc if isinstance(exc, AnabranchError) else None


def _is_not_the_drivers(exc: BaseException) -> bool:
    """Whether it ends the call from outside: a cancellation, Ctrl-C, a coroutine that is closed."""
    if isinstance(exc, Exception):
        return False
    if isinstance(exc, BaseExceptionGroup):
        inner = cast("BaseExceptionGroup[BaseException]", exc).exceptions
        return any(_is_not_the_drivers(e) for e in inner)
    return isinstance(exc, (KeyboardInterrupt, GeneratorExit, anyio.get_cancelled_exc_class()))
