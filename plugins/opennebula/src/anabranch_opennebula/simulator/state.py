"""Everything that a simulated OpenNebula holds."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

import msgspec

from anabranch.testing.simulation import Behaviour
from anabranch_opennebula.simulator.machines.records import Machine
from anabranch_opennebula.simulator.networks.records import Network
from anabranch_opennebula.simulator.records import (
    Image,
    Pool,
    RegisteredTemplate,
    SecurityGroup,
    User,
)

__all__ = ["Hypervisor", "State"]


class Hypervisor(msgspec.Struct, kw_only=True):
    """What goes wrong below oned; may be changed while the cloud is served.

    Args:
        ignores_acpi: Whether guests take no notice of a polite `terminate` or `poweroff`: the
            call is accepted, and the machine comes back to RUNNING without a word.
        deploy_error: The text with which every boot fails; empty for success.
        attach_fails: Whether the hot-plug of a disk or an interface comes to nothing, in silence.
        hot_resize: Whether a running machine can be resized.
        cpus: The CPUs of a host; a machine with more stays PENDING for ever.
    """

    ignores_acpi: bool = False
    deploy_error: str = ""
    attach_fails: bool = False
    hot_resize: bool = False
    cpus: float = 800.0


class State:
    """The objects of one cloud, and what is still going to happen to them.

    Args:
        name: The cloud's name.
        behaviour: How it behaves.
        clock: Says what time it is, seconds since the epoch.
        version: The version of OpenNebula.
    """

    def __init__(
        self, name: str, behaviour: Behaviour, clock: Callable[[], float], version: str
    ) -> None:
        self.name = name
        self.behaviour = behaviour
        self.clock = clock
        self.version = version
        self.release = _release(version)
        self.hypervisor = Hypervisor()
        self.users: dict[int, User] = {}
        self.groups: dict[int, str] = {}
        self.machines: Pool[Machine] = Pool("virtual machine", "VM")
        self.images: Pool[Image] = Pool("image", "IMAGE")
        self.templates: Pool[RegisteredTemplate] = Pool("virtual machine template", "TEMPLATE")
        self.network_templates: Pool[RegisteredTemplate] = Pool(
            "virtual network template", "VNTEMPLATE"
        )
        self.networks: Pool[Network] = Pool("virtual network", "NET")
        self.security_groups: Pool[SecurityGroup] = Pool("security group", "SECGROUP", first=100)
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()

    def at(self, moment: float, happen: Callable[[float], None]) -> None:
        """Have something happen before the first request at or after that moment."""
        heapq.heappush(self._agenda, (moment, next(self._order), happen))

    def settle(self, now: float) -> None:
        """Let happen what was to happen until now; each is told the moment that it was set for."""
        while self._agenda and self._agenda[0][0] <= now:
            moment, _, happen = heapq.heappop(self._agenda)
            happen(moment)


def _release(version: str) -> tuple[int, int]:
    """The first two parts of a version.

    Raises:
        ValueError: It is older than 5.10, whose protocol differs, or no version.
    """
    major, minor = (int(part) for part in version.split(".")[:2])
    if (major, minor) < (5, 10):
        raise ValueError(f"OpenNebula {version} is not simulated: 5.10 and later are")
    return major, minor
