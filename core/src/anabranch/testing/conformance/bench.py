"""Where a check takes place: one cloud, simulated and served, and brokers that reach it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import anyio
import anyio.to_thread
import pytest

from anabranch.capabilities import Capabilities
from anabranch.configuration import Configuration
from anabranch.errors import AnabranchError, DriverFault
from anabranch.facade import Broker
from anabranch.operations import OPERATIONS
from anabranch.plugins import PluginRegistry
from anabranch.testing.behaviour import Fault
from anabranch.testing.serving import serve
from anabranch.testing.simulation import SimulatedCloud

__all__ = ["NAME", "Bench", "first_page", "listable", "opened", "told"]

NAME: Final = "conformance"
_MOST_PAGES: Final = 10_000


class Bench:
    """One cloud, and brokers that reach it.

    Args:
        kind: Kind of the driver.
        registry: Where the driver is found.
        entry: The cloud's entry in the configuration.
        simulated: The simulated cloud; None for a driver without a wire.
        stack: Closes the brokers.

    Attributes:
        kind: Kind of the driver.
        entry: The cloud's entry in the configuration.
        simulated: The simulated cloud; None for a driver without a wire.
    """

    def __init__(
        self,
        kind: str,
        registry: PluginRegistry,
        entry: Mapping[str, Any],
        simulated: SimulatedCloud | None,
        stack: AsyncExitStack,
    ) -> None:
        self.kind, self.entry, self.simulated = kind, entry, simulated
        self._registry, self._stack = registry, stack

    def configuration(self, **settings: Any) -> Configuration:
        """The configuration with this one cloud; `settings` are put over its own."""
        return Configuration(clouds={NAME: {**self.entry, **settings}}, timeout=30)

    async def unmanaged(self, **settings: Any) -> Broker:
        """Make a broker that the caller closes."""
        configuration = self.configuration(**settings)
        return await anyio.to_thread.run_sync(
            lambda: Broker(configuration, registry=self._registry)
        )

    async def broker(self, **settings: Any) -> Broker:
        """Make a broker that is closed when the check ends."""
        return await self._stack.enter_async_context(await self.unmanaged(**settings))

    async def warm(self, **settings: Any) -> Broker:
        """Make a broker that has logged in already."""
        broker = await self.broker(**settings)
        for operation in listable(broker.capabilities(NAME))[:1]:
            await self.call(broker, operation, **first_page(operation))
        return broker

    def break_with(self, *faults: Fault | str) -> None:
        """Put these faults in the place of those before; none: nothing is wrong any longer."""
        if self.simulated is not None:
            self.simulated.behaviour.break_with(faults)

    def requests(self) -> int:
        """How many requests the cloud was asked so far."""
        return self.simulated.requests.total if self.simulated else 0

    async def call(self, broker: Broker, operation: str, **arguments: Any) -> Any:
        """Use an operation that must work, with its hook's arguments; fails the check if not."""
        try:
            return await broker.invoke(NAME, operation, arguments)
        except AnabranchError as exc:
            pytest.fail(f"{operation} must work here, and raised {told(exc)}", pytrace=False)

    async def pages(self, broker: Broker, operation: str, **arguments: Any) -> AsyncGenerator[Any]:
        """Go through the pages of a list that must work."""
        given: dict[str, Any] = {**first_page(operation), **arguments}
        cursors: set[str] = set()
        for _ in range(_MOST_PAGES):
            page = await self.call(broker, operation, **given)
            if not isinstance(getattr(page, "items", None), (list, tuple)):
                pytest.fail(f"{operation} must return a Page, and returned {page!r}", pytrace=False)
            yield page
            if page.cursor is None:
                return
            if page.cursor in cursors:
                pytest.fail(
                    f"{operation} gave the cursor {page.cursor!r} twice: a listing would never"
                    " end. A page's cursor must lead to the page after it, the last has none",
                    pytrace=False,
                )
            cursors.add(page.cursor)
            given["cursor"] = page.cursor

    async def items(self, broker: Broker, operation: str, **arguments: Any) -> list[Any]:
        """All items of a list that must work."""
        return [i async for page in self.pages(broker, operation, **arguments) for i in page.items]


@asynccontextmanager
async def opened(
    kind: str,
    registry: PluginRegistry,
    simulated: SimulatedCloud | None,
    entry: Mapping[str, Any],
) -> AsyncGenerator[Bench]:
    """Serve a simulated cloud, if there is one, and yield the bench around it."""
    async with AsyncExitStack() as stack:
        if simulated is not None:
            urls = stack.enter_context(serve([simulated]))
            entry = {**simulated.settings(urls[simulated.name]), **entry}
        inner = await stack.enter_async_context(AsyncExitStack())
        yield Bench(kind, registry, {"driver": kind, **entry}, simulated, inner)


def listable(offered: Capabilities) -> list[str]:
    """The lists that are offered and need no argument, in the order of the contract."""
    return [
        name
        for name, operation in OPERATIONS.items()
        if operation.lists and name in offered and set(operation.parameters) <= {"cursor", "where"}
    ]


def first_page(operation: str) -> dict[str, Any]:
    """The arguments that ask for the first page of a list."""
    given: dict[str, Any] = {"cursor": None}
    return {**given, "where": {}} if "where" in OPERATIONS[operation].parameters else given


def told(exc: BaseException) -> str:
    """Say what an exception is, and for a driver's bug what really happened and where."""
    text = f"{type(exc).__name__}: {exc}"
    cause = exc.__cause__
    if isinstance(exc, DriverFault) and cause is not None:
        text += f"; it was {type(cause).__name__}: {cause}{_place(cause)}"
    return text


def _place(exc: BaseException) -> str:
    trace = exc.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    code = trace.tb_frame.f_code
    return f" (in {code.co_name}, {code.co_filename}:{trace.tb_lineno})"
