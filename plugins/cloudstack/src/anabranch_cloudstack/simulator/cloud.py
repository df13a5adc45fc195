"""Simulated CloudStack clouds, and the entry point that makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from anabranch.testing.simulation import Behaviour, Misbehaving, RequestLog
from anabranch_cloudstack.simulator.accounts import DEFAULT_LIMITS, make_accounts
from anabranch_cloudstack.simulator.app import PATH, Application, label, render_fault
from anabranch_cloudstack.simulator.commands import release
from anabranch_cloudstack.simulator.compute.records import Machine
from anabranch_cloudstack.simulator.oddities import ODDITIES, plant
from anabranch_cloudstack.simulator.seeds import seed
from anabranch_cloudstack.simulator.state import State

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["CloudStackCloud", "CloudStackSimulator", "simulator"]

User = Literal["demo", "other", "auditor", "admin"]

_OLDEST, _NEWEST = (4, 11), (4, 23)
_ENFORCING = (4, 21)


class CloudStackCloud:
    """One simulated CloudStack: the query API of one management server.

    Attributes:
        name: The cloud's name.
        kind: The kind of the driver, `cloudstack`.
        app: The protocol as an ASGI application.
        requests: What it was asked; every command has a path of its own,
            `/client/api/listVirtualMachines`.
        state: Everything it holds, for tests that look or change behind its back.
    """

    kind = "cloudstack"

    def __init__(self, state: State, *, enforce_post: bool) -> None:
        self.name = state.name
        self.state = state
        self.requests = RequestLog()
        application = Application(state, enforce_post=enforce_post)
        self.app: ASGIApp = Misbehaving(application, self, render_fault, label=label)

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves; `page_size` is its `default.page.size`, 500 unless given.

        A page larger than that is refused with 431, and a list without pages ends there.
        """
        return self.state.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.state.behaviour = behaviour

    @property
    def machines(self) -> list[Machine]:
        """The virtual machines, oldest first."""
        return list(self.state.machines.values())

    def settings(self, url: str, *, user: User = "demo") -> dict[str, object]:
        """The entry for `anabranch.yaml`.

        Args:
            url: The base URL at which the cloud is served.
            user: Whose keys: `demo` has the machines, `other` has nothing, `auditor` may only
                read, `admin` is Root Admin.
        """
        account = self.state.accounts[user]
        return {
            "driver": "cloudstack",
            "endpoint": f"{url}{PATH}",
            "key": account.api_key,
            "secret": account.secret,
        }


class CloudStackSimulator:
    """Makes simulated CloudStack clouds; the entry point of the group `anabranch.simulators`."""

    kind = "cloudstack"

    def cloud(
        self,
        name: str,
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool | Iterable[str] = False,
        version: str = "4.22.0.0",
        enforce_post: bool = False,
        limits: Mapping[str, int] | None = None,
        expunge_by_users: bool = True,
        show_destroyed: bool = False,
        capacity: int = 64,
        clock: Callable[[], float] = time.time,
    ) -> CloudStackCloud:
        """Make a cloud.

        Args:
            name: Its name; also in the names of the machines.
            instances: The number of machines of the account `demo`.
            behaviour: How it behaves; well and at once, unless told otherwise.
            odd: Whether to add a machine for every one of the `ODDITIES`, or for which.
            version: The release that it is, 4.11 to 4.22.
            enforce_post: Whether changes need POST and every request a time (since 4.21).
            limits: What the account `demo` may have, by resource type (`user_vm`, `public_ip`,
                `cpu`, …); -1 is unlimited.
            expunge_by_users: Whether users may expunge and recover machines.
            show_destroyed: Whether users see destroyed machines.
            capacity: The most processors of one machine for which there is a host.
            clock: Says what time it is, seconds since the epoch.

        Raises:
            ValueError: An oddity, a limit or the release is unknown, or the release has no
                enforcement.
        """
        if not _OLDEST <= release(version) < _NEWEST:
            raise ValueError(f"CloudStack {version} is not simulated: use 4.11 to 4.22")
        if enforce_post and release(version) < _ENFORCING:
            raise ValueError(f"CloudStack {version} enforces nothing: use 4.21 or later")
        if unknown := sorted(set(limits or {}) - set(DEFAULT_LIMITS)):
            raise ValueError(
                f"unknown resource types {', '.join(unknown)}: use some of"
                f" {', '.join(DEFAULT_LIMITS)}"
            )
        state = State(
            name,
            behaviour or Behaviour(),
            clock,
            version,
            make_accounts(name, dict(limits or {})),
            expunge_by_users=expunge_by_users,
            show_destroyed=show_destroyed,
            capacity=capacity,
        )
        seed(state, instances)
        if odd:
            plant(state, ODDITIES if odd is True else odd)
        return CloudStackCloud(state, enforce_post=enforce_post)


simulator = CloudStackSimulator()
"""The entry point."""
