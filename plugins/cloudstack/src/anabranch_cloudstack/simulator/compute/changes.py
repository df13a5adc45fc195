"""Jobs that change a virtual machine: its size, its disk, its secrets, its CD, its groups."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.lifecycle import move, told
from anabranch_cloudstack.simulator.compute.machines import resize
from anabranch_cloudstack.simulator.compute.sizing import size_of
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_VM = "VirtualMachine"


@commands.add(
    "scaleVirtualMachine",
    "id!:uuid serviceofferingid!:uuid details:map automigrate:boolean shrinkok:boolean",
    job="user.vm.ScaleVMCmd",
    instance_type=_VM,
)
def scale(call: Call) -> Document:
    """Changes the service offering; no running machine here has the tools for that."""
    machine = call.take(call.state.machines, "id")
    size = size_of(call)

    def work() -> Work:
        if machine.running:
            raise Refusal(
                530,
                f"Unable to scale {machine.described()} as it does not have tools to support"
                " dynamic scaling.",
            )
        if machine.state != "Stopped":
            raise invalid(f"Unable to scale {machine.described()}")
        yield
        resize(call, machine, size)
        return told(call.state, machine)

    return call.start(work(), machine.id)


@commands.add(
    "restoreVirtualMachine",
    "virtualmachineid!:uuid templateid:uuid rootdisksize:long diskofferingid:uuid details:map"
    " expunge:boolean",
    job="user.vm.RestoreVMCmd",
    instance_type=_VM,
    since="3.0.0",
)
def restore(call: Call) -> Document:
    """Gives a virtual machine a new root volume, from its template or another one."""
    state = call.state
    machine = call.take(state.machines, "virtualmachineid")
    image = call.take_shared(state.images, "templateid") if call.has("templateid") else None

    def work() -> Work:
        if machine.state not in ("Running", "Stopped"):
            raise invalid(f"Vm {machine.id} currently in {machine.state} state, restore vm failed")
        if any(s.machine == machine.id for s in state.machine_snapshots.values()):
            raise invalid("Unable to restore VM, please remove VM snapshots before restoring VM")
        before = machine.state
        move(state, machine, "Restoring" if state.version >= (4, 14) else "Stopping")
        yield
        if image is not None:
            machine.image = image.id
        move(state, machine, before)
        return told(state, machine)

    return call.start(work(), machine.id)


@commands.add(
    "resetPasswordForVirtualMachine",
    "id!:uuid password",
    job="user.vm.ResetVMPasswordCmd",
    instance_type=_VM,
)
def reset_password(call: Call) -> Document:
    """Gives a stopped virtual machine a new password, which only the job tells."""
    state = call.state
    machine = call.take(state.machines, "id")

    def work() -> Work:
        image = state.images.get(machine.image)
        if image is None or not image.passwords:
            raise invalid(
                "Fail to reset password for the virtual machine, the template is not password"
                " enabled"
            )
        if machine.state != "Stopped":
            raise invalid(f"{machine.described()} should be stopped to reset its password")
        yield
        machine.password = call.text("password") or f"pw{state.new_id()[:8]}"
        result = told(state, machine)
        result["virtualmachine"]["password"] = machine.password
        return result

    return call.start(work(), machine.id)


@commands.add(
    "resetSSHKeyForVirtualMachine",
    "id!:uuid keypair keypairs@4.17:list account domainid:uuid projectid:uuid",
    job="user.vm.ResetVMSSHKeyCmd",
    instance_type=_VM,
)
def reset_ssh_key(call: Call) -> Document:
    """Gives a stopped virtual machine other SSH keys."""
    state = call.state
    machine = call.take(state.machines, "id")
    names = call.items("keypairs") or call.items("keypair")
    pairs = {pair.name: pair for pair in call.visible(state.key_pairs.values())}
    if not names or any(name not in pairs for name in names):
        raise invalid(f"A key pair with name '{','.join(names)}' does not exist for account")

    def work() -> Work:
        if machine.state != "Stopped":
            raise invalid(f"{machine.described()} should be stopped to do SSH Key reset")
        yield
        machine.key_pairs = names
        machine.ssh_key = "\n".join(pairs[name].public_key for name in names)
        machine.password = ""
        return told(state, machine)

    return call.start(work(), machine.id)


@commands.add("getVMPassword", "id!:uuid")
def get_password(call: Call) -> Document:
    """Returns the password of a virtual machine, encrypted with its SSH key."""
    machine = call.take(call.state.machines, "id")
    if not machine.password or not machine.key_pairs:
        raise invalid(
            f"No password found for VM [{machine.described()}]. When the VM's SSH keypair is"
            " changed, the current encrypted password is removed. To get a new password, it must"
            " be reseted."
        )
    return {"password": {"encryptedpassword": machine.password[::-1]}}


@commands.add(
    "attachIso",
    "id!:uuid virtualmachineid!:uuid forced:boolean",
    job="user.iso.AttachIsoCmd",
    instance_type=_VM,
)
def attach_iso(call: Call) -> Document:
    """Puts an ISO into the CD drive of a virtual machine."""
    state = call.state
    iso = call.take_shared(state.images, "id")
    machine = call.take(state.machines, "virtualmachineid")

    def work() -> Work:
        if not iso.is_iso:
            raise invalid(f"{iso.name} is no ISO")
        yield
        machine.iso = iso.id
        return told(state, machine)

    return call.start(work(), machine.id)


@commands.add(
    "detachIso",
    "virtualmachineid!:uuid forced:boolean",
    job="user.iso.DetachIsoCmd",
    instance_type=_VM,
)
def detach_iso(call: Call) -> Document:
    """Takes the ISO out of the CD drive of a virtual machine."""
    machine = call.take(call.state.machines, "virtualmachineid")

    def work() -> Work:
        if not machine.iso:
            raise invalid("The specified VM has no ISO attached to it.")
        yield
        machine.iso = ""
        return told(call.state, machine)

    return call.start(work(), machine.id)


@commands.add(
    "updateVMAffinityGroup",
    "id!:uuid affinitygroupids:list affinitygroupnames:list",
    job="user.affinitygroup.UpdateVMAffinityGroupCmd",
    instance_type=_VM,
)
def update_affinity(call: Call) -> Document:
    """Changes the affinity groups of a stopped virtual machine."""
    state = call.state
    machine = call.take(state.machines, "id")
    groups = call.items("affinitygroupids")
    for group in groups:
        call.take_id(state.affinity_groups, group, "affinitygroupids")

    def work() -> Work:
        if machine.state != "Stopped":
            raise invalid(
                "Unable update affinity groups of the virtual machine in state"
                f" {machine.state}: make sure it is stopped"
            )
        yield
        machine.affinity_groups = [group for group in groups if group in state.affinity_groups]
        return told(state, machine)

    return call.start(work(), machine.id)
