"""CloudStack's states of virtual machines in the common words, and what each allows."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from anabranch.states import InstanceAction, InstanceState, StateMachine

__all__ = ["INSTANCE_STATES", "View", "view"]

_A = InstanceAction
_S = InstanceState

_STOPPED: Final = (_A.START, _A.RENAME, _A.RESIZE, _A.CREATE_IMAGE, _A.DESTROY)


class View(NamedTuple):
    """A state of CloudStack in the common words."""

    state: InstanceState
    busy: bool
    actions: tuple[InstanceAction, ...]


_VIEWS: Final = {
    "Starting": View(_S.PENDING, True, ()),
    "Running": View(
        _S.RUNNING,
        False,
        (_A.STOP, _A.REBOOT, _A.RENAME, _A.RESIZE, _A.CONSOLE, _A.DESTROY),
    ),
    "Stopping": View(_S.STOPPING, True, ()),
    "Stopped": View(_S.STOPPED, False, _STOPPED),
    "Shutdown": View(_S.STOPPED, False, _STOPPED),
    "Migrating": View(_S.RUNNING, True, ()),
    "Restoring": View(_S.PENDING, True, ()),
    "Destroyed": View(_S.FINISH, False, ()),
    "Expunging": View(_S.FINISH, True, ()),
    "Error": View(_S.ERROR, False, (_A.DESTROY,)),
}
_UNKNOWN: Final = View(_S.UNKNOWN, False, (_A.RENAME, _A.DESTROY))

INSTANCE_STATES: Final = StateMachine(
    ("START", "create", "PENDING"),
    ("PENDING", None, "RUNNING"),
    ("PENDING", None, "ERROR"),
    ("RUNNING", "stop", "STOPPING"),
    ("RUNNING", "reboot", "RUNNING"),
    ("RUNNING", "rename", "RUNNING"),
    ("RUNNING", "resize", "RUNNING"),
    ("RUNNING", "console", "RUNNING"),
    ("RUNNING", "destroy", "STOPPING"),
    ("STOPPING", None, "STOPPED"),
    ("STOPPING", None, "FINISH"),
    ("STOPPED", "start", "PENDING"),
    ("STOPPED", "rename", "STOPPED"),
    ("STOPPED", "resize", "STOPPED"),
    ("STOPPED", "create_image", "STOPPED"),
    ("STOPPED", "destroy", "FINISH"),
    ("ERROR", "destroy", "FINISH"),
    ("UNKNOWN", "rename", "UNKNOWN"),
    ("UNKNOWN", "destroy", "FINISH"),
)


@lru_cache(maxsize=64)
def view(state: str) -> View:
    """Translate a state."""
    return _VIEWS.get(state, _UNKNOWN)
