"""The NICs of virtual machines."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.documents import machine_document, nic_document
from anabranch_cloudstack.simulator.compute.records import Machine, Nic, SecondaryAddress
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.network.placement import make_nic
from anabranch_cloudstack.simulator.network.provision import implement
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_TOLD = frozenset({"nics", "secgrp", "diskoff", "affgrp", "iso"})


@commands.add("listNics", "virtualmachineid!:uuid nicid networkid:uuid", listing=True)
def list_nics(call: Call) -> Document:
    """Lists the NICs of a virtual machine."""
    machine = call.take(call.state.machines, "virtualmachineid")
    rows = [
        _document(call.state, machine, nic)
        for nic in machine.nics
        if call.text("nicid", nic.id) == nic.id
        and call.text("networkid", nic.network) == nic.network
    ]
    return listed(call, "nic", rows)


@commands.add(
    "addNicToVirtualMachine",
    "virtualmachineid!:uuid networkid!:uuid ipaddress macaddress dhcpoptions:map",
    job="user.vm.AddNicToVMCmd",
    instance_type="VirtualMachine",
)
def add_nic(call: Call) -> Document:
    """Puts a virtual machine into one more network."""
    state = call.state
    machine = call.take(state.machines, "virtualmachineid")
    network = call.take(state.networks, "networkid")

    def work() -> Work:
        if network.zone != machine.zone:
            raise invalid(f"{machine.described()} is in another zone than the network")
        if any(nic.network == network.id for nic in machine.nics):
            raise invalid(f"A NIC already exists for VM {machine.name} in network {network.id}")
        _check_snapshots(state, machine)
        device = max((nic.device for nic in machine.nics), default=-1) + 1
        nic = make_nic(state, network, call.text("ipaddress"), device)
        nic.mac = call.text("macaddress") or nic.mac
        nic.default = not machine.nics
        yield
        if network.id not in state.networks:
            raise Refusal(530, f"Network {network.id} was removed meanwhile")
        if machine.running:
            implement(state, network)
        machine.nics.append(nic)
        return _told(state, machine)

    return call.start(work(), machine.id)


@commands.add(
    "removeNicFromVirtualMachine",
    "virtualmachineid!:uuid nicid!",
    job="user.vm.RemoveNicFromVMCmd",
)
def remove_nic(call: Call) -> Document:
    """Takes a virtual machine out of a network."""
    state = call.state
    machine = call.take(state.machines, "virtualmachineid")
    nic = _nic(call, machine)

    def work() -> Work:
        if nic.default:
            name = state.networks[nic.network].name
            raise invalid(
                f"Unable to remove nic from {machine.described()} in Network {name}, nic is"
                " default."
            )
        _check_snapshots(state, machine)
        yield
        machine.nics.remove(nic)
        return _told(state, machine)

    return call.start(work(), lock=machine.id)


@commands.add(
    "updateDefaultNicForVirtualMachine",
    "virtualmachineid!:uuid nicid!",
    job="user.vm.UpdateDefaultNicForVMCmd",
)
def update_default(call: Call) -> Document:
    """Makes another NIC of a virtual machine the default one."""
    machine = call.take(call.state.machines, "virtualmachineid")
    nic = _nic(call, machine)

    def work() -> Work:
        if nic.default:
            raise invalid("Unable to set nic as default: it is the default already")
        yield
        for other in machine.nics:
            other.default = other is nic
        return _told(call.state, machine)

    return call.start(work(), lock=machine.id)


@commands.add(
    "addIpToNic", "nicid! ipaddress", job="user.vm.AddIpToVmNicCmd", instance_type="IpAddress"
)
def add_address(call: Call) -> Document:
    """Gives a NIC one more address."""
    state = call.state
    machine, nic = _machine_and_nic(call)
    network = state.networks[nic.network]
    address = make_nic(state, network, call.text("ipaddress"), 0).address
    secondary = SecondaryAddress(id=state.new_id(), address=address)
    nic.secondary.append(secondary)
    state.changed(machine.id)

    def work() -> Work:
        yield
        document = {
            "id": secondary.id,
            "ipaddress": address,
            "nicid": nic.id,
            "networkid": network.id,
        }
        return {"nicsecondaryip": document}

    return call.start(work(), secondary.id, created=True, lock=machine.id)


@commands.add("removeIpFromNic", "id!", job="user.vm.RemoveIpFromVmNicCmd")
def remove_address(call: Call) -> Document:
    """Takes one of its more addresses from a NIC."""
    for machine in call.state.machines.values():
        for nic in machine.nics:
            for one in nic.secondary:
                if one.id == call.text("id"):
                    call.take_id(call.state.machines, machine.id, "id")
                    return call.start(_removing(nic, one), lock=machine.id)
    raise call.no_entity("id", call.text("id"))


@commands.add("updateVmNicIp", "nicid! ipaddress", job="user.vm.UpdateVmNicIpCmd")
def update_address(call: Call) -> Document:
    """Gives a NIC another address."""
    state = call.state
    machine, nic = _machine_and_nic(call)

    def work() -> Work:
        if machine.state != "Stopped":
            raise invalid("VM is not Stopped, unable to update the vm nic having the specified id")
        yield
        network = state.networks[nic.network]
        nic.address = make_nic(state, network, call.text("ipaddress"), 0).address
        return _told(state, machine)

    return call.start(work(), lock=machine.id)


def _told(state: State, machine: Machine) -> Document:
    """A job's result: the machine as it is now, which here tells less than elsewhere."""
    machine.encoded.clear()
    document = machine_document(state, machine, _TOLD)
    for nic in document.get("nic") or ():  # an odd machine may say anything
        _without_vpc(nic)
    return {"virtualmachine": document}


def _without_vpc(document: Document) -> None:
    for key in ("vpcid", "vpcname"):
        document.pop(key, None)


def _removing(nic: Nic, secondary: SecondaryAddress) -> Work:
    yield
    if secondary in nic.secondary:
        nic.secondary.remove(secondary)
    return {"success": True}


def _nic(call: Call, machine: Machine) -> Nic:
    for nic in machine.nics:
        if nic.id == call.text("nicid"):
            return nic
    raise call.no_entity("nicid", call.text("nicid"))


def _machine_and_nic(call: Call) -> tuple[Machine, Nic]:
    for machine in call.state.machines.values():
        if any(nic.id == call.text("nicid") for nic in machine.nics):
            call.take_id(call.state.machines, machine.id, "nicid")
            return machine, _nic(call, machine)
    raise call.no_entity("nicid", call.text("nicid"))


def _check_snapshots(state: State, machine: Machine) -> None:
    if any(s.machine == machine.id for s in state.machine_snapshots.values()):
        raise invalid(f"NIC cannot be changed: VM {machine.id} has VM snapshots")


def _document(state: State, machine: Machine, nic: Nic) -> Document:
    document = nic_document(state, machine, nic)
    _without_vpc(document)
    if not nic.secondary:
        del document["secondaryip"]
    return document | {"virtualmachineid": machine.id}
