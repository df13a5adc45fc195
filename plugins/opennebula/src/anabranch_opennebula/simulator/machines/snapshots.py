"""Snapshots of whole machines, and of single disks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import MANAGE
from anabranch_opennebula.simulator.chains import DiskSnapshot, SnapshotChain
from anabranch_opennebula.simulator.machines.hotplug import POWEROFF, SUSPENDED, change, find
from anabranch_opennebula.simulator.machines.lifecycle import RUNNING, Where
from anabranch_opennebula.simulator.machines.records import Lcm, Machine
from anabranch_opennebula.simulator.machines.volumes import find_disk
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS"]

_MACHINE: dict[Where, Lcm] = {RUNNING: Lcm.HOTPLUG_SNAPSHOT}
_TAKE: dict[Where, Lcm] = {
    RUNNING: Lcm.DISK_SNAPSHOT,
    POWEROFF: Lcm.DISK_SNAPSHOT_POWEROFF,
    SUSPENDED: Lcm.DISK_SNAPSHOT_SUSPENDED,
}
_REVERT: dict[Where, Lcm] = {
    POWEROFF: Lcm.DISK_SNAPSHOT_REVERT_POWEROFF,
    SUSPENDED: Lcm.DISK_SNAPSHOT_REVERT_SUSPENDED,
}
_DELETE: dict[Where, Lcm] = {
    RUNNING: Lcm.DISK_SNAPSHOT_DELETE,
    POWEROFF: Lcm.DISK_SNAPSHOT_DELETE_POWEROFF,
    SUSPENDED: Lcm.DISK_SNAPSHOT_DELETE_SUSPENDED,
}


def _create(call: Call, machine_id: int, name: str) -> int:
    machine = find(call, machine_id, _MACHINE, "create snapshot")
    taken = machine.template.vectors("SNAPSHOT")
    number = max((int(s["SNAPSHOT_ID"]) for s in taken), default=-1) + 1
    snapshot: Vector = {
        "HYPERVISOR_ID": "dummy-snap",
        "NAME": name or f"snapshot-{number}",
        "SNAPSHOT_ID": str(number),
        "SYSTEM_DISK_SIZE": machine.template.text("MEMORY"),
        "TIME": str(call.now),
    }
    change(call, machine, _MACHINE, lambda _: machine.template.add("SNAPSHOT", snapshot), 25)
    return number


def _revert(call: Call, machine_id: int, snapshot_id: int) -> int:
    machine = find(call, machine_id, _MACHINE, "revert to snapshot")
    _find_snapshot(machine, snapshot_id)
    change(call, machine, _MACHINE, lambda _: None)
    return machine_id


def _delete(call: Call, machine_id: int, snapshot_id: int) -> int:
    machine = find(call, machine_id, _MACHINE, "delete snapshot")
    snapshot = _find_snapshot(machine, snapshot_id)
    change(call, machine, _MACHINE, lambda _: machine.template.drop("SNAPSHOT", snapshot))
    return machine_id


def _find_snapshot(machine: Machine, snapshot_id: int) -> Vector:
    for snapshot in machine.template.vectors("SNAPSHOT"):
        if snapshot["SNAPSHOT_ID"] == str(snapshot_id):
            return snapshot
    raise Refusal(
        Code.ACTION, f"VM {machine.id} does not have a snapshot with id {snapshot_id}.", machine.id
    )


def _create_of_disk(call: Call, machine_id: int, disk_id: int, name: str) -> int:
    machine = find(call, machine_id, _TAKE, "create disk snapshot")
    disk = find_disk(machine, disk_id)
    if "IMAGE_ID" not in disk:
        raise Refusal(Code.ACTION, "Cannot take a snapshot of a volatile disk", machine_id)
    image = call.state.images.get(int(disk["IMAGE_ID"]))
    if image is not None and image.persistent:
        call.demand(MANAGE, call.state.images, image)
    number = machine.chains[disk_id].next_id if disk_id in machine.chains else 0

    def taken(moment: float) -> None:
        chain = machine.chains.setdefault(disk_id, SnapshotChain())
        chain.take(name, int(disk["SIZE"]), int(moment))
        _count(disk, chain)

    change(call, machine, _TAKE, taken)
    return number


def _revert_disk(call: Call, machine_id: int, disk_id: int, snapshot_id: int) -> int:
    """Only while the machine does not run."""
    machine = find(call, machine_id, _REVERT, "revert disk snapshot")
    chain, snapshot = _find_on_disk(machine, disk_id, snapshot_id)
    change(call, machine, _REVERT, lambda _: chain.activate(snapshot.id))
    return snapshot_id


def _delete_of_disk(call: Call, machine_id: int, disk_id: int, snapshot_id: int) -> int:
    machine = find(call, machine_id, _DELETE, "delete disk snapshot")
    chain, snapshot = _find_on_disk(machine, disk_id, snapshot_id)
    disk = find_disk(machine, disk_id)
    if reason := chain.kept_because(snapshot, persistent="PERSISTENT" in disk):
        raise Refusal(Code.ACTION, reason, machine_id)

    def deleted(_: float) -> None:
        chain.remove(snapshot)
        _count(disk, chain)

    change(call, machine, _DELETE, deleted)
    return snapshot_id


def _rename_of_disk(call: Call, machine_id: int, disk_id: int, snapshot_id: int, name: str) -> int:
    machine = find(call, machine_id, _DELETE, "rename disk snapshot")
    _, snapshot = _find_on_disk(machine, disk_id, snapshot_id)
    snapshot.name = name
    machine.changed()
    return machine_id


def _find_on_disk(
    machine: Machine, disk_id: int, snapshot_id: int
) -> tuple[SnapshotChain, DiskSnapshot]:
    find_disk(machine, disk_id)
    chain = machine.chains.get(disk_id, SnapshotChain())
    snapshot = chain.find(snapshot_id)
    if snapshot is None:
        raise Refusal(
            Code.ACTION, f"Snapshot {snapshot_id} does not exist on disk {disk_id}.", machine.id
        )
    return chain, snapshot


def _count(disk: Vector, chain: SnapshotChain) -> None:
    disk["DISK_SNAPSHOT_TOTAL_SIZE"] = str(sum(s.size for s in chain.snapshots))


METHODS = {
    "one.vm.disksnapshotcreate": Method("iis", _create_of_disk),
    "one.vm.disksnapshotdelete": Method("iii", _delete_of_disk),
    "one.vm.disksnapshotrename": Method("iiis", _rename_of_disk),
    "one.vm.disksnapshotrevert": Method("iii", _revert_disk),
    "one.vm.snapshotcreate": Method("is", _create),
    "one.vm.snapshotdelete": Method("ii", _delete),
    "one.vm.snapshotrevert": Method("ii", _revert),
}
