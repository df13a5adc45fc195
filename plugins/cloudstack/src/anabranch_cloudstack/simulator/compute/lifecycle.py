"""The states of virtual machines: start, stop, reboot, destroy, recover, expunge."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.documents import HOLLOW, machine_document
from anabranch_cloudstack.simulator.compute.records import Machine
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.network.provision import implement, release_address
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands", "move", "told"]

commands = Commands()

_VM = "VirtualMachine"
_ALLOWED_BY = "allow.user.expunge.recover.vm"


def move(state: State, machine: Machine, word: str) -> None:
    """Bring a machine into a state."""
    machine.state = word
    machine.updated = state.now
    if word == "Running":
        machine.running_since = state.now
    machine.encoded.clear()


def told(state: State, machine: Machine) -> Document:
    """A job's result: the machine as it is now."""
    return {"virtualmachine": machine_document(state, machine)}


@commands.add(
    "startVirtualMachine",
    "id!:uuid hostid:uuid bootintosetup:boolean",
    job="user.vm.StartVMCmd",
    instance_type=_VM,
)
def start(call: Call) -> Document:
    """Starts a virtual machine."""
    machine = call.take(call.state.machines, "id")
    return call.start(_starting(call.state, machine), machine.id)


@commands.add(
    "stopVirtualMachine", "id!:uuid forced:boolean", job="user.vm.StopVMCmd", instance_type=_VM
)
def stop(call: Call) -> Document:
    """Stops a virtual machine."""
    machine = call.take(call.state.machines, "id")
    return call.start(_stopping(call.state, machine), machine.id)


@commands.add(
    "rebootVirtualMachine",
    "id!:uuid forced:boolean bootintosetup:boolean",
    job="user.vm.RebootVMCmd",
    instance_type=_VM,
)
def reboot(call: Call) -> Document:
    """Reboots a virtual machine."""
    machine = call.take(call.state.machines, "id")
    return call.start(_rebooting(call.state, machine), machine.id)


@commands.add(
    "destroyVirtualMachine",
    "id!:uuid expunge:boolean volumeids@4.12:list",
    job="user.vm.DestroyVMCmd",
    instance_type=_VM,
)
def destroy(call: Call) -> Document:
    """Destroys a virtual machine; it can be recovered unless it is expunged."""
    machine = call.take(call.state.machines, "id")
    expunge = call.flag("expunge")
    if expunge and not (call.account.is_admin or call.state.expunge_by_users):
        raise Refusal(
            531,
            f"Parameter expunge can be passed by Admin only. Or when the {_ALLOWED_BY} key is set.",
            4365,
        )
    volumes = call.items("volumeids")
    for volume in volumes:
        if call.take_id(call.state.volumes, volume, "volumeids").machine != machine.id:
            raise invalid(f"Volume {volume} is not attached to the virtual machine")
    return call.start(_destroying(call.state, machine, volumes, expunge=expunge), machine.id)


@commands.add("recoverVirtualMachine", "id!:uuid")
def recover(call: Call) -> Document:
    """Brings a destroyed virtual machine back; it is then stopped."""
    if not (call.account.is_admin or call.state.expunge_by_users):
        raise Refusal(
            531,
            f"Recovering a vm can only be done by an Admin. Or when the {_ALLOWED_BY} key is set.",
            4365,
        )
    machine = call.take(call.state.machines, "id")
    if machine.state != "Destroyed":
        raise invalid(f"Unable to recover {machine.described()}: it is not destroyed")
    move(call.state, machine, "Stopped")
    result = told(call.state, machine)
    result["virtualmachine"]["instancename"] = machine.instance_name
    if call.state.version >= (4, 20):
        result["virtualmachine"]["arch"] = "x86_64"
    return result


@commands.add("expungeVirtualMachine", "id!:uuid", job="admin.vm.ExpungeVMCmd", instance_type=_VM)
def expunge(call: Call) -> Document:
    """Removes a destroyed virtual machine for good."""
    if not (call.account.is_admin or call.state.expunge_by_users):
        raise Refusal(
            531,
            f"Expunging a vm can only be done by an Admin. Or when the {_ALLOWED_BY} key is set.",
            4365,
        )
    if call.text("id") not in call.state.machines:
        raise invalid("Unable to find UUID for id [0] of type [VirtualMachine]")
    machine = call.take(call.state.machines, "id")
    return call.start(_expunging(call.state, machine), machine.id)


def _starting(state: State, machine: Machine) -> Work:
    if machine.running:
        raise invalid(f"The virtual machine {machine.id} ({machine.display}) is already running")
    if machine.state != "Stopped":
        raise Refusal(
            530,
            "Unable to orchestrate the start of VM instance"
            f' {{"instanceName":"{machine.instance_name}","uuid":"{machine.id}"}}.',
        )
    move(state, machine, "Starting")
    yield
    for nic in machine.nics:
        implement(state, state.networks[nic.network])
    move(state, machine, "Running")
    return told(state, machine)


def _stopping(state: State, machine: Machine) -> Work:
    if machine.running:
        move(state, machine, "Stopping")
        yield
        move(state, machine, "Stopped")
    elif machine.state != "Stopped":
        raise Refusal(530, f"Unable to stop {machine.described()}")
    return told(state, machine)


def _rebooting(state: State, machine: Machine) -> Work:
    if not machine.running:
        raise invalid(
            f"The VM {machine.id} ({machine.display}) is not running, unable to reboot it"
        )
    yield
    move(state, machine, "Running")
    return told(state, machine)


def _destroying(state: State, machine: Machine, volumes: list[str], *, expunge: bool) -> Work:
    if machine.present:
        if machine.running:
            move(state, machine, "Stopping")
        yield
        move(state, machine, "Destroyed")
        for volume in volumes:
            machine.volumes.remove(volume)
            state.remove_volume(volume)
    if not expunge:
        return told(state, machine)
    yield from _removing(state, machine)
    return {"virtualmachine": dict(HOLLOW)}


def _expunging(state: State, machine: Machine) -> Work:
    if machine.state not in ("Destroyed", "Error"):
        raise invalid(f"Please destroy vm with specified vmId before expunging: {machine.id}")
    yield from _removing(state, machine)
    return {"success": True}


def _removing(state: State, machine: Machine) -> Work:
    move(state, machine, "Expunging")
    yield
    for volume_id in machine.volumes:
        volume = state.volumes[volume_id]
        if volume.type == "ROOT":
            state.remove_volume(volume_id)
        else:
            volume.machine = ""
    if machine.public_address:
        release_address(state, state.addresses[machine.public_address], keep=True)
    for rule in [r for r in state.forwarding_rules.values() if r.machine == machine.id]:
        del state.forwarding_rules[rule.id]
    for balancer in state.balancers.values():
        balancer.members.pop(machine.id, None)
    for snapshot in [s for s in state.machine_snapshots.values() if s.machine == machine.id]:
        del state.machine_snapshots[snapshot.id]
    state.forget(machine)
    return {"success": True}
