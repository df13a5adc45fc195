"""Virtual machines."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import msgspec

from anabranch_opennebula.simulator.chains import SnapshotChain
from anabranch_opennebula.simulator.networks.records import Lease
from anabranch_opennebula.simulator.records import Resource
from anabranch_opennebula.simulator.templates import Template, Vector

__all__ = ["History", "Lcm", "Machine", "State"]


class State(enum.IntEnum):
    """The state of a machine."""

    INIT = 0
    PENDING = 1
    HOLD = 2
    ACTIVE = 3
    STOPPED = 4
    SUSPENDED = 5
    DONE = 6
    POWEROFF = 8
    UNDEPLOYED = 9
    CLONING = 10
    CLONING_FAILURE = 11


class Lcm(enum.IntEnum):
    """The states within ACTIVE that this simulator goes through."""

    LCM_INIT = 0
    PROLOG = 1
    BOOT = 2
    RUNNING = 3
    SAVE_STOP = 5
    SAVE_SUSPEND = 6
    PROLOG_RESUME = 9
    EPILOG_STOP = 10
    EPILOG = 11
    SHUTDOWN = 12
    UNKNOWN = 16
    HOTPLUG = 17
    SHUTDOWN_POWEROFF = 18
    BOOT_UNKNOWN = 19
    BOOT_POWEROFF = 20
    BOOT_SUSPENDED = 21
    BOOT_STOPPED = 22
    CLEANUP_DELETE = 23
    HOTPLUG_SNAPSHOT = 24
    HOTPLUG_NIC = 25
    HOTPLUG_SAVEAS = 26
    HOTPLUG_SAVEAS_POWEROFF = 27
    HOTPLUG_SAVEAS_SUSPENDED = 28
    SHUTDOWN_UNDEPLOY = 29
    EPILOG_UNDEPLOY = 30
    PROLOG_UNDEPLOY = 31
    BOOT_UNDEPLOY = 32
    HOTPLUG_PROLOG_POWEROFF = 33
    HOTPLUG_EPILOG_POWEROFF = 34
    BOOT_FAILURE = 36
    DISK_SNAPSHOT_POWEROFF = 51
    DISK_SNAPSHOT_REVERT_POWEROFF = 52
    DISK_SNAPSHOT_DELETE_POWEROFF = 53
    DISK_SNAPSHOT_SUSPENDED = 54
    DISK_SNAPSHOT_REVERT_SUSPENDED = 55
    DISK_SNAPSHOT_DELETE_SUSPENDED = 56
    DISK_SNAPSHOT = 57
    DISK_SNAPSHOT_DELETE = 59
    DISK_RESIZE = 62
    DISK_RESIZE_POWEROFF = 63
    DISK_RESIZE_UNDEPLOYED = 64
    HOTPLUG_NIC_POWEROFF = 65
    HOTPLUG_SAVEAS_UNDEPLOYED = 67
    HOTPLUG_SAVEAS_STOPPED = 68


class History(msgspec.Struct, kw_only=True):
    """A stay on a host; times are seconds since the epoch, 0 when it did not come to that.

    Args:
        seq: Its number.
        started: Its beginning.
        ended: Its end.
        prolog: Beginning and end of bringing the disks.
        running: Beginning and end of running.
        epilog: Beginning and end of taking the disks away.
        action: The number of the action that ended it; 0 for none.
        uid: Who asked for that; -1 for none.
        gid: The group; -1 for none.
        request: The number of the request; -1 for none.
    """

    seq: int
    started: int
    ended: int = 0
    prolog: tuple[int, int] = (0, 0)
    running: tuple[int, int] = (0, 0)
    epilog: tuple[int, int] = (0, 0)
    action: int = 0
    uid: int = -1
    gid: int = -1
    request: int = -1


class Machine(Resource, kw_only=True):
    """A virtual machine.

    Args:
        state: The state, a `State` unless it is an odd machine.
        lcm: The state within ACTIVE, an `Lcm` likewise.
        started: When it was made, seconds since the epoch.
        ended: When it was done with; 0 before.
        deploy_id: The hypervisor's name for it.
        template: What oned understands: capacity, disks, interfaces, context.
        user_template: All other attributes.
        history: Its stays on hosts, oldest first.
        chains: The snapshots of its disks by DISK_ID.
        leases: The addresses it has, by NIC_ID: network and lease.
        plan: Counts what was begun with it; a step of an older plan does nothing.
        busy: Whether a plan is under way.
        raw: Elements of its documents that an odd machine has otherwise; `None` for not at all.
        documents: Its documents as they were last written, by kind; empty after a change.
    """

    state: int = State.PENDING
    lcm: int = Lcm.LCM_INIT
    started: int
    ended: int = 0
    deploy_id: str = ""
    template: Template
    user_template: Template
    history: list[History] = msgspec.field(default_factory=list[History])
    chains: dict[int, SnapshotChain] = msgspec.field(default_factory=dict[int, SnapshotChain])
    leases: dict[int, tuple[int, Lease]] = msgspec.field(
        default_factory=dict[int, tuple[int, Lease]]
    )
    plan: int = 0
    busy: bool = False
    raw: Mapping[str, str | None] = msgspec.field(default_factory=dict[str, str | None])
    documents: dict[str, bytes] = msgspec.field(default_factory=dict[str, bytes])

    @property
    def disks(self) -> list[Vector]:
        """The disks, by DISK_ID."""
        return self.template.vectors("DISK")

    @property
    def state_name(self) -> str:
        """The state as oned's messages spell it."""
        if self.state != State.ACTIVE:
            return _name(State, self.state)
        return _name(Lcm, self.lcm)

    @property
    def where(self) -> tuple[int, int]:
        """Both states; the second one counts only in ACTIVE."""
        return self.state, self.lcm

    def disk(self, disk_id: int) -> Vector | None:
        """A disk by its number."""
        return next((d for d in self.disks if d.get("DISK_ID") == str(disk_id)), None)

    def interface(self, nic_id: int) -> Vector | None:
        """An interface or an alias by its number."""
        nics = (*self.template.vectors("NIC"), *self.template.vectors("NIC_ALIAS"))
        return next((n for n in nics if n.get("NIC_ID") == str(nic_id)), None)

    def changed(self) -> None:
        """Have its documents written anew."""
        self.documents.clear()


def _name(states: type[enum.IntEnum], number: int) -> str:
    try:
        return states(number).name
    except ValueError:
        return str(number)
