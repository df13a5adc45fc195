"""Simulated PACI clouds, and the entry point that makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from anabranch.testing.simulation import Behaviour, Misbehaving, RequestLog
from anabranch_paci.simulator.app import PREFIX, Application, render_fault
from anabranch_paci.simulator.oddities import ODDITIES, plant
from anabranch_paci.simulator.seeds import seed
from anabranch_paci.simulator.state import ErrorShape, State, TemplateShape

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["API_KEY", "PASSWORD", "USERNAME", "PaciCloud", "PaciSimulator", "simulator"]

USERNAME = "demo@example.com"
PASSWORD = "demo-secret"
API_KEY = "demo-api-key"
"""What the control panel shows to be used in the place of the password."""


class PaciCloud:
    """One simulated PACI installation, as one customer sees it.

    Attributes:
        name: The cloud's name.
        kind: The kind of the driver, `paci`.
        app: The protocol as an ASGI application.
        requests: What it was asked.
        state: Everything it holds, for tests that look or change behind its back.
    """

    kind = "paci"

    def __init__(self, state: State) -> None:
        self.name = state.name
        self.state = state
        self.requests = RequestLog()
        credentials = (f"{USERNAME}:{PASSWORD}", f"{USERNAME}:{API_KEY}")
        self.app: ASGIApp = Misbehaving(Application(state, credentials), self, render_fault)

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves; may be changed or replaced while it is served."""
        return self.state.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.state.behaviour = behaviour

    def settings(self, url: str, *, password: str = PASSWORD) -> dict[str, object]:
        """The entry for `anabranch.yaml` that reaches this cloud.

        Args:
            url: The base URL at which the cloud is served.
            password: The password; `API_KEY` works as well.
        """
        return {
            "driver": "paci",
            "endpoint": f"{url}{PREFIX}",
            "username": USERNAME,
            "password": password,
        }


class PaciSimulator:
    """Makes simulated PACI clouds; the entry point of the group `anabranch.simulators`."""

    kind = "paci"

    def cloud(
        self,
        name: str,
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool | Iterable[str] = False,
        template_shape: TemplateShape = "template",
        error_shape: ErrorShape = "xml",
        subscriptions: int = 1,
        ve_limit: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> PaciCloud:
        """Make a cloud.

        Args:
            name: Its name; also in the names of the servers.
            instances: The number of servers.
            behaviour: How it behaves; well and at once, unless told otherwise. Lists of this
                platform have no pages.
            odd: Whether to add a server for every one of the `ODDITIES`, or for which.
            template_shape: What shows one template: the element, or a list of one.
            error_shape: Whether refusals are XML or text; the platform's own form is unknown.
            subscriptions: The number of subscriptions, one or more; servers are dealt out evenly.
            ve_limit: The most servers of a subscription; `None` for any number.
            clock: Says what time it is, seconds since the epoch.

        Raises:
            ValueError: An oddity is unknown, or there is no subscription.
        """
        if subscriptions < 1:
            raise ValueError("a customer has at least one subscription")
        state = State(
            name,
            behaviour or Behaviour(),
            clock,
            template_shape=template_shape,
            error_shape=error_shape,
        )
        seed(state, instances, subscriptions, ve_limit)
        if odd:
            plant(state, ODDITIES if odd is True else odd)
        return PaciCloud(state)


simulator = PaciSimulator()
"""The entry point."""
