"""Nova's states in the common words, and the actions that each allows."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from anabranch.states import InstanceAction, InstanceState, StateMachine

__all__ = ["INSTANCE_STATES", "STARTING_TASKS", "View", "view"]

_A = InstanceAction
_S = InstanceState

_ALWAYS: Final = (_A.RENAME, _A.DESTROY)
_FROM_STOPPED: Final = (_A.START, _A.RENAME, _A.DESTROY)

_STATES: Final = {
    "ACTIVE": _S.RUNNING,
    "BUILD": _S.PENDING,
    "DELETED": _S.FINISH,
    "ERROR": _S.ERROR,
    "HARD_REBOOT": _S.RUNNING,
    "MIGRATING": _S.PENDING,
    "PASSWORD": _S.RUNNING,
    "PAUSED": _S.STOPPED,
    "REBOOT": _S.RUNNING,
    "REBUILD": _S.PENDING,
    "RESCUE": _S.RUNNING,
    "RESIZE": _S.PENDING,
    "REVERT_RESIZE": _S.PENDING,
    "SHELVED": _S.STOPPED,
    "SHELVED_OFFLOADED": _S.STOPPED,
    "SHUTOFF": _S.STOPPED,
    "SOFT_DELETED": _S.FINISH,
    "SUSPENDED": _S.STOPPED,
    "VERIFY_RESIZE": _S.RUNNING,
}

_ACTIONS: Final = {
    "ACTIVE": (_A.STOP, _A.REBOOT, _A.RESIZE, _A.CREATE_IMAGE, _A.CONSOLE, *_ALWAYS),
    "ERROR": (_A.REBOOT, *_ALWAYS),
    "PAUSED": _FROM_STOPPED,
    "RESCUE": (_A.CONSOLE, *_ALWAYS),
    "SHELVED": _FROM_STOPPED,
    "SHELVED_OFFLOADED": _FROM_STOPPED,
    "SHUTOFF": (_A.START, _A.RESIZE, _A.CREATE_IMAGE, *_ALWAYS),
    "SUSPENDED": _FROM_STOPPED,
}
"""What is allowed while nothing is under way; otherwise `_ALWAYS`."""

_BUSY: Final = frozenset(
    {
        "BUILD",
        "HARD_REBOOT",
        "MIGRATING",
        "PASSWORD",
        "REBOOT",
        "REBUILD",
        "RESIZE",
        "REVERT_RESIZE",
    }
)
"""What does not last, whether or not a task is told: between two tasks none is."""

_STOPPING_TASKS: Final = ("powering-off", "shelving", "suspending", "pausing")
STARTING_TASKS: Final = frozenset(
    {
        "block_device_mapping",
        "networking",
        "powering-on",
        "resuming",
        "scheduling",
        "spawning",
        "unpausing",
        "unrescuing",
        "unshelving",
    }
)
"""Tasks at whose end a server that is not running will run."""

INSTANCE_STATES: Final = StateMachine(
    ("START", "create", "PENDING"),
    ("PENDING", None, "RUNNING"),
    ("PENDING", None, "STOPPED"),
    ("PENDING", None, "ERROR"),
    ("PENDING", "rename", "PENDING"),
    ("PENDING", "destroy", "STOPPING"),
    ("RUNNING", "stop", "STOPPING"),
    ("RUNNING", "reboot", "RUNNING"),
    ("RUNNING", "rename", "RUNNING"),
    ("RUNNING", "resize", "PENDING"),
    ("RUNNING", "create_image", "RUNNING"),
    ("RUNNING", "console", "RUNNING"),
    ("RUNNING", "destroy", "STOPPING"),
    ("STOPPING", None, "STOPPED"),
    ("STOPPING", None, "FINISH"),
    ("STOPPING", "rename", "STOPPING"),
    ("STOPPING", "destroy", "STOPPING"),
    ("STOPPED", "start", "PENDING"),
    ("STOPPED", "rename", "STOPPED"),
    ("STOPPED", "resize", "PENDING"),
    ("STOPPED", "create_image", "STOPPED"),
    ("STOPPED", "destroy", "STOPPING"),
    ("ERROR", "reboot", "RUNNING"),
    ("ERROR", "rename", "ERROR"),
    ("ERROR", "destroy", "STOPPING"),
    ("UNKNOWN", "rename", "UNKNOWN"),
    ("UNKNOWN", "destroy", "STOPPING"),
)


class View(NamedTuple):
    """A state of nova in the common words."""

    state: InstanceState
    platform_state: str
    busy: bool
    actions: tuple[InstanceAction, ...]


@lru_cache(maxsize=512)
def view(status: str, task: str | None) -> View:
    """Translate a status together with the task that is under way.

    Right after an action was accepted the old status is still told: only the task betrays it.
    """
    status = status.upper()
    shown = f"{status}/{task}" if task else status
    busy = bool(task) or status in _BUSY
    state = _state(status, task)
    actions = _ALWAYS if task else _ACTIONS.get(status, _ALWAYS)
    return View(state, shown, busy, () if state is _S.FINISH else actions)


def _state(status: str, task: str | None) -> InstanceState:
    state = _STATES.get(status, _S.UNKNOWN)
    if not task or state is _S.FINISH:
        return state
    if task in ("deleting", "soft-deleting"):
        return _S.STOPPING
    if status == "ACTIVE" and task.startswith(_STOPPING_TASKS):
        return _S.STOPPING
    if state is _S.STOPPED and task in STARTING_TASKS:
        return _S.PENDING
    return state
