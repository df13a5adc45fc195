"""Interfaces that come and go, and their security groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.figures import listed
from anabranch_opennebula.simulator.machines import context
from anabranch_opennebula.simulator.machines.hotplug import POWEROFF, UNDER_WAY, change, find
from anabranch_opennebula.simulator.machines.lifecycle import RUNNING, Where
from anabranch_opennebula.simulator.machines.nics import put_rules, resolve_nic
from anabranch_opennebula.simulator.machines.records import Lcm, Machine
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.networks.records import Network
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.restricted import refuse_restricted
from anabranch_opennebula.simulator.templates import Template, Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS"]

_HOTPLUG: dict[Where, Lcm] = {RUNNING: Lcm.HOTPLUG_NIC, POWEROFF: Lcm.HOTPLUG_NIC_POWEROFF}
_ATTACHED, _DETACHED, _GROUP_ATTACHED, _GROUP_DETACHED = 23, 24, 46, 47


def _attach(call: Call, machine_id: int, text: str) -> int:
    machine = find(call, machine_id, _HOTPLUG, "attach NIC")
    template = Template.parse(text)
    refuse_restricted(call, template)
    kind = "NIC_ALIAS" if "NIC_ALIAS" in template else "NIC"
    asked = template.vector(kind)
    if asked is None:
        raise Refusal(Code.INTERNAL, "Missing NIC attribute in template", machine_id)
    number = _next_nic_id(machine)
    if kind == "NIC":
        nic, network = resolve_nic(call, machine, asked, number, f"NIC{number}")
        prefix = f"ETH{number}"
    else:
        parent = _parent(machine, asked)
        nic, network = resolve_nic(call, machine, asked, number, f"{parent['NAME']}_ALIAS{number}")
        siblings = listed(parent.get("ALIAS_IDS", ""))
        nic["ALIAS_ID"] = str(len(siblings))
        nic["PARENT"], nic["PARENT_ID"] = parent["NAME"], parent["NIC_ID"]
        prefix = f"ETH{parent['NIC_ID']}_ALIAS{len(siblings)}"

    nic[UNDER_WAY] = "YES"
    machine.template.add(kind, nic)
    if kind == "NIC_ALIAS":
        _add_alias(machine, nic)
    put_rules(call, machine)

    def attached(_: float) -> None:
        del nic[UNDER_WAY]
        if call.state.hypervisor.attach_fails:
            _drop(call, machine, nic)
        else:
            _tell(machine, prefix, nic, network)

    change(call, machine, _HOTPLUG, attached, _ATTACHED)
    return machine_id


def _detach(call: Call, machine_id: int, nic_id: int) -> int:
    machine = find(call, machine_id, _HOTPLUG, "detach NIC")
    nic = _find_nic(machine, nic_id)
    nic[UNDER_WAY] = "YES"
    change(call, machine, _HOTPLUG, lambda _: _drop(call, machine, nic), _DETACHED)
    return machine_id


def _drop(call: Call, machine: Machine, nic: Vector) -> None:
    """Take an interface away, with the aliases that it has."""
    gone = [nic, *(a for a in machine.template.vectors("NIC_ALIAS") if _is_of(a, nic))]
    for vector in gone:
        _let_go(call, machine, int(vector["NIC_ID"]))
        machine.template.drop("NIC_ALIAS" if "PARENT_ID" in vector else "NIC", vector)
        for told in machine.template.vectors("CONTEXT"):
            context.forget(told, _prefix(vector))
    if "PARENT_ID" in nic:
        _remove_alias(machine, nic)
    put_rules(call, machine)


def _attach_group(call: Call, machine_id: int, nic_id: int, group_id: int) -> int:
    """Since 6.4."""
    machine = find(call, machine_id, _HOTPLUG, "attach security group")
    nic = _find_nic(machine, nic_id)
    call.find(call.state.security_groups, group_id)
    groups = listed(nic["SECURITY_GROUPS"])
    if group_id in groups:
        raise Refusal(
            Code.ACTION, f"NIC {nic_id} already has the security group {group_id}", machine_id
        )
    _set_groups(call, machine, nic, [*groups, group_id], _GROUP_ATTACHED)
    return machine_id


def _detach_group(call: Call, machine_id: int, nic_id: int, group_id: int) -> int:
    """Since 6.4."""
    machine = find(call, machine_id, _HOTPLUG, "detach security group")
    nic = _find_nic(machine, nic_id)
    groups = listed(nic["SECURITY_GROUPS"])
    if group_id not in groups:
        raise Refusal(
            Code.ACTION, f"NIC {nic_id} does not have the security group {group_id}", machine_id
        )
    left = [number for number in groups if number != group_id]
    _set_groups(call, machine, nic, left, _GROUP_DETACHED)
    return machine_id


def _set_groups(call: Call, machine: Machine, nic: Vector, groups: list[int], number: int) -> None:
    nic["SECURITY_GROUPS"] = ",".join(map(str, sorted(groups)))
    put_rules(call, machine)
    change(call, machine, _HOTPLUG, lambda _: None, number)


def _update(call: Call, machine_id: int, nic_id: int, text: str, append: int = 0) -> int:
    """Since 6.6; what says where the interface is cannot be changed."""
    del append
    machine = find(call, machine_id, _HOTPLUG, "update NIC")
    nic = _find_nic(machine, nic_id)
    template = Template.parse(text)
    refuse_restricted(call, template)
    asked = template.vector("NIC") or {}
    fixed = {"NETWORK_ID", "NETWORK", "IP", "NIC_ID"}

    def updated(_: float) -> None:
        nic.update({name: value for name, value in asked.items() if name not in fixed})
        put_rules(call, machine)

    change(call, machine, _HOTPLUG, updated)
    return machine_id


def _find_nic(machine: Machine, nic_id: int) -> Vector:
    nic = machine.interface(nic_id)
    if nic is None:
        raise Refusal(Code.ACTION, f"NIC with id {nic_id} not found in VM {machine.id}", machine.id)
    return nic


def _next_nic_id(machine: Machine) -> int:
    nics = [*machine.template.vectors("NIC"), *machine.template.vectors("NIC_ALIAS")]
    return max((int(nic["NIC_ID"]) for nic in nics), default=-1) + 1


def _parent(machine: Machine, asked: Vector) -> Vector:
    name = asked.get("PARENT", "")
    parent = next((n for n in machine.template.vectors("NIC") if n["NAME"] == name), None)
    if parent is None:
        raise Refusal(Code.ACTION, f"Wrong PARENT in NIC_ALIAS: {name}", machine.id)
    return parent


def _is_of(alias: Vector, nic: Vector) -> bool:
    return "PARENT_ID" not in nic and alias["PARENT_ID"] == nic["NIC_ID"]


def _add_alias(machine: Machine, alias: Vector) -> None:
    parent = _find_nic(machine, int(alias["PARENT_ID"]))
    others = listed(parent.get("ALIAS_IDS", ""))
    parent["ALIAS_IDS"] = ",".join(map(str, [*others, int(alias["NIC_ID"])]))


def _remove_alias(machine: Machine, alias: Vector) -> None:
    parent = _find_nic(machine, int(alias["PARENT_ID"]))
    left = [n for n in listed(parent["ALIAS_IDS"]) if n != int(alias["NIC_ID"])]
    parent["ALIAS_IDS"] = ",".join(map(str, left))


def _prefix(nic: Vector) -> str:
    if "PARENT_ID" in nic:
        return f"ETH{nic['PARENT_ID']}_ALIAS{nic['ALIAS_ID']}"
    return f"ETH{nic['NIC_ID']}"


def _tell(machine: Machine, prefix: str, nic: Vector, network: Network) -> None:
    for told in machine.template.vectors("CONTEXT"):
        if told.get("NETWORK", "").upper() == "YES":
            context.interface_lines(told, prefix, nic, network)


def _let_go(call: Call, machine: Machine, nic_id: int) -> None:
    """Give an address back."""
    network_id, lease = machine.leases.pop(nic_id)
    network = call.state.networks.get(network_id)
    if network is None:
        return
    network.release(lease)
    if all(other != network_id for other, _ in machine.leases.values()):
        network.vms.discard(machine.id)


METHODS = {
    "one.vm.attachnic": Method("is", _attach),
    "one.vm.attachsg": Method("iii", _attach_group),
    "one.vm.detachnic": Method("ii", _detach),
    "one.vm.detachsg": Method("iii", _detach_group),
    "one.vm.updatenic": Method("iis|i", _update),
}
