"""OpenNebula's states in the common words, and the actions that each allows."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from anabranch.states import InstanceAction, InstanceState, StateMachine

__all__ = [
    "ACTIVE",
    "DONE",
    "INSTANCE_STATES",
    "PENDING",
    "View",
    "view",
]

_A = InstanceAction
_S = InstanceState

PENDING: Final = 1
ACTIVE: Final = 3
"""The state in which alone LCM_STATE tells something."""
DONE: Final = 6

_NAMES: Final = {
    0: "INIT",
    1: "PENDING",
    2: "HOLD",
    4: "STOPPED",
    5: "SUSPENDED",
    6: "DONE",
    7: "FAILED",
    8: "POWEROFF",
    9: "UNDEPLOYED",
    10: "CLONING",
    11: "CLONING_FAILURE",
}
_STATES: Final = {
    0: _S.PENDING,
    1: _S.PENDING,
    2: _S.STOPPED,
    4: _S.STOPPED,
    5: _S.STOPPED,
    6: _S.FINISH,
    7: _S.ERROR,
    8: _S.STOPPED,
    9: _S.STOPPED,
    10: _S.PENDING,
    11: _S.ERROR,
}
_LASTING: Final = frozenset({2, 4, 5, 6, 7, 8, 9, 11})

_LCM_NAMES: Final = dict(
    enumerate(
        [
            "LCM_INIT",
            "PROLOG",
            "BOOT",
            "RUNNING",
            "MIGRATE",
            "SAVE_STOP",
            "SAVE_SUSPEND",
            "SAVE_MIGRATE",
            "PROLOG_MIGRATE",
            "PROLOG_RESUME",
            "EPILOG_STOP",
            "EPILOG",
            "SHUTDOWN",
            "CANCEL",
            "FAILURE",
            "CLEANUP_RESUBMIT",
            "UNKNOWN",
            "HOTPLUG",
            "SHUTDOWN_POWEROFF",
            "BOOT_UNKNOWN",
            "BOOT_POWEROFF",
            "BOOT_SUSPENDED",
            "BOOT_STOPPED",
            "CLEANUP_DELETE",
            "HOTPLUG_SNAPSHOT",
            "HOTPLUG_NIC",
            "HOTPLUG_SAVEAS",
            "HOTPLUG_SAVEAS_POWEROFF",
            "HOTPLUG_SAVEAS_SUSPENDED",
            "SHUTDOWN_UNDEPLOY",
            "EPILOG_UNDEPLOY",
            "PROLOG_UNDEPLOY",
            "BOOT_UNDEPLOY",
            "HOTPLUG_PROLOG_POWEROFF",
            "HOTPLUG_EPILOG_POWEROFF",
            "BOOT_MIGRATE",
            "BOOT_FAILURE",
            "BOOT_MIGRATE_FAILURE",
            "PROLOG_MIGRATE_FAILURE",
            "PROLOG_FAILURE",
            "EPILOG_FAILURE",
            "EPILOG_STOP_FAILURE",
            "EPILOG_UNDEPLOY_FAILURE",
            "PROLOG_MIGRATE_POWEROFF",
            "PROLOG_MIGRATE_POWEROFF_FAILURE",
            "PROLOG_MIGRATE_SUSPEND",
            "PROLOG_MIGRATE_SUSPEND_FAILURE",
            "BOOT_UNDEPLOY_FAILURE",
            "BOOT_STOPPED_FAILURE",
            "PROLOG_RESUME_FAILURE",
            "PROLOG_UNDEPLOY_FAILURE",
            "DISK_SNAPSHOT_POWEROFF",
            "DISK_SNAPSHOT_REVERT_POWEROFF",
            "DISK_SNAPSHOT_DELETE_POWEROFF",
            "DISK_SNAPSHOT_SUSPENDED",
            "DISK_SNAPSHOT_REVERT_SUSPENDED",
            "DISK_SNAPSHOT_DELETE_SUSPENDED",
            "DISK_SNAPSHOT",
            "DISK_SNAPSHOT_REVERT",
            "DISK_SNAPSHOT_DELETE",
            "PROLOG_MIGRATE_UNKNOWN",
            "PROLOG_MIGRATE_UNKNOWN_FAILURE",
            "DISK_RESIZE",
            "DISK_RESIZE_POWEROFF",
            "DISK_RESIZE_UNDEPLOYED",
            "HOTPLUG_NIC_POWEROFF",
            "HOTPLUG_RESIZE",
            "HOTPLUG_SAVEAS_UNDEPLOYED",
            "HOTPLUG_SAVEAS_STOPPED",
            "BACKUP",
            "BACKUP_POWEROFF",
            "RESTORE",
        ]
    )
)
_LCM_RUNNING: Final = frozenset({3, 4, 7, 8, 17, 24, 25, 26, 57, 58, 59, 60, 62, 66, 69})
_LCM_STOPPING: Final = frozenset({5, 6, 10, 11, 12, 13, 18, 23, 29, 30})
_LCM_STOPPED: Final = frozenset(
    {27, 28, 33, 34, 43, 45, 51, 52, 53, 54, 55, 56, 63, 64, 65, 67, 68, 70, 71}
)
_LCM_PENDING: Final = frozenset({0, 1, 2, 9, 15, 19, 20, 21, 22, 31, 32, 35})

_ALWAYS: Final = (_A.RENAME, _A.DESTROY)
_ACTIONS: Final = {
    "CLONING_FAILURE": _ALWAYS,
    "DONE": (),
    "HOLD": (_A.START, *_ALWAYS),
    "PENDING": (_A.RESIZE, *_ALWAYS),
    "POWEROFF": (_A.START, _A.RESIZE, _A.CREATE_IMAGE, *_ALWAYS),
    "RUNNING": (_A.STOP, _A.REBOOT, _A.RESIZE, _A.CREATE_IMAGE, _A.CONSOLE, *_ALWAYS),
    "STOPPED": (_A.START, *_ALWAYS),
    "SUSPENDED": (_A.START, _A.CREATE_IMAGE, *_ALWAYS),
    "UNDEPLOYED": (_A.START, _A.RESIZE, *_ALWAYS),
    "UNKNOWN": (_A.START, _A.STOP, *_ALWAYS),
}
"""What is allowed; otherwise `_ALWAYS`."""

INSTANCE_STATES: Final = StateMachine(
    ("START", "create", "PENDING"),
    ("PENDING", None, "RUNNING"),
    ("PENDING", None, "ERROR"),
    ("PENDING", "rename", "PENDING"),
    ("PENDING", "resize", "PENDING"),
    ("PENDING", "destroy", "STOPPING"),
    ("RUNNING", "stop", "STOPPING"),
    ("RUNNING", "reboot", "RUNNING"),
    ("RUNNING", "rename", "RUNNING"),
    ("RUNNING", "resize", "RUNNING"),
    ("RUNNING", "create_image", "RUNNING"),
    ("RUNNING", "console", "RUNNING"),
    ("RUNNING", "destroy", "STOPPING"),
    ("STOPPING", None, "STOPPED"),
    ("STOPPING", None, "FINISH"),
    ("STOPPING", "rename", "STOPPING"),
    ("STOPPING", "destroy", "STOPPING"),
    ("STOPPED", "start", "PENDING"),
    ("STOPPED", "rename", "STOPPED"),
    ("STOPPED", "resize", "STOPPED"),
    ("STOPPED", "create_image", "STOPPED"),
    ("STOPPED", "destroy", "STOPPING"),
    ("ERROR", "rename", "ERROR"),
    ("ERROR", "destroy", "STOPPING"),
    ("UNKNOWN", "start", "PENDING"),
    ("UNKNOWN", "stop", "STOPPING"),
    ("UNKNOWN", "rename", "UNKNOWN"),
    ("UNKNOWN", "destroy", "STOPPING"),
)


class View(NamedTuple):
    """A state of OpenNebula in the common words."""

    state: InstanceState
    platform_state: str
    busy: bool
    actions: tuple[InstanceAction, ...]


@lru_cache(maxsize=512)
def view(state: int, lcm_state: int) -> View:
    """Translate STATE and LCM_STATE; numbers that are not known are shown as such.

    `platform_state` is the name of the state; while that is ACTIVE, the name of the LCM state.
    """
    if state != ACTIVE:
        name = _NAMES.get(state, f"STATE {state}")
        actions = _ACTIONS.get(name, _ALWAYS)
        return View(_STATES.get(state, _S.UNKNOWN), name, state not in _LASTING, actions)
    name = _LCM_NAMES.get(lcm_state, f"ACTIVE {lcm_state}")
    common = _common(lcm_state, name)
    busy = common not in (_S.ERROR, _S.UNKNOWN) and name != "RUNNING"
    return View(common, name, busy, _ALWAYS if busy else _ACTIONS.get(name, _ALWAYS))


def _common(lcm_state: int, name: str) -> InstanceState:
    if lcm_state in _LCM_RUNNING:
        return _S.RUNNING
    if lcm_state in _LCM_STOPPING:
        return _S.STOPPING
    if lcm_state in _LCM_STOPPED:
        return _S.STOPPED
    if lcm_state in _LCM_PENDING:
        return _S.PENDING
    return _S.ERROR if name.endswith("FAILURE") else _S.UNKNOWN
