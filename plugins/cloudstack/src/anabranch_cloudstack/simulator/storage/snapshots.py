"""Snapshots of volumes, and when they are made by themselves."""

from __future__ import annotations

import time

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.storage.records import Snapshot, SnapshotPolicy, Volume
from anabranch_cloudstack.simulator.wire import Document, invalid, stamp

__all__ = ["commands"]

commands = Commands()

_TYPE = "Snapshot"
_INTERVALS = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY")


@commands.add(
    "listSnapshots",
    "id:uuid ids:list name volumeid:uuid zoneid:uuid intervaltype snapshottype showunique:boolean",
    listing=True,
)
def list_snapshots(call: Call) -> Document:
    """Lists snapshots."""
    snapshots = matching(
        call,
        call.state.snapshots.values(),
        volume="volumeid",
        zone="zoneid",
        interval="intervaltype",
    )
    return listed(call, "snapshot", [_document(call.state, one) for one in snapshots])


@commands.add(
    "createSnapshot",
    "volumeid!:uuid name asyncbackup:boolean quiescevm:boolean locationtype policyid:uuid"
    " account domainid:uuid tags:map zoneids@4.19:list",
    job="user.snapshot.CreateSnapshotCmd",
    instance_type=_TYPE,
)
def create_snapshot(call: Call) -> Document:
    """Makes a snapshot of a volume; with asyncbackup=true the job does not wait for the copy."""
    state = call.state
    volume = call.take(state.volumes, "volumeid")
    if volume.state != "Ready":
        raise invalid(
            f'Volume: Volume {{"name":"{volume.name}","uuid":"{volume.id}",'
            f'"volumeType":"{volume.type}"}} is not in Ready state but {volume.state}.'
            " Cannot take snapshot."
        )
    check_limits(call, 535, snapshot=1)
    snapshot = Snapshot(
        id=state.new_id(),
        name=call.text("name") or _default_name(state, volume),
        account=volume.account,
        project=volume.project,
        created=state.now,
        tags=call.pairs("tags"),
        volume=volume.id,
        volume_name=volume.name,
        volume_type=volume.type,
        zone=volume.zone,
        size=volume.size,
        os_type=_os_type(state, volume),
    )
    state.add(state.snapshots, snapshot)
    asynchronous = call.flag("asyncbackup")

    def work() -> Work:
        snapshot.state = "Creating"
        yield
        snapshot.state = "BackingUp" if asynchronous else "BackedUp"
        if asynchronous:
            state.after(lambda: _backed_up(snapshot))
        document = _document(state, snapshot)
        return {"snapshot": document | {"snapshottype": "MANUAL"}}

    return call.start(work(), snapshot.id, created=True, lock=volume.machine or volume.id)


@commands.add(
    "deleteSnapshot",
    "id!:uuid zoneid:uuid",
    job="user.snapshot.DeleteSnapshotCmd",
    instance_type=_TYPE,
)
def delete_snapshot(call: Call) -> Document:
    """Deletes a snapshot."""
    snapshot = call.take(call.state.snapshots, "id")

    def work() -> Work:
        snapshot.state = "Destroying"
        yield
        call.state.snapshots.pop(snapshot.id, None)
        return {"success": True}

    return call.start(work(), snapshot.id)


@commands.add(
    "revertSnapshot", "id!:uuid", job="user.snapshot.RevertSnapshotCmd", instance_type=_TYPE
)
def revert_snapshot(call: Call) -> Document:
    """Brings a volume back to a snapshot; its machine has to be stopped."""
    state = call.state
    snapshot = call.take(state.snapshots, "id")

    def work() -> Work:
        volume = state.volumes.get(snapshot.volume)
        if volume is None:
            raise invalid(f"The volume of snapshot {snapshot.id} is gone")
        machine = state.machines.get(volume.machine)
        if machine is not None and machine.state != "Stopped":
            raise invalid("The VM the specified disk is attached to is not in the shutdown state.")
        yield
        volume.size = snapshot.size
        return {"snapshot": _document(state, snapshot)}

    return call.start(work(), snapshot.id)


@commands.add("listSnapshotPolicies", "id:uuid volumeid:uuid", listing=True)
def list_policies(call: Call) -> Document:
    """Lists when snapshots of a volume are made by themselves."""
    policies = matching(call, call.state.snapshot_policies.values(), volume="volumeid")
    return listed(call, "snapshotpolicy", [_policy(call.state, policy) for policy in policies])


@commands.add(
    "createSnapshotPolicy",
    "volumeid!:uuid intervaltype! maxsnaps!:integer schedule! timezone! fordisplay:boolean",
)
def create_policy(call: Call) -> Document:
    """Says when snapshots of a volume are made by themselves."""
    state = call.state
    volume = call.take(state.volumes, "volumeid")
    interval = call.text("intervaltype").upper()
    if interval not in _INTERVALS:
        raise invalid(f"Unsupported interval type {call.text('intervaltype')}")
    policy = SnapshotPolicy(
        id=state.new_id(),
        account=volume.account,
        project=volume.project,
        created=state.now,
        volume=volume.id,
        schedule=call.text("schedule"),
        interval=_INTERVALS.index(interval),
        keep=call.number("maxsnaps") or 0,
        timezone=call.text("timezone"),
    )
    state.add(state.snapshot_policies, policy)
    return {"snapshotpolicy": _policy(state, policy)}


@commands.add("deleteSnapshotPolicies", "id:uuid ids:list")
def delete_policies(call: Call) -> Document:
    """Ends the making of snapshots by themselves."""
    policies = call.state.snapshot_policies
    for policy in call.items("ids") or call.items("id"):
        del policies[call.take_id(policies, policy, "ids").id]
    return {"success": True}


def _backed_up(snapshot: Snapshot) -> None:
    if snapshot.state == "BackingUp":
        snapshot.state = "BackedUp"


def _default_name(state: State, volume: Volume) -> str:
    machine = state.machines.get(volume.machine)
    moment = time.strftime("%Y%m%d%H%M%S", time.gmtime(state.now))
    return f"{machine.name if machine else 'detached'}_{volume.name}_{moment}"


def _os_type(state: State, volume: Volume) -> str:
    machine = state.machines.get(volume.machine)
    image = state.images.get(machine.image) if machine else None
    return image.os_type if image and volume.type == "ROOT" else ""


def _document(state: State, snapshot: Snapshot) -> Document:
    volume = state.volumes.get(snapshot.volume)
    document: Document = {
        "id": snapshot.id,
        **owner(state, snapshot),
        "volumeid": snapshot.volume,
        "volumename": snapshot.volume_name,
        "volumetype": snapshot.volume_type,
        "volumestate": volume.state if volume else "Expunged",
        "created": stamp(snapshot.created),
        "name": snapshot.name,
        "intervaltype": snapshot.interval,
        "state": snapshot.state,
        "physicalsize": 0 if snapshot.state == "Creating" else snapshot.size // 4,
        "zoneid": snapshot.zone,
        "zonename": state.zones[snapshot.zone].name,
        "revertable": False,
    }
    if snapshot.os_type:
        document["ostypeid"] = snapshot.os_type
        document["osdisplayname"] = state.os_types[snapshot.os_type].name
    return document | {
        "virtualsize": snapshot.size,
        "tags": tag_documents(state, snapshot),
        "hasannotations": False,
    }


def _policy(state: State, policy: SnapshotPolicy) -> Document:
    volume = state.volumes[policy.volume]
    zone = {
        "id": volume.zone,
        "name": state.zones[volume.zone].name,
        "isnsxenabled": False,
        "ismultiarch": False,
        "routedmodeenabled": False,
    }
    return {
        "id": policy.id,
        "volumeid": policy.volume,
        "volumename": volume.name,
        "schedule": policy.schedule,
        "intervaltype": policy.interval,
        "maxsnaps": policy.keep,
        "timezone": policy.timezone,
        "zone": [zone],
        "storage": [],
        "tags": [],
    }
