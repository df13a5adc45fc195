"""Snapshots of whole virtual machines."""

from __future__ import annotations

import time

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.lifecycle import move, told
from anabranch_cloudstack.simulator.compute.records import MachineSnapshot
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, invalid, stamp

__all__ = ["commands"]

commands = Commands()

_TYPE = "VmSnapshot"


@commands.add(
    "listVMSnapshot",
    "vmsnapshotid:uuid vmsnapshotids:list virtualmachineid:uuid name state",
    listing=True,
    since="4.2.0",
)
def list_snapshots(call: Call) -> Document:
    """Lists snapshots of virtual machines."""
    snapshots = matching(
        call,
        call.state.machine_snapshots.values(),
        id="vmsnapshotid",
        machine="virtualmachineid",
        state="state",
    )
    return listed(call, "vmSnapshot", [_document(call.state, one) for one in snapshots])


@commands.add(
    "createVMSnapshot",
    "virtualmachineid!:uuid name description snapshotmemory:boolean quiescevm:boolean",
    job="user.vmsnapshot.CreateVMSnapshotCmd",
    instance_type=_TYPE,
    since="4.2.0",
)
def create_snapshot(call: Call) -> Document:
    """Makes a snapshot of a virtual machine."""
    state = call.state
    machine = call.take(state.machines, "virtualmachineid")
    if machine.state not in ("Running", "Stopped"):
        raise invalid(f"Creating VM snapshot failed: {machine.described()}")
    if call.flag("snapshotmemory") and not machine.running:
        raise invalid("Can not snapshot memory of a machine that is not running")
    moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(state.now))
    name = f"{machine.instance_name}_VS_{moment}"
    snapshot = MachineSnapshot(
        id=state.new_id(),
        name=name,
        display=call.text("name") or name,
        text=call.text("description"),
        account=machine.account,
        project=machine.project,
        created=state.now,
        machine=machine.id,
        memory=call.flag("snapshotmemory"),
    )
    state.add(state.machine_snapshots, snapshot)

    def work() -> Work:
        snapshot.state = "Creating"
        yield
        snapshot.state = "Ready"
        return {"vmsnapshot": _document(state, snapshot)}

    return call.start(work(), snapshot.id, created=True, lock=machine.id)


@commands.add(
    "deleteVMSnapshot",
    "vmsnapshotid!:uuid",
    job="user.vmsnapshot.DeleteVMSnapshotCmd",
    instance_type=_TYPE,
    since="4.2.0",
)
def delete_snapshot(call: Call) -> Document:
    """Deletes a snapshot of a virtual machine."""
    snapshot = call.take(call.state.machine_snapshots, "vmsnapshotid")

    def work() -> Work:
        snapshot.state = "Expunging"
        yield
        call.state.machine_snapshots.pop(snapshot.id, None)
        return {"success": True}

    return call.start(work(), snapshot.id, lock=snapshot.machine)


@commands.add(
    "revertToVMSnapshot",
    "vmsnapshotid!:uuid",
    job="user.vmsnapshot.RevertToVMSnapshotCmd",
    instance_type=_TYPE,
    since="4.2.0",
)
def revert(call: Call) -> Document:
    """Brings a virtual machine back to a snapshot."""
    state = call.state
    snapshot = call.take(state.machine_snapshots, "vmsnapshotid")
    machine = state.machines[snapshot.machine]

    def work() -> Work:
        if not snapshot.memory and machine.running:
            raise invalid("VM Snapshot reverting failed due to vm is not in the state of Stopped.")
        snapshot.state = "Reverting"
        yield
        snapshot.state = "Ready"
        move(state, machine, "Running" if snapshot.memory else "Stopped")
        return told(state, machine)

    return call.start(work(), snapshot.id, lock=machine.id)


def _document(state: State, snapshot: MachineSnapshot) -> Document:
    machine = state.machines[snapshot.machine]
    own = [s for s in state.machine_snapshots.values() if s.machine == machine.id]
    document: Document = {
        "id": snapshot.id,
        "name": snapshot.name,
        "state": snapshot.state,
        "displayname": snapshot.display,
    }
    if snapshot.text:
        document["description"] = snapshot.text
    return document | {
        "zoneid": machine.zone,
        "zonename": state.zones[machine.zone].name,
        "virtualmachineid": machine.id,
        "virtualmachinename": machine.display,
        "current": snapshot is own[-1],
        "type": "DiskAndMemory" if snapshot.memory else "Disk",
        "created": stamp(snapshot.created),
        **owner(state, snapshot),
        "hypervisor": machine.hypervisor,
        "tags": tag_documents(state, snapshot),
        "hasannotations": False,
    }
