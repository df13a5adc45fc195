"""Disks that come and go: attach, detach, resize, save as an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.figures import whole
from anabranch_opennebula.simulator.images import register
from anabranch_opennebula.simulator.machines.disks import part, resolve_disk
from anabranch_opennebula.simulator.machines.hotplug import (
    POWEROFF,
    SUSPENDED,
    UNDEPLOYED,
    UNDER_WAY,
    change,
    find,
)
from anabranch_opennebula.simulator.machines.lifecycle import RUNNING, Where
from anabranch_opennebula.simulator.machines.records import Lcm, Machine, State
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.names import check_name, check_unique
from anabranch_opennebula.simulator.records import Image
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.restricted import refuse_restricted
from anabranch_opennebula.simulator.templates import Template, Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS", "find_disk"]

_ATTACH: dict[Where, Lcm] = {RUNNING: Lcm.HOTPLUG, POWEROFF: Lcm.HOTPLUG_PROLOG_POWEROFF}
_DETACH: dict[Where, Lcm] = {RUNNING: Lcm.HOTPLUG, POWEROFF: Lcm.HOTPLUG_EPILOG_POWEROFF}
_RESIZE: dict[Where, Lcm] = {
    RUNNING: Lcm.DISK_RESIZE,
    POWEROFF: Lcm.DISK_RESIZE_POWEROFF,
    UNDEPLOYED: Lcm.DISK_RESIZE_UNDEPLOYED,
}
_SAVE: dict[Where, Lcm] = {
    RUNNING: Lcm.HOTPLUG_SAVEAS,
    POWEROFF: Lcm.HOTPLUG_SAVEAS_POWEROFF,
    SUSPENDED: Lcm.HOTPLUG_SAVEAS_SUSPENDED,
    UNDEPLOYED: Lcm.HOTPLUG_SAVEAS_UNDEPLOYED,
    (State.STOPPED, Lcm.LCM_INIT): Lcm.HOTPLUG_SAVEAS_STOPPED,
}
_TYPES = {"": 0, "OS": 0, "CDROM": 1, "DATABLOCK": 2}


def find_disk(machine: Machine, disk_id: int) -> Vector:
    """A disk of a machine.

    Raises:
        Refusal: It has none of that number.
    """
    disk = machine.disk(disk_id)
    if disk is None:
        raise Refusal(
            Code.ACTION, f"VM {machine.id} does not have a disk with id {disk_id}.", machine.id
        )
    return disk


def _attach(call: Call, machine_id: int, text: str) -> int:
    machine = find(call, machine_id, _ATTACH, "attach disk")
    template = Template.parse(text)
    refuse_restricted(call, template)
    asked = template.vector("DISK")
    if asked is None:
        raise Refusal(Code.INTERNAL, "Missing DISK attribute in template", machine_id)
    taken = {disk["TARGET"] for disk in machine.disks if "TARGET" in disk}
    disk = resolve_disk(call, asked, _next_disk_id(machine), taken)
    disk["TM_MAD_SYSTEM"] = "dummy"
    image = call.state.images.get(int(disk.get("IMAGE_ID", -1)))
    if image is not None:
        image.take(machine.id, call.now)
        if image.chain.snapshots:
            machine.chains[int(disk["DISK_ID"])] = image.chain
    disk[UNDER_WAY] = "YES"
    machine.template.add("DISK", disk)

    def attached(moment: float) -> None:
        del disk[UNDER_WAY]
        if call.state.hypervisor.attach_fails:
            _drop(call, machine, disk, moment)
            return
        machine.template.put(
            "AUTOMATIC_DS_REQUIREMENTS", '("CLUSTERS/ID" @> 0) & (TM_MAD = "dummy")'
        )

    change(call, machine, _ATTACH, attached, 21)
    return machine_id


def _next_disk_id(machine: Machine) -> int:
    """The first number after all that are or were in use; the context has one too."""
    vectors = [*machine.disks, *machine.template.vectors("CONTEXT")]
    return max((int(v["DISK_ID"]) for v in vectors if "DISK_ID" in v), default=-1) + 1


def _detach(call: Call, machine_id: int, disk_id: int) -> int:
    """Any disk may be detached while the machine runs; nobody saves the root disk."""
    machine = find(call, machine_id, _DETACH, "detach disk")
    disk = find_disk(machine, disk_id)
    disk[UNDER_WAY] = "YES"
    change(call, machine, _DETACH, lambda moment: _drop(call, machine, disk, moment), 22)
    return machine_id


def _drop(call: Call, machine: Machine, disk: Vector, moment: float) -> None:
    machine.template.drop("DISK", disk)
    image = part(call.state.images, machine, disk)
    used = any(other.get("IMAGE_ID") == disk.get("IMAGE_ID") for other in machine.disks)
    if image is not None and not used:
        image.release(machine.id, int(moment))


def _resize(call: Call, machine_id: int, disk_id: int, size: str) -> int:
    machine = find(call, machine_id, _RESIZE, "resize disk")
    disk = find_disk(machine, disk_id)
    if (whole(size) or 0) <= int(disk["SIZE"]):
        raise Refusal(Code.ACTION, "New disk size has to be greater than current one", machine_id)
    if machine.chains.get(disk_id):
        raise Refusal(Code.ACTION, "Cannot resize a disk with snapshots", machine_id)

    def resized(_: float) -> None:
        disk["SIZE"] = size

    change(call, machine, _RESIZE, resized, 29)
    return machine_id


def _save_as(
    call: Call, machine_id: int, disk_id: int, name: str, kind: str, snapshot_id: int = -1
) -> int:
    """A new image of a disk; it is LOCKED until the copy is made."""
    machine = find(call, machine_id, _SAVE, "save disk")
    disk = find_disk(machine, disk_id)
    check_name(name)
    check_unique(call.state.images, name, call.user.id)
    if kind.upper() not in _TYPES:
        raise Refusal(Code.ALLOCATE, f"Unknown type {kind}.", machine_id)
    chain = machine.chains.get(disk_id)
    if snapshot_id >= 0 and (chain is None or chain.find(snapshot_id) is None):
        raise Refusal(Code.ACTION, "Snapshot does not exist", machine_id)
    origin = call.state.images.get(int(disk.get("IMAGE_ID", -1)))
    image = Image(
        **call.owner(),
        id=call.state.images.new_id(),
        name=name,
        type=_TYPES[kind.upper()] if kind or origin is None else origin.type,
        size=int(disk["SIZE"]),
        state=4,
        registered=call.now,
        modified=call.now,
        format=disk.get("FORMAT", "raw"),
        template=Template(
            [
                ("DEV_PREFIX", disk.get("DEV_PREFIX", "vd")),
                ("SAVED_DISK_ID", str(disk_id)),
                ("SAVED_IMAGE_ID", disk.get("IMAGE_ID", "-1")),
                ("SAVED_VM_ID", str(machine_id)),
            ]
        ),
    )
    register(call, image)
    change(call, machine, _SAVE, lambda _: None)
    return image.id


METHODS = {
    "one.vm.attach": Method("is", _attach),
    "one.vm.detach": Method("ii", _detach),
    "one.vm.diskresize": Method("iis", _resize),
    "one.vm.disksaveas": Method("iiss|i", _save_as),
}
