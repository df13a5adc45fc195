"""What changes on a machine without its state: name, attributes, capacity, rights, lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import MANAGE
from anabranch_opennebula.simulator.figures import amount
from anabranch_opennebula.simulator.machines.lifecycle import RUNNING
from anabranch_opennebula.simulator.machines.quotas import check_quotas
from anabranch_opennebula.simulator.machines.records import State
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.names import check_name
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.restricted import refuse_restricted
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS"]

_RESIZABLE = (State.PENDING, State.HOLD, State.POWEROFF, State.UNDEPLOYED)
_CAPACITY = ("CPU", "VCPU", "MEMORY")
_KEEP = -1
_LEVELS = (1, 2, 3, 4)


def _rename(call: Call, machine_id: int, name: str) -> int:
    machine = call.find(call.state.machines, machine_id, MANAGE)
    check_name(name)
    machine.name = name
    machine.changed()
    return machine_id


def _update(call: Call, machine_id: int, text: str, append: int) -> int:
    """Change the user template: 1 merges, 0 replaces everything."""
    machine = call.find(call.state.machines, machine_id, MANAGE)
    parsed = Template.parse(text) if text.strip() else Template()
    refuse_restricted(call, parsed)
    if append not in (0, 1):
        raise Refusal(Code.RPC_API, "Wrong update type", machine_id)
    if append:
        machine.user_template.merge(parsed)
    else:
        machine.user_template = parsed
    machine.changed()
    return machine_id


def _resize(call: Call, machine_id: int, text: str, enforce: bool) -> int:
    machine = call.find(call.state.machines, machine_id, MANAGE)
    parsed = Template.parse(text)
    hot = machine.where == RUNNING and call.state.hypervisor.hot_resize
    if machine.state not in _RESIZABLE and not hot:
        raise Refusal(
            Code.ACTION, f"Resize is not available in state {machine.state_name}", machine_id
        )
    wanted = {name: parsed.text(name) for name in _CAPACITY if amount(parsed.text(name)) > 0}
    growth = [
        (name, str(amount(wanted[name]) - amount(machine.template.text(name)))) for name in wanted
    ]
    check_quotas(call, Template(growth), machines=0)
    too_much = amount(wanted.get("CPU", "")) > call.state.hypervisor.cpus
    if enforce and too_much and machine.state in (State.ACTIVE, State.POWEROFF):
        raise Refusal(Code.ACTION, "Not enough capacity on the host", machine_id)
    for name, value in wanted.items():
        machine.template.put(name, value)
    machine.changed()
    return machine_id


def _chmod(call: Call, machine_id: int, *rights: int) -> int:
    machine = call.find(call.state.machines, machine_id, MANAGE)
    for number, right in enumerate(rights):
        if right != _KEEP:
            bit = 1 << (8 - number)
            machine.permissions = machine.permissions & ~bit | (bit if right else 0)
    machine.changed()
    return machine_id


def _lock(call: Call, machine_id: int, level: int, test: bool = False) -> int:
    machine = call.find(call.state.machines, machine_id, MANAGE)
    if level not in _LEVELS:
        raise Refusal(Code.RPC_API, "Wrong lock level", machine_id)
    if test and machine.lock:
        raise Refusal(Code.ACTION, "Object is locked already", machine_id)
    machine.lock, machine.lock_owner, machine.lock_time = level, call.user.id, call.now
    machine.changed()
    return machine_id


def _unlock(call: Call, machine_id: int) -> int:
    machine = call.state.machines.get(machine_id)
    if machine is None:
        raise Refusal(Code.NO_EXISTS, f"Error getting virtual machine [{machine_id}].", machine_id)
    if machine.lock and machine.lock_owner != call.user.id and not call.user.privileged:
        raise Refusal(
            Code.AUTHORIZATION,
            f"User [{call.user.id}] : Not authorized to perform MANAGE VM [{machine_id}].",
            machine_id,
        )
    machine.lock = 0
    machine.changed()
    return machine_id


METHODS = {
    "one.vm.chmod": Method("iiiiiiiiii", _chmod),
    "one.vm.lock": Method("ii|b", _lock),
    "one.vm.rename": Method("is", _rename),
    "one.vm.resize": Method("isb", _resize),
    "one.vm.unlock": Method("i", _unlock),
    "one.vm.update": Method("isi", _update),
}
