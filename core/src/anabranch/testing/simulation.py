"""What the simulators of all platforms share.

A simulator speaks a platform's own wire protocol on loopback. It is published as an entry point
of the group `anabranch.simulators`, an object that satisfies `Simulator`:

    from anabranch.testing.simulation import Behaviour, Fault, serve

    lisbon = simulator.cloud("lisbon", instances=25, behaviour=Behaviour(page_size=10))
    with serve([lisbon]) as urls:
        settings = lisbon.settings(urls["lisbon"])      # the entry for anabranch.yaml
        lisbon.behaviour.faults.append(Fault.parse("503x2:/servers"))
        ...
        assert lisbon.requests.count("/servers") == 4

This module imports no driver and not the broker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from anabranch.testing.behaviour import Behaviour, Fault, FaultKind
from anabranch.testing.middleware import Misbehaving, Reply, plain_reply
from anabranch.testing.serving import serve
from anabranch.testing.traffic import Request, RequestLog

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = [
    "ENTRY_POINT_GROUP",
    "Behaviour",
    "Fault",
    "FaultKind",
    "Misbehaving",
    "Reply",
    "Request",
    "RequestLog",
    "SimulatedCloud",
    "Simulator",
    "plain_reply",
    "serve",
]

ENTRY_POINT_GROUP = "anabranch.simulators"
"""The entry-point group in which platforms publish their simulators."""


@runtime_checkable
class SimulatedCloud(Protocol):
    """One simulated cloud: its state, its protocol as an ASGI application, its behaviour."""

    behaviour: Behaviour
    """How it behaves; may be changed or replaced while it is served."""

    @property
    def name(self) -> str:
        """The cloud's name."""
        ...

    @property
    def kind(self) -> str:
        """The kind of the driver that speaks to it."""
        ...

    @property
    def app(self) -> ASGIApp:
        """The platform's protocol, with the behaviour in front of it."""
        ...

    @property
    def requests(self) -> RequestLog:
        """What it was asked."""
        ...

    def settings(self, url: str) -> dict[str, object]:
        """The entry for `anabranch.yaml` that reaches this cloud at a base URL."""
        ...


@runtime_checkable
class Simulator(Protocol):
    """What an entry point of the group `anabranch.simulators` is."""

    @property
    def kind(self) -> str:
        """The kind of the driver that speaks to the simulated clouds."""
        ...

    def cloud(
        self,
        name: str,
        *,
        instances: int = ...,
        behaviour: Behaviour | None = None,
        odd: bool = False,
        **options: Any,
    ) -> SimulatedCloud:
        """Make a cloud.

        Args:
            name: Its name.
            instances: How many instances it has.
            behaviour: How it behaves; None: well, and at once.
            odd: Whether it has instances with odd data, too: no address, an unknown state, a huge
                name, quotes, markup.
            **options: The platform's own.
        """
        ...
