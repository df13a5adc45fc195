"""The verbs of `one.vm.action`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from anabranch_opennebula.simulator.access import ADMIN, MANAGE
from anabranch_opennebula.simulator.machines.lifecycle import (
    BOOT,
    DONE,
    RUNNING,
    Where,
    begin,
    close_history,
    finish,
    open_history,
    schedule,
)
from anabranch_opennebula.simulator.machines.records import Lcm, Machine, State
from anabranch_opennebula.simulator.refusals import Code, Refusal

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["act", "recover"]

Path = tuple[Where, ...]


class _Verb(NamedTuple):
    """Where a verb leads from each state, and what it is called in the history."""

    paths: dict[Where, Path]
    number: int
    polite: bool = False
    resumes: bool = False


def _in(lcm: Lcm) -> Where:
    return State.ACTIVE, lcm


def _at(state: State) -> Where:
    return state, Lcm.LCM_INIT


_UNKNOWN = _in(Lcm.UNKNOWN)
_GONE: Path = (_in(Lcm.SHUTDOWN), _in(Lcm.EPILOG), DONE)
_CLEANED: Path = (_in(Lcm.EPILOG), DONE)
_FAILURES = (36, 37, 38, 39, 40, 41, 42, 44, 46, 47, 48, 49, 50, 61)
_TERMINATE: dict[Where, Path] = {
    RUNNING: _GONE,
    _UNKNOWN: _GONE,
    **{_at(s): _CLEANED for s in (State.POWEROFF, State.SUSPENDED, State.STOPPED)},
    _at(State.UNDEPLOYED): _CLEANED,
    **{_at(s): (DONE,) for s in (State.PENDING, State.HOLD, State.CLONING)},
    _at(State.CLONING_FAILURE): (DONE,),
    **{(int(State.ACTIVE), number): _CLEANED for number in _FAILURES},
}
_POWEROFF: dict[Where, Path] = {
    where: (_in(Lcm.SHUTDOWN_POWEROFF), _at(State.POWEROFF)) for where in (RUNNING, _UNKNOWN)
}
_UNDEPLOY: dict[Where, Path] = {
    **{
        where: (_in(Lcm.SHUTDOWN_UNDEPLOY), _in(Lcm.EPILOG_UNDEPLOY), _at(State.UNDEPLOYED))
        for where in (RUNNING, _UNKNOWN)
    },
    _at(State.POWEROFF): (_in(Lcm.EPILOG_UNDEPLOY), _at(State.UNDEPLOYED)),
}
_STOP: dict[Where, Path] = {
    RUNNING: (_in(Lcm.SAVE_STOP), _in(Lcm.EPILOG_STOP), _at(State.STOPPED)),
    _at(State.SUSPENDED): (_in(Lcm.EPILOG_STOP), _at(State.STOPPED)),
}
_SCHEDULED = {
    _at(State.STOPPED): (_in(Lcm.PROLOG_RESUME), _in(Lcm.BOOT_STOPPED), RUNNING),
    _at(State.UNDEPLOYED): (_in(Lcm.PROLOG_UNDEPLOY), _in(Lcm.BOOT_UNDEPLOY), RUNNING),
}
_RESUME: dict[Where, Path] = {
    _at(State.POWEROFF): (_in(Lcm.BOOT_POWEROFF), RUNNING),
    _at(State.SUSPENDED): (_in(Lcm.BOOT_SUSPENDED), RUNNING),
    _UNKNOWN: (_in(Lcm.BOOT_UNKNOWN), RUNNING),
    **_SCHEDULED,
}
_REBOOT: dict[Where, Path] = {RUNNING: ()}
_VERBS = {
    "terminate": _Verb(_TERMINATE, 27, polite=True),
    "terminate-hard": _Verb({**_TERMINATE, _in(Lcm.SHUTDOWN): _CLEANED}, 28),
    "poweroff": _Verb(_POWEROFF, 19, polite=True),
    "poweroff-hard": _Verb(_POWEROFF, 20),
    "undeploy": _Verb(_UNDEPLOY, 5, polite=True),
    "undeploy-hard": _Verb(_UNDEPLOY, 6),
    "suspend": _Verb({RUNNING: ((_in(Lcm.SAVE_SUSPEND)), _at(State.SUSPENDED))}, 10),
    "stop": _Verb(_STOP, 9),
    "resume": _Verb(_RESUME, 11, resumes=True),
    "reboot": _Verb(_REBOOT, 15),
    "reboot-hard": _Verb(_REBOOT, 16),
    "hold": _Verb({_at(State.PENDING): (_at(State.HOLD),)}, 7),
    "release": _Verb({_at(State.HOLD): BOOT}, 8),
}
_SNAPSHOTS_LOST = {_at(State.POWEROFF), _at(State.STOPPED), _at(State.UNDEPLOYED)}
_RECOVER_BY_DELETION = 3
_FOR_ADMINISTRATORS = frozenset({"resched", "unresched", "delete", "delete-recreate"})
_BEFORE_6_0 = {
    "shutdown": "terminate",
    "shutdown-hard": "terminate-hard",
    "delete": "terminate-hard",
}


def act(call: Call, verb: str, machine_id: int) -> int:
    """`one.vm.action`; the call returns before the state changes."""
    if call.state.release < (6, 0):
        verb = _BEFORE_6_0.get(verb, verb)
    machine = call.find(call.state.machines, machine_id, MANAGE)
    if verb in _FOR_ADMINISTRATORS and not call.user.privileged:
        raise Refusal(
            Code.AUTHORIZATION,
            f"User [{call.user.id}] : Not authorized to perform ADMIN VM [{machine_id}].",
            machine_id,
        )
    known = _VERBS.get(verb)
    if known is None:
        raise Refusal(Code.ACTION, f'Action "{verb}" is not supported', machine_id)
    if machine.state == State.DONE and verb.startswith("terminate"):
        return machine_id
    path = known.paths.get(machine.where)
    if path is None:
        raise Refusal(
            Code.ACTION,
            f'Error performing action "{verb}": This action is not available for VM'
            f" {machine_id}, wrong state {machine.state_name}.",
            machine_id,
        )
    if machine.busy and machine.where != _in(Lcm.SHUTDOWN) and machine.state == State.ACTIVE:
        return machine_id  # accepted, and dropped: something that was accepted before comes first
    _go(call, machine, known, path)
    return machine_id


def _go(call: Call, machine: Machine, verb: _Verb, path: Path) -> None:
    cloud, now = call.state, call.moment
    if not path:
        return
    if verb.polite and machine.where == RUNNING and cloud.hypervisor.ignores_acpi:
        begin(cloud, machine, now, (path[0], RUNNING))
    elif path is BOOT:
        machine.state = State.PENDING
        machine.template.remove("SUBMIT_ON_HOLD")
        machine.changed()
        schedule(cloud, machine, now)
    elif machine.where in _SCHEDULED and verb.resumes:
        machine.state = State.PENDING
        machine.changed()
        schedule(cloud, machine, now, path)
    elif verb.resumes:
        begin(cloud, machine, now, path, lambda at: open_history(machine, int(at)))
    else:
        begin(cloud, machine, now, path, partial(_ended, call, machine, verb, path[-1]))


def _ended(call: Call, machine: Machine, verb: _Verb, where: Where, moment: float) -> None:
    epilog = where != _at(State.SUSPENDED) and where != _at(State.POWEROFF)
    close_history(machine, int(moment), verb.number, call.user.id, call.gid, epilog=epilog)
    if where in _SNAPSHOTS_LOST:
        machine.template.remove("SNAPSHOT")
    if where == DONE:
        finish(call.state, machine, moment)


def recover(call: Call, machine_id: int, operation: int) -> int:
    """`one.vm.recover`: an administrator's way out; 3 deletes, whatever the state."""
    machine = call.find(call.state.machines, machine_id, ADMIN)
    if operation != _RECOVER_BY_DELETION or machine.state == State.DONE:
        raise Refusal(
            Code.ACTION,
            f"Recovery by {operation} is not available in state {machine.state_name}",
            machine_id,
        )
    verb = _VERBS["terminate-hard"]
    begin(
        call.state,
        machine,
        call.moment,
        (_in(Lcm.CLEANUP_DELETE), DONE),
        partial(_ended, call, machine, verb, DONE),
    )
    return machine_id
