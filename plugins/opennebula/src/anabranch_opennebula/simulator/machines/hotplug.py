"""What all changes of a machine's devices have in common: when they may be, and what is seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import MANAGE
from anabranch_opennebula.simulator.machines.lifecycle import (
    RUNNING,
    Effect,
    Where,
    begin,
    close_history,
    open_history,
)
from anabranch_opennebula.simulator.machines.records import Lcm, Machine, State
from anabranch_opennebula.simulator.refusals import Code, Refusal

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["POWEROFF", "SUSPENDED", "UNDEPLOYED", "UNDER_WAY", "change", "find"]

POWEROFF: Where = (State.POWEROFF, Lcm.LCM_INIT)
SUSPENDED: Where = (State.SUSPENDED, Lcm.LCM_INIT)
UNDEPLOYED: Where = (State.UNDEPLOYED, Lcm.LCM_INIT)

UNDER_WAY = "ATTACH"
"""The attribute of a disk or an interface that is being attached or detached. It stands in the
machine's document all that time, and is gone again if the attachment fails (set_up_attach_disk in
OpenNebula's src/vm/VirtualMachine.cc)."""


def find(call: Call, machine_id: int, through: Mapping[Where, Lcm], what: str) -> Machine:
    """A machine whose devices may be changed now.

    Args:
        call: Who asks.
        machine_id: Which machine.
        through: The states in which this may be, and what it goes through on its way.
        what: What is to be done, for the message.

    Raises:
        Refusal: It is in another state, or something is under way with it.
    """
    machine = call.find(call.state.machines, machine_id, MANAGE)
    if machine.where not in through or machine.busy:
        raise Refusal(
            Code.ACTION,
            f"Could not {what}: VM {machine_id} is in wrong state {machine.state_name}.",
            machine_id,
        )
    return machine


def change(
    call: Call,
    machine: Machine,
    through: Mapping[Where, Lcm],
    effect: Effect,
    number: int | None = None,
) -> None:
    """Have a machine go through the state of a change, and back.

    Args:
        call: Who asks.
        machine: Which machine.
        through: From `find`.
        effect: What is changed at the end.
        number: The action's number in the history; `None` when a running machine's history does
            not tell of it.
    """
    back = machine.where

    def end(moment: float) -> None:
        effect(moment)
        if number is not None and back == RUNNING:
            close_history(machine, int(moment), number, call.user.id, call.gid)
            open_history(machine, int(moment))

    path = ((State.ACTIVE, through[back]), back)
    machine.changed()
    begin(call.state, machine, call.moment, path, end, at_once=True)
