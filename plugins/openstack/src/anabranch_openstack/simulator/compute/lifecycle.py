"""How servers change their state: what is allowed when, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anabranch_openstack.simulator.compute.records import Server, Step
from anabranch_openstack.simulator.wire import Refusal, Request

__all__ = ["POWER", "begin", "check_lock", "check_state", "conflict"]

Then = Callable[[Server], None]

POWER = {
    "active": 1,
    "resized": 1,
    "rescued": 1,
    "paused": 3,
    "building": 0,
    "error": 0,
}
"""The power state that goes with a state of the machine; the others are shut down (4)."""


def conflict(message: str) -> Refusal:
    """A refusal because of the state that the server is in."""
    return Refusal(409, message)


def check_lock(request: Request, server: Server) -> None:
    """Refuse changes of a locked server.

    Raises:
        Refusal: It is locked.
    """
    if server.locked and "admin" not in request.token.roles:
        raise conflict(f"Instance {server.id} is locked")


def check_state(
    server: Server, action: str, allowed: Sequence[str], tasks: Sequence[str | None] = (None,)
) -> None:
    """Refuse an action that does not fit the state of the server.

    Args:
        server: The server.
        action: The name under which the message mentions the action.
        allowed: The states of the machine that allow it.
        tasks: The states of the task that allow it; empty for any.

    Raises:
        Refusal: The state is another.
    """
    if server.vm_state not in allowed:
        raise conflict(
            f"Cannot '{action}' instance {server.id} while it is in vm_state {server.vm_state}"
        )
    if tasks and server.task_state not in tasks:
        raise conflict(
            f"Cannot '{action}' instance {server.id} while it is in task_state {server.task_state}"
        )


def begin(
    request: Request,
    server: Server,
    tasks: Sequence[tuple[str, str | None]],
    final: str,
    then: Then | None = None,
) -> None:
    """Start a change of state: the tasks follow each other evenly, then comes the final state.

    Args:
        request: When it starts, and in which cloud.
        server: The server; it has the first of the states at once.
        tasks: States of the machine and of the task on the way.
        final: The state of the machine at the end, when no task is left.
        then: What else happens at the end.
    """
    compute = request.region.compute
    delay = request.cloud.behaviour.state_delay
    start = request.now
    server.vm_state, server.task_state = tasks[0]
    steps = [
        Step(start + delay * i / len(tasks), vm_state, task, POWER.get(vm_state, 4))
        for i, (vm_state, task) in enumerate(tasks)
    ][1:]
    steps.append(Step(start + delay, final, None, POWER.get(final, 4), then))
    compute.touch(server, start)
    compute.schedule(server, steps)
