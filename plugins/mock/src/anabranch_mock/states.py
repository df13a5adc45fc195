"""The states of instances: which actions they allow, and how one leads to another."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import InvalidState
from anabranch.models import Instance
from anabranch.states import InstanceAction, InstanceState, StateMachine
from anabranch_mock.store import MockStore, now

__all__ = ["INSTANCE_STATES", "in_state", "move", "require"]

INSTANCE_STATES: Final = StateMachine(
    # As in Deltacloud's mock driver. With `delays`, PENDING and STOPPING are seen on the way.
    ("START", "create", "PENDING"),
    ("PENDING", None, "RUNNING"),
    ("RUNNING", "reboot", "RUNNING"),
    ("RUNNING", "stop", "STOPPED"),
    ("STOPPED", "start", "RUNNING"),
    ("STOPPED", "destroy", "FINISH"),
    # What Deltacloud did not have.
    ("PENDING", "rename", "PENDING"),
    ("RUNNING", "rename", "RUNNING"),
    ("RUNNING", "resize", "RUNNING"),
    ("RUNNING", "create_image", "RUNNING"),
    ("RUNNING", "console", "RUNNING"),
    ("STOPPED", "rename", "STOPPED"),
    ("STOPPED", "resize", "STOPPED"),
    ("STOPPED", "create_image", "STOPPED"),
)

_PASSING: Final = (InstanceState.PENDING, InstanceState.STOPPING, InstanceState.FINISH)
"""States that end by themselves."""


def in_state(instance: Instance, state: InstanceState) -> Instance:
    """Return the instance as it is in that state."""
    return msgspec.structs.replace(
        instance,
        state=state,
        platform_state=state.lower(),
        busy=state in _PASSING,
        actions=INSTANCE_STATES.actions(state),
        launched_at=now() if state is InstanceState.RUNNING else instance.launched_at,
    )


def require(instance: Instance, action: InstanceAction) -> None:
    """See that the state of an instance allows an action.

    Raises:
        InvalidState: it does not; the message says what it allows.
    """
    allowed = INSTANCE_STATES.actions(instance.state)
    if action not in allowed:
        raise InvalidState(
            f"instance {instance.id!r} is {instance.state}, which does not allow {action}",
            remedy=f"It allows {', '.join(allowed) or 'nothing'}",
        )


def move(
    store: MockStore, instance: Instance, via: InstanceState, delay: float, to: InstanceState
) -> Instance:
    """Lead an instance over the state `via` to another, and return it as it is now."""
    store.instances.put(in_state(instance, via))

    def arrive() -> None:
        store.instances.put(in_state(store.instances.get(instance.id), to))

    store.later(delay, arrive)
    return store.instances.get(instance.id)
