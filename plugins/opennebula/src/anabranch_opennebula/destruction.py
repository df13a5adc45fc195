"""Destroying a VM, and seeing that it goes."""

from __future__ import annotations

import math
from typing import Final

import anyio

from anabranch.errors import DeadlineExceeded, InvalidState, NotFound
from anabranch_opennebula.client import Session
from anabranch_opennebula.machines import Machine
from anabranch_opennebula.states import DONE, view
from anabranch_opennebula.vms import act, look

__all__ = ["destroy"]

_SOFT, _HARD = "terminate", "terminate-hard"
_GOING: Final = frozenset({"EPILOG", "CLEANUP_DELETE"})
"""States from which a machine that is being destroyed does not come back."""
_SHUTTING_DOWN: Final = "SHUTDOWN"
_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


async def destroy(one: Session, number: int) -> None:
    """Terminate a VM, and return when it is sure to go: it is off, and is being cleaned up.

    oned accepts for what is gone, too, and ends what is pending or on hold within the call. So
    only a look before tells what was gone already; one meanwhile may see what this call did.

    oned refuses while the machine boots or is otherwise at work: then it is asked again. oned
    accepts, and nothing comes of it, where the guest does not listen: then its power is cut.

    Raises:
        NotFound: no such VM, or it is gone.
        InvalidState: it was at work all the time.
        DeadlineExceeded: it was accepted, and the VM is there still.
    """
    if _gone(await look(one, number)):
        raise NotFound(f"instance {number} is gone already")
    settings = one.cloud.settings
    refusals: list[InvalidState] = []
    with anyio.move_on_after(settings.destroy_timeout):
        if settings.destroy_patience:
            await _accepted(one, number, _SOFT, refusals)
            if await _leaves(one, number, settings.destroy_patience):
                return
        await _accepted(one, number, _HARD, refusals)
        if await _leaves(one, number, math.inf):
            return
    seconds = f"{settings.destroy_timeout:g} s"
    if refusals:
        refusal = refusals[-1]
        refusal.message = f"{refusal.message} (asked again for {seconds})"
        raise refusal
    raise DeadlineExceeded(
        f"OpenNebula accepted to destroy instance {number}, which is there after {seconds} still"
    )


async def _accepted(one: Session, number: int, verb: str, refusals: list[InvalidState]) -> None:
    """Ask until oned accepts; `refusals` holds the last refusal until then."""
    pause = _FIRST_PAUSE
    while True:
        try:
            await act(one, verb, number, idempotent=True)
        except InvalidState as exc:
            refusals[:] = [exc]
            name = _name(machine := await look(one, number))
            under_way = verb == _SOFT and name == _SHUTTING_DOWN
            if under_way or name in _GOING or _gone(machine):
                break
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
        else:
            break
    refusals.clear()


async def _leaves(one: Session, number: int, seconds: float) -> bool:
    """Wait until a machine is sure to go; False: it came back, or took longer.

    Right after the call it may not show yet that it shuts down: that it runs tells nothing.
    """
    pause = _FIRST_PAUSE
    shut_down = False
    with anyio.move_on_after(seconds):
        while True:
            machine = await look(one, number)
            name = _name(machine)
            if _gone(machine) or name in _GOING:
                return True
            if shut_down and name == "RUNNING":
                return False
            shut_down = shut_down or name == _SHUTTING_DOWN
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
    return False


def _gone(machine: Machine) -> bool:
    return machine.state == DONE


def _name(machine: Machine) -> str:
    return view(machine.state, machine.lcm_state).platform_state
