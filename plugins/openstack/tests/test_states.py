import pytest

from anabranch_openstack.states import INSTANCE_STATES, view

STATUSES = [
    "ACTIVE",
    "BUILD",
    "DELETED",
    "ERROR",
    "HARD_REBOOT",
    "MIGRATING",
    "PASSWORD",
    "PAUSED",
    "REBOOT",
    "REBUILD",
    "RESCUE",
    "RESIZE",
    "REVERT_RESIZE",
    "SHELVED",
    "SHELVED_OFFLOADED",
    "SHUTOFF",
    "SOFT_DELETED",
    "SUSPENDED",
    "UNKNOWN",
    "VERIFY_RESIZE",
]
TASKS = [
    None,
    "deleting",
    "image_snapshot",
    "networking",
    "powering-off",
    "powering-on",
    "rebooting",
    "resize_prep",
    "resuming",
    "scheduling",
    "shelving_image_uploading",
    "spawning",
]


@pytest.mark.parametrize(
    ("status", "task", "state", "busy"),
    [
        ("BUILD", "scheduling", "PENDING", True),
        ("BUILD", None, "PENDING", True),
        ("REBUILD", "rebuilding", "PENDING", True),
        ("ACTIVE", None, "RUNNING", False),
        ("ACTIVE", "powering-off", "STOPPING", True),
        ("ACTIVE", "shelving_image_uploading", "STOPPING", True),
        ("ACTIVE", "suspending", "STOPPING", True),
        ("ACTIVE", "pausing", "STOPPING", True),
        ("ACTIVE", "image_snapshot", "RUNNING", True),
        ("ACTIVE", "deleting", "STOPPING", True),
        ("ERROR", "deleting", "STOPPING", True),
        ("SHUTOFF", "soft-deleting", "STOPPING", True),
        ("REBOOT", "rebooting", "RUNNING", True),
        ("HARD_REBOOT", "rebooting_hard", "RUNNING", True),
        ("PASSWORD", None, "RUNNING", True),
        ("RESIZE", "resize_prep", "PENDING", True),
        ("MIGRATING", "migrating", "PENDING", True),
        ("REVERT_RESIZE", "resize_reverting", "PENDING", True),
        ("VERIFY_RESIZE", None, "RUNNING", False),
        ("SHUTOFF", None, "STOPPED", False),
        ("SHUTOFF", "powering-on", "PENDING", True),
        ("SHUTOFF", "image_snapshot", "STOPPED", True),
        ("PAUSED", None, "STOPPED", False),
        ("PAUSED", "unpausing", "PENDING", True),
        ("SUSPENDED", None, "STOPPED", False),
        ("SUSPENDED", "resuming", "PENDING", True),
        ("SHELVED_OFFLOADED", None, "STOPPED", False),
        ("SHELVED_OFFLOADED", "spawning", "PENDING", True),
        ("RESCUE", None, "RUNNING", False),
        ("ERROR", None, "ERROR", False),
        ("DELETED", None, "FINISH", False),
        ("SOFT_DELETED", None, "FINISH", False),
        ("UNKNOWN", None, "UNKNOWN", False),
        ("TRANSMOGRIFYING", None, "UNKNOWN", False),
        ("active", None, "RUNNING", False),
    ],
)
def test_states(status, task, state, busy):
    found = view(status, task)
    assert (found.state, found.busy) == (state, busy)


def test_the_platform_state_tells_both():
    assert view("ACTIVE", "powering-off").platform_state == "ACTIVE/powering-off"
    assert view("ACTIVE", None).platform_state == "ACTIVE"


@pytest.mark.parametrize(
    ("status", "task", "actions"),
    [
        ("ACTIVE", None, "stop reboot resize create_image console rename destroy"),
        ("ACTIVE", "powering-off", "rename destroy"),
        ("SHUTOFF", None, "start resize create_image rename destroy"),
        ("PAUSED", None, "start rename destroy"),
        ("ERROR", None, "reboot rename destroy"),
        ("BUILD", None, "rename destroy"),
        ("DELETED", None, ""),
    ],
)
def test_actions(status, task, actions):
    assert " ".join(view(status, task).actions) == actions


@pytest.mark.parametrize("status", STATUSES)
def test_an_action_on_offer_is_in_the_state_machine(status):
    for task in TASKS:
        found = view(status, task)
        assert set(found.actions) <= set(INSTANCE_STATES.actions(found.state)), (status, task)
