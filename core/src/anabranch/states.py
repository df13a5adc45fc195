"""Instance states, the actions that each allows, and where they lead."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

__all__ = ["InstanceAction", "InstanceState", "StateMachine", "Transition"]


class InstanceState(StrEnum):
    """The state of an instance: Deltacloud's seven, and one for what no driver knows."""

    START = "START"
    """Not there yet: where a state machine begins."""
    PENDING = "PENDING"
    """Being made, booted, resized or moved."""
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"
    """On its way to STOPPED or FINISH."""
    STOPPED = "STOPPED"
    """Not running; its disks are kept."""
    FINISH = "FINISH"
    """Gone, or going for good."""
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"
    """The platform reports a state that the driver does not know: see `platform_state`."""


class InstanceAction(StrEnum):
    """What can be done to an instance, and the operation that does it."""

    CREATE = "create"
    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    DESTROY = "destroy"
    RENAME = "rename"
    RESIZE = "resize"
    CREATE_IMAGE = "create_image"
    CONSOLE = "console"


class Transition(msgspec.Struct, frozen=True):
    """From `source`, by `action` (None: by itself), to `target`."""

    source: InstanceState
    action: InstanceAction | None
    target: InstanceState


class StateMachine:
    """The transitions that a driver's instances go through.

    It tells a front end which actions to offer, and the broker nothing: whether an action is
    allowed now is the cloud's own decision.
    """

    __slots__ = ("_actions", "transitions")

    def __init__(self, *transitions: tuple[str, str | None, str]) -> None:
        """Take (source, action or None, target) triples, by value: `("RUNNING", "stop", …)`."""
        self.transitions = tuple(
            Transition(
                InstanceState(source), InstanceAction(action) if action else None, InstanceState(to)
            )
            for source, action, to in transitions
        )
        found: dict[InstanceState, list[InstanceAction]] = {}
        for step in self.transitions:
            if step.action and step.action not in found.setdefault(step.source, []):
                found[step.source].append(step.action)
        self._actions: Mapping[InstanceState, tuple[InstanceAction, ...]] = {
            state: tuple(actions) for state, actions in found.items()
        }

    @property
    def states(self) -> tuple[InstanceState, ...]:
        """The states that occur, in the order of their first mention."""
        seen = [s for t in self.transitions for s in (t.source, t.target)]
        return tuple(dict.fromkeys(seen))

    def actions(self, state: InstanceState) -> tuple[InstanceAction, ...]:
        """The actions that `state` allows."""
        return self._actions.get(state, ())
