"""Lists of virtual machines, and changes to one that need no job."""

from __future__ import annotations

import re

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.documents import ALL, machine_document, rendered
from anabranch_cloudstack.simulator.compute.records import Machine
from anabranch_cloudstack.simulator.compute.sizing import Size, size_of
from anabranch_cloudstack.simulator.compute.userdata import checked_user_data
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.wire import INVALID, Document, Refusal, invalid

__all__ = ["FILTERS", "check_name", "commands", "found_machines", "resize"]

commands = Commands()

_NAME = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
FILTERS = (
    "id:uuid ids:list name state zoneid:uuid networkid:uuid vpcid:uuid templateid:uuid isoid:uuid"
    " serviceofferingid:uuid affinitygroupid:uuid securitygroupid:uuid keypair hypervisor group"
    " details:list forvirtualnetwork:boolean displayvm:boolean userdata:boolean userid:uuid"
)


@commands.add("listVirtualMachines", FILTERS, listing=True)
def list_machines(call: Call) -> Document:
    """Lists virtual machines."""
    details = frozenset(call.items("details")) or ALL
    admin, user_data = call.account.is_admin, call.flag("userdata")
    rows = [
        rendered(call.state, machine, details, admin=admin, user_data=user_data)
        for machine in found_machines(call)
    ]
    return listed(call, "virtualmachine", rows)


def found_machines(call: Call) -> list[Machine]:
    """The machines that the caller sees and that fit the filters of `listVirtualMachines`."""
    if call.flag("displayvm", default=True) is False:
        return []
    machines = matching(
        call,
        call.state.machines.values(),
        zone="zoneid",
        image="templateid",
        iso="isoid",
        offering="serviceofferingid",
        hypervisor="hypervisor",
        group="group",
    )
    if not (call.account.is_admin or call.state.show_destroyed):
        machines = [machine for machine in machines if machine.present]
    state = call.text("state")
    if state == "Present":
        machines = [machine for machine in machines if machine.present]
    elif state:
        machines = [machine for machine in machines if machine.state == state]
    if call.has("networkid"):
        network = call.text("networkid")
        machines = [m for m in machines if any(nic.network == network for nic in m.nics)]
    if call.has("vpcid"):
        tiers = {n.id for n in call.state.networks.values() if n.vpc == call.text("vpcid")}
        machines = [m for m in machines if any(nic.network in tiers for nic in m.nics)]
    if call.has("keypair"):
        machines = [m for m in machines if call.text("keypair") in m.key_pairs]
    if call.has("securitygroupid"):
        group = call.text("securitygroupid")
        machines = [m for m in machines if group in m.security_groups]
    if call.has("affinitygroupid"):
        group = call.text("affinitygroupid")
        machines = [m for m in machines if group in m.affinity_groups]
    return machines


@commands.add(
    "updateVirtualMachine",
    "id!:uuid displayname name group userdata userdataid@4.18:uuid details:map haenable:boolean"
    " ostypeid:uuid"
    " isdynamicallyscalable:boolean securitygroupids:list",
)
def update_machine(call: Call) -> Document:
    """Updates properties of a virtual machine."""
    machine = call.take(call.state.machines, "id")
    if call.has("name"):
        check_name(call, call.text("name"))
        machine.name = call.text("name")
    if call.has("displayname"):
        machine.display = call.text("displayname")
    if call.has("group"):
        machine.group = call.text("group")
    if call.has("userdata"):
        machine.user_data = checked_user_data(call)
    details = call.details()
    if details:
        if machine.state != "Stopped":
            raise invalid("Details of a virtual machine can be changed only while it is Stopped")
        machine.details = machine.details | details
    if call.has("securitygroupids"):
        _change_groups(call, machine)
    call.state.changed(machine.id)
    return {"virtualmachine": machine_document(call.state, machine)}


@commands.add("changeServiceForVirtualMachine", "id!:uuid serviceofferingid!:uuid details:map")
def change_service(call: Call) -> Document:
    """Changes the service offering of a stopped virtual machine."""
    machine = call.take(call.state.machines, "id")
    size = size_of(call)
    if machine.state != "Stopped":
        raise invalid(
            f"Unable to upgrade virtual machine {machine.described()} in state {machine.state};"
            " make sure the virtual machine is stopped"
        )
    resize(call, machine, size)
    return {"virtualmachine": machine_document(call.state, machine)}


def resize(call: Call, machine: Machine, size: Size) -> None:
    """Give a machine another service offering."""
    machine.offering = size.offering
    machine.cpus, machine.speed, machine.memory = size.cpus, size.speed, size.memory
    machine.details = machine.details | size.details
    call.state.changed(machine.id)


def check_name(call: Call, name: str) -> None:
    """Refuse what is no host name.

    Raises:
        Refusal: 431.
    """
    if not _NAME.fullmatch(name):
        raise Refusal(
            INVALID,
            f"Unable to execute API command {call.command.name.lower()} due to invalid value."
            " Invalid value provided for API arg: name - it can contain ASCII letters 'a' through"
            " 'z', the digits '0' through '9', and the hyphen ('-'), must be between 1 and 63"
            " characters long, and can't start or end with \"-\" and can't start with digit",
        )


def _change_groups(call: Call, machine: Machine) -> None:
    if not call.state.zones[machine.zone].groups_in_use:
        raise invalid("Virtual machine is not in a zone with security groups")
    if machine.state != "Stopped":
        raise invalid("Virtual machine must be in Stopped state prior to update security groups")
    for group in call.items("securitygroupids"):
        call.take_id(call.state.security_groups, group, "securitygroupids")
    machine.security_groups = call.items("securitygroupids")
