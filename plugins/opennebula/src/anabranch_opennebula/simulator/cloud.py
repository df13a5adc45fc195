"""Simulated OpenNebula clouds, and the entry point that makes them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from anabranch.testing.simulation import Behaviour, Misbehaving, RequestLog
from anabranch_opennebula.simulator.app import PATH, Application, grow, label, render_fault
from anabranch_opennebula.simulator.machines.records import Machine
from anabranch_opennebula.simulator.oddities import ODDITIES, plant
from anabranch_opennebula.simulator.records import LoginToken
from anabranch_opennebula.simulator.seeds import PASSWORD, seed
from anabranch_opennebula.simulator.state import Hypervisor, State

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["OpenNebulaCloud", "OpenNebulaSimulator", "simulator"]

User = Literal["tenant", "neighbour", "limited", "oneadmin"]


class OpenNebulaCloud:
    """One simulated oned.

    Attributes:
        name: The cloud's name.
        kind: The kind of the driver, `opennebula`.
        app: The protocol as an ASGI application.
        requests: What it was asked; a call counts under `/RPC2/one.vm.info`.
        state: Everything it holds, for tests that look or change behind its back.
    """

    kind = "opennebula"

    def __init__(self, state: State) -> None:
        self.name = state.name
        self.state = state
        self.requests = RequestLog()
        self.app: ASGIApp = Misbehaving(
            Application(state), self, render_fault, label=label, grow=grow
        )

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves; may be changed or replaced while it is served.

        `page_size` has no meaning here: oned gives pages of the size that the caller asks for.
        """
        return self.state.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.state.behaviour = behaviour

    @property
    def hypervisor(self) -> Hypervisor:
        """What goes wrong below oned; may be changed while it is served."""
        return self.state.hypervisor

    @property
    def machines(self) -> list[Machine]:
        """The machines, newest first; those that are DONE are among them."""
        return list(self.state.machines.newest_first())

    def settings(
        self, url: str, *, user: User = "tenant", auth: Literal["password", "token"] = "password"
    ) -> dict[str, object]:
        """The entry for `anabranch.yaml`.

        Args:
            url: The base URL at which the cloud is served.
            user: The user: `tenant` has the machines, `neighbour` is in the same group, `limited`
                may have three machines, `oneadmin` may do everything.
            auth: Whether to log in with the password, or with a token that never expires.
        """
        secret = PASSWORD
        if auth == "token":
            secret = hashlib.sha256(f"{self.name}/{user}".encode()).hexdigest()
            known = next(u for u in self.state.users.values() if u.name == user)
            if not any(t.token == secret for t in known.tokens):
                known.tokens.append(LoginToken(token=secret, expires=-1))
        return {
            "driver": "opennebula",
            "endpoint": f"{url}{PATH}",
            "username": user,
            "password": secret,
            "public_networks": ["public"],
        }


class OpenNebulaSimulator:
    """Makes simulated OpenNebula clouds; the entry point of the group `anabranch.simulators`."""

    kind = "opennebula"

    def cloud(
        self,
        name: str,
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool | Iterable[str] = False,
        version: str = "7.4.0",
        clock: Callable[[], float] = time.time,
    ) -> OpenNebulaCloud:
        """Make a cloud.

        Args:
            name: Its name; also in the names of the machines.
            instances: The number of machines of the user `tenant`.
            behaviour: How it behaves; well and at once, unless told otherwise.
            odd: Whether to add a machine for every one of the `ODDITIES`, or for which.
            version: The version of OpenNebula, from 5.10 on.
            clock: Says what time it is, seconds since the epoch.

        Raises:
            ValueError: An oddity is unknown, or the version too old.
        """
        state = State(name, behaviour or Behaviour(), clock, version)
        seed(state, instances)
        if odd:
            plant(state, ODDITIES if odd is True else odd)
        return OpenNebulaCloud(state)


simulator = OpenNebulaSimulator()
"""The entry point."""
