"""Volumes."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import GIB
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.records import Machine
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.storage.records import Volume
from anabranch_cloudstack.simulator.wire import Document, invalid, stamp

__all__ = ["commands"]

commands = Commands()

_TYPE = "Volume"
_MOST_VOLUMES = 14
_FILTERS = (
    "id:uuid ids:list name type virtualmachineid:uuid zoneid:uuid diskofferingid:uuid state"
    " serviceofferingid:uuid"
)


@commands.add("listVolumes", _FILTERS, listing=True)
def list_volumes(call: Call) -> Document:
    """Lists volumes."""
    rows = [_document(call.state, volume) for volume in _found(call)]
    return listed(call, "volume", rows)


@commands.add("listVolumesMetrics", _FILTERS, listing=True, since="4.9.3")
def list_metrics(call: Call) -> Document:
    """Lists volumes with what they use, in words for people."""
    rows = [
        {"sizegb": f"{volume.size / GIB:.2f} GiB", **_document(call.state, volume)}
        for volume in _found(call)
    ]
    return listed(call, "volume", rows)


def _found(call: Call) -> list[Volume]:
    """The volumes that the caller sees and that fit the filters of `listVolumes`."""
    return matching(
        call,
        call.state.volumes.values(),
        type="type",
        machine="virtualmachineid",
        zone="zoneid",
        offering="diskofferingid",
        state="state",
    )


@commands.add(
    "createVolume",
    "name zoneid:uuid diskofferingid:uuid snapshotid:uuid size:long virtualmachineid:uuid"
    " projectid:uuid account domainid:uuid customid displayvolume:boolean miniops:long"
    " maxiops:long",
    job="user.volume.CreateVolumeCmd",
    instance_type=_TYPE,
)
def create_volume(call: Call) -> Document:
    """Creates a volume, empty or from a snapshot; an empty one has no storage until attached."""
    state = call.state
    volume = Volume(
        id=state.new_id(),
        name=call.text("name") or f"volume-{state.new_number()}",
        account=call.account.name,
        project=call.project,
        created=state.now,
        zone="",
        size=0,
    )
    if call.has("snapshotid"):
        snapshot = call.take(state.snapshots, "snapshotid")
        source = state.volumes.get(snapshot.volume)
        volume.zone, volume.snapshot = snapshot.zone, snapshot.id
        volume.size = max(snapshot.size, (call.number("size") or 0) * GIB)
        volume.offering = source.offering if source else ""
        if call.has("diskofferingid"):
            volume.offering = call.take(state.disk_offerings, "diskofferingid").id
    elif call.has("diskofferingid"):
        volume.size = _size(call)
        volume.offering = call.text("diskofferingid")
        if not call.has("zoneid"):
            raise invalid("ZoneId is required to create a volume from a disk offering")
        volume.zone = call.take(state.zones, "zoneid").id
    else:
        raise invalid(
            "Either disk offering Id or snapshot Id must be passed whilst creating volume"
        )
    check_limits(call, volume=1, primary_storage=volume.size // GIB)
    if call.has("virtualmachineid"):
        machine = call.take(state.machines, "virtualmachineid")
    else:
        machine = None
    state.add(state.volumes, volume)

    def work() -> Work:
        volume.state = "Creating" if volume.snapshot else "Allocated"
        yield
        volume.state = "Ready" if volume.snapshot else "Allocated"
        if machine is not None:
            _attach(state, volume, machine, None)
        return {"volume": _document(state, volume)}

    return call.start(work(), volume.id, created=True)


@commands.add(
    "attachVolume",
    "id!:uuid virtualmachineid!:uuid deviceid:long",
    job="user.volume.AttachVolumeCmd",
    instance_type=_TYPE,
)
def attach_volume(call: Call) -> Document:
    """Attaches a volume to a virtual machine."""
    state = call.state
    volume = call.take(state.volumes, "id")
    machine = call.take(state.machines, "virtualmachineid")
    device = call.number("deviceid")

    def work() -> Work:
        if volume.machine or volume.state not in ("Allocated", "Ready"):
            raise invalid("Please specify a volume that is not attached to any VM.")
        if machine.state not in ("Running", "Stopped"):
            raise invalid("Please specify a VM that is either running or stopped.")
        if volume.zone != machine.zone:
            raise invalid("Please specify a VM that is in the same zone as the volume.")
        if _snapshots(state, machine):
            raise invalid(
                "Unable to attach volume, please specify a VM that does not have VM snapshots"
            )
        _check_device(state, machine, device)
        volume.state = "Attaching"
        yield
        _attach(state, volume, machine, device)
        return {"volume": _document(state, volume)}

    return call.start(work(), volume.id, lock=machine.id)


@commands.add(
    "detachVolume",
    "id:uuid virtualmachineid:uuid deviceid:long",
    job="user.volume.DetachVolumeCmd",
    instance_type=_TYPE,
)
def detach_volume(call: Call) -> Document:
    """Detaches a volume, by its id or by its place in a virtual machine."""
    state = call.state
    volume = call.take(state.volumes, "id") if call.has("id") else _volume_at(call)

    def work() -> Work:
        machine = state.machines.get(volume.machine)
        if machine is None:
            raise invalid("The specified volume is not attached to a VM.")
        if volume.type == "ROOT" and machine.state != "Stopped":
            raise invalid("Please specify a data volume.")
        if _snapshots(state, machine):
            raise invalid(
                "Unable to detach volume, please specify a VM that does not have VM snapshots"
            )
        yield
        machine.volumes.remove(volume.id)
        machine.encoded.clear()
        volume.machine, volume.device, volume.attached = "", 0, 0.0
        volume.state = "Ready"
        return {"volume": _document(state, volume)}

    return call.start(work(), volume.id, lock=volume.machine or volume.id)


@commands.add(
    "resizeVolume",
    "id!:uuid size:long diskofferingid:uuid shrinkok:boolean",
    job="user.volume.ResizeVolumeCmd",
    instance_type=_TYPE,
)
def resize_volume(call: Call) -> Document:
    """Changes the size of a volume, or its disk offering."""
    return _resize(call, "diskofferingid")


@commands.add(
    "changeOfferingForVolume",
    "id!:uuid diskofferingid!:uuid size:long shrinkok:boolean automigrate:boolean",
    job="user.volume.ChangeOfferingForVolumeCmd",
    instance_type=_TYPE,
    since="4.17",
)
def change_offering(call: Call) -> Document:
    """Changes the disk offering of a volume."""
    return _resize(call, "diskofferingid")


@commands.add("deleteVolume", "id!:uuid")
def delete_volume(call: Call) -> Document:
    """Deletes a volume that no machine has."""
    volume = call.take(call.state.volumes, "id")
    if volume.machine:
        raise invalid("Please specify a volume that is not attached to any VM.")
    if volume.state not in ("Allocated", "Ready", "Destroy"):
        raise invalid(f"The volume can not be deleted in state {volume.state}")
    call.state.remove_volume(volume.id)
    return {"success": True}


@commands.add(
    "destroyVolume",
    "id!:uuid expunge:boolean",
    job="user.volume.DestroyVolumeCmd",
    instance_type=_TYPE,
    since="4.14.0",
)
def destroy_volume(call: Call) -> Document:
    """Puts a volume into the trash, or deletes it for good."""
    state = call.state
    volume = call.take(state.volumes, "id")

    def work() -> Work:
        if volume.machine or volume.state not in ("Allocated", "Ready", "Destroy"):
            raise invalid("Please specify a volume that is not attached to any VM.")
        volume.state = "Destroy"
        yield
        if call.flag("expunge"):
            state.remove_volume(volume.id)
            return {"volume": {"tags": []}}
        return {"volume": _document(state, volume)}

    return call.start(work(), volume.id)


@commands.add("recoverVolume", "id!:uuid", since="4.14.0")
def recover_volume(call: Call) -> Document:
    """Takes a volume out of the trash."""
    volume = call.take(call.state.volumes, "id")
    if volume.state != "Destroy":
        raise invalid(f"Please specify a volume in Destroy state: {volume.id}")
    volume.state = "Ready"
    return {"volume": _document(call.state, volume)}


def _size(call: Call) -> int:
    offering = call.take(call.state.disk_offerings, "diskofferingid")
    if offering.size:
        return offering.size * GIB
    size = call.number("size")
    if size is None:
        raise invalid("This disk offering requires a custom size specified")
    if not 1 <= size <= 1024:
        raise invalid(f"Volume size: {size} GB is out of allowed range. Max: 1024 Min:1")
    return size * GIB


def _resize(call: Call, offering_name: str) -> Document:
    state = call.state
    volume = call.take(state.volumes, "id")
    offering = volume.offering
    if call.has(offering_name):
        offering = call.take(state.disk_offerings, offering_name).id
        size = _size(call)
    else:
        size = (call.number("size") or 0) * GIB
    if not size:
        raise invalid("No new size or disk offering was given")
    if not call.has(offering_name) and offering and state.disk_offerings[offering].size:
        raise invalid(
            "To change a volume's size without providing a new disk offering, its current disk"
            " offering must be customizable."
        )
    if size < volume.size and not call.flag("shrinkok"):
        raise invalid("Going from existing size to a smaller one needs shrinkok")

    def work() -> Work:
        before = volume.state
        volume.state = "Resizing"
        yield
        volume.state, volume.size, volume.offering = before, size, offering
        return {"volume": _document(state, volume)}

    return call.start(work(), volume.id, lock=volume.machine or volume.id)


def _attach(state: State, volume: Volume, machine: Machine, device: int | None) -> None:
    used = {state.volumes[other].device for other in machine.volumes}
    free = next(number for number in range(1, 100) if number not in used and number != 3)
    volume.device = free if device is None else device
    volume.machine, volume.attached, volume.state = machine.id, state.now, "Ready"
    machine.volumes.append(volume.id)
    machine.encoded.clear()


def _check_device(state: State, machine: Machine, device: int | None) -> None:
    used = {state.volumes[other].device for other in machine.volumes}
    if device is not None and (device in used or not 0 <= device < 24):
        raise invalid(f"deviceId {device} is used by VM {machine.id}")
    if len(machine.volumes) >= _MOST_VOLUMES:
        raise invalid(
            f"The specified VM already has the maximum number of data disks ({_MOST_VOLUMES})"
        )


def _snapshots(state: State, machine: Machine) -> bool:
    return any(s.machine == machine.id for s in state.machine_snapshots.values())


def _volume_at(call: Call) -> Volume:
    if not call.has("virtualmachineid") or not call.has("deviceid"):
        raise invalid("Please provide either a volume id, or a tuple(device id, instance id)")
    machine = call.take(call.state.machines, "virtualmachineid")
    for volume_id in machine.volumes:
        if call.state.volumes[volume_id].device == call.number("deviceid"):
            return call.state.volumes[volume_id]
    raise invalid(f"Unable to find a volume at device {call.text('deviceid')}")


def _document(state: State, volume: Volume) -> Document:
    """One volume."""
    machine = state.machines.get(volume.machine)
    document: Document = {
        "id": volume.id,
        "name": volume.name,
        "zoneid": volume.zone,
        "zonename": state.zones[volume.zone].name,
        "type": volume.type,
    }
    if machine is not None:
        document |= {"deviceid": volume.device, "virtualmachineid": machine.id}
        document |= _template(state, volume, machine)
        document |= {
            "vmname": machine.name,
            "vmdisplayname": machine.display,
            "vmstate": machine.state,
            "vmtype": "User",
        }
    document |= {
        "provisioningtype": "thin",
        "size": volume.size,
        "created": stamp(volume.created),
        "state": volume.state,
        **owner(state, volume),
    }
    if machine is not None:
        document |= {"diskkbsread": 0, "diskkbswrite": 0, "diskioread": 0, "diskiowrite": 0}
    if volume.offering:
        offering = state.disk_offerings[volume.offering]
        document |= {
            "diskofferingid": offering.id,
            "diskofferingname": offering.name,
            "diskofferingdisplaytext": offering.text,
        }
    if volume.attached:
        document["attached"] = stamp(volume.attached)
    if volume.snapshot:
        document["snapshotid"] = volume.snapshot
    document["destroyed"] = volume.state == "Destroy"
    if volume.type == "ROOT" and machine is not None:
        name = state.service_offerings[machine.offering].name
        document |= {
            "serviceofferingid": machine.offering,
            "serviceofferingname": name,
            "serviceofferingdisplaytext": name,
        }
    return document | {
        "isextractable": volume.type != "ROOT",
        "quiescevm": False,
        "supportsstoragesnapshot": False,
        "deleteprotection": False,
        "tags": tag_documents(state, volume),
        "hasannotations": False,
    }


def _template(state: State, volume: Volume, machine: Machine) -> Document:
    image = state.images.get(machine.image)
    if volume.type != "ROOT" or image is None:
        return {}
    return {
        "templateid": image.id,
        "templatename": image.name,
        "templatedisplaytext": image.text,
    }
