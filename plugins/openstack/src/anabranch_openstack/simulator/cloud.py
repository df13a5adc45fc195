"""Simulated OpenStack clouds, and the entry point that makes them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from anabranch.testing.simulation import Behaviour, Misbehaving, RequestLog
from anabranch_openstack.simulator.app import Application, render_fault
from anabranch_openstack.simulator.compute.records import Server
from anabranch_openstack.simulator.oddities import ODDITIES, plant
from anabranch_openstack.simulator.seeds import PASSWORD, seed
from anabranch_openstack.simulator.state import Region, State

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["OpenStackCloud", "OpenStackSimulator", "simulator"]

Auth = Literal["password", "application_credential"]


class OpenStackCloud:
    """One simulated OpenStack: all its services at one port.

    Attributes:
        name: The cloud's name.
        kind: The kind of the driver, `openstack`.
        app: The protocol as an ASGI application.
        requests: What it was asked.
        state: Everything it holds, for tests that look or change behind its back.
    """

    kind = "openstack"

    def __init__(self, state: State) -> None:
        self.name = state.name
        self.state = state
        self.requests = RequestLog()
        self.app: ASGIApp = Misbehaving(Application(state), self, render_fault)

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves; may be changed or replaced while it is served."""
        return self.state.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self.state.behaviour = behaviour

    @property
    def logins(self) -> int:
        """How often a token was issued for a password or another secret."""
        return self.state.identity.logins

    @property
    def servers(self) -> list[Server]:
        """The servers of the first region, newest first."""
        return next(iter(self.state.regions.values())).compute.newest_first()

    def settings(
        self, url: str, *, auth: Auth = "password", user: str = "demo", project: str = "demo"
    ) -> dict[str, object]:
        """The entry for `anabranch.yaml`, in the spelling of clouds.yaml.

        Args:
            url: The base URL at which the cloud is served.
            auth: How to log in; an application credential is always demo's.
            user: The user: `demo`, `auditor` (may only read), `other` or `admin`.
            project: The project: `demo` has the servers, `tiny` has tight quotas.
        """
        entry: dict[str, object] = {
            "driver": "openstack",
            "region_name": next(iter(self.state.regions)),
        }
        auth_url = f"{url}/identity/v3"
        if auth == "application_credential":
            credential = next(iter(self.state.identity.credentials.values()))
            entry["auth_type"] = "v3applicationcredential"
            entry["auth"] = {
                "auth_url": auth_url,
                "application_credential_id": credential.id,
                "application_credential_secret": credential.secret,
            }
        else:
            entry["auth"] = {
                "auth_url": auth_url,
                "username": user,
                "password": PASSWORD,
                "project_name": project,
                "user_domain_name": "Default",
                "project_domain_name": "Default",
            }
        return entry


class OpenStackSimulator:
    """Makes simulated OpenStack clouds; the entry point of the group `anabranch.simulators`."""

    kind = "openstack"

    def cloud(
        self,
        name: str,
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool | Iterable[str] = False,
        zones: Sequence[str] = ("az-a", "az-b"),
        regions: Sequence[str] = ("RegionOne", "RegionTwo"),
        token_ttl: float = 3600.0,
        max_microversion: int = 100,
        without: Iterable[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> OpenStackCloud:
        """Make a cloud.

        Args:
            name: Its name; also in the names of the servers.
            instances: The number of servers of the project `demo` in the first region.
            behaviour: How it behaves; well and at once, unless told otherwise.
            odd: Whether to add a server for every one of the `ODDITIES`, or for which.
            zones: The availability zones.
            regions: The regions; all but the first are without servers.
            token_ttl: Seconds that a token lives.
            max_microversion: The highest minor microversion of nova, up to 104.
            without: Types of services that are not in the catalog (`load-balancer`).
            clock: Says what time it is, seconds since the epoch.

        Raises:
            ValueError: An oddity is unknown.
        """
        state = State(name, behaviour or Behaviour(), clock, token_ttl)
        state.without = frozenset(without)
        for index, title in enumerate(regions):
            prefix = f"/{title}" if index else ""
            interfaces = ("public", "internal") if index else ("public", "internal", "admin")
            state.regions[title] = Region(title, prefix, interfaces)
            state.regions[title].compute.max_version = max_microversion
        seed(state, instances, zones)
        if odd:
            plant(next(iter(state.regions.values())), ODDITIES if odd is True else odd)
        return OpenStackCloud(state)


simulator = OpenStackSimulator()
"""The entry point."""
