"""The platform's states in the common words, and the actions that each allows."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from anabranch.states import InstanceAction, InstanceState, StateMachine

__all__ = ["INSTANCE_STATES", "MADE", "View", "view"]

MADE: Final = frozenset({"CREATED", "STOPPED"})
"""At rest and not running. A server that was made, and never started, is CREATED."""

_STATES: Final = {
    "CREATE": InstanceState.PENDING,
    "CREATION_IN_PROGRESS": InstanceState.PENDING,
    "CREATED": InstanceState.STOPPED,
    "START_IN_PROGRESS": InstanceState.PENDING,
    "STARTED": InstanceState.RUNNING,
    "STOP_IN_PROGRESS": InstanceState.STOPPING,
    "STOPPED": InstanceState.STOPPED,
    "DELETE_IN_PROGRESS": InstanceState.STOPPING,
    "DELETED": InstanceState.FINISH,
}

INSTANCE_STATES: Final = StateMachine(
    ("START", "create", "PENDING"),
    ("PENDING", None, "STOPPED"),
    ("PENDING", None, "RUNNING"),
    ("PENDING", "destroy", "STOPPING"),
    ("RUNNING", "stop", "STOPPING"),
    ("RUNNING", "reboot", "RUNNING"),
    ("RUNNING", "resize", "RUNNING"),
    ("RUNNING", "console", "RUNNING"),
    ("RUNNING", "destroy", "STOPPING"),
    ("STOPPING", None, "STOPPED"),
    ("STOPPING", None, "FINISH"),
    ("STOPPING", "destroy", "STOPPING"),
    ("STOPPED", "start", "PENDING"),
    ("STOPPED", "resize", "STOPPED"),
    ("STOPPED", "create_image", "STOPPED"),
    ("STOPPED", "destroy", "STOPPING"),
    ("UNKNOWN", "destroy", "STOPPING"),
)


class View(NamedTuple):
    """A state of the platform in the common words."""

    state: InstanceState
    platform_state: str
    busy: bool
    actions: tuple[InstanceAction, ...]


@lru_cache(maxsize=512)
def view(told: str) -> View:
    """Translate a state; one that is not known is told as it is, and is UNKNOWN."""
    told = told.strip()
    state = _STATES.get(told.upper(), InstanceState.UNKNOWN)
    busy = told.upper().endswith("_IN_PROGRESS") or told.upper() == "CREATE"
    return View(state, told, busy, INSTANCE_STATES.actions(state))
