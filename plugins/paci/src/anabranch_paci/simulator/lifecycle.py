"""How servers and balancers change their state, by time and not by being looked at."""

from __future__ import annotations

from collections.abc import Callable

from anabranch_paci.simulator.records import Event, Ve
from anabranch_paci.simulator.state import State
from anabranch_paci.simulator.wire import conflict

__all__ = ["begin", "enter", "in_transition", "refuse_in_transition", "refuse_unless_stopped"]

_STOPPED = ("CREATED", "STOPPED")


def enter(ve: Ve, state: str, steady: str, at: float) -> None:
    """Put a server into a state, and note it in its history.

    Args:
        ve: The server.
        state: The state.
        steady: The state in which it rests, or will rest; what `steady-state` means is inferred.
        at: When, seconds since the epoch.
    """
    ve.state, ve.steady = state, steady
    event = Event(
        at=at,
        state=state,
        steady=steady,
        cpu=ve.cpu_number,
        ram=ve.ram,
        disk=ve.disk.size,
        bandwidth=ve.bandwidth,
        ipv4=len(ve.ipv4),
        ipv6=len(ve.ipv6),
    )
    ve.history = [*ve.history, event]


def begin(
    state: State,
    ve: Ve,
    passing: str,
    final: str,
    now: float,
    then: Callable[[float], object] | None = None,
) -> None:
    """Start a change of state.

    Args:
        state: The cloud; its behaviour says how long the change lasts.
        ve: The server.
        passing: The state on the way, which it has at once.
        final: The state at the end.
        now: When it starts, seconds since the epoch.
        then: What else happens at the end.
    """
    enter(ve, passing, final, now)

    def finish(at: float) -> None:
        enter(ve, final, final, at)
        if then is not None:
            then(at)

    state.later(now + state.behaviour.state_delay, finish)


def in_transition(ve: Ve) -> bool:
    """Whether a change of state is going on."""
    return ve.state == "CREATE" or ve.state.endswith("_IN_PROGRESS")


def refuse_in_transition(ve: Ve, verb: str) -> None:
    """Refuse a verb while a change of state is going on.

    Raises:
        Refusal: 409, which is inferred.
    """
    if in_transition(ve):
        raise conflict(f"{ve.name} is {ve.state}: {verb} is not possible now")


def refuse_unless_stopped(ve: Ve, verb: str) -> None:
    """Refuse a verb that wants a server at rest.

    Raises:
        Refusal: 409; that it is refused is known, the status is inferred.
    """
    if ve.state not in _STOPPED:
        raise conflict(f"{ve.name} is {ve.state}: stop it before {verb}")
