"""What all that is done with servers shares."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec

from anabranch.models import Instance
from anabranch.overlap import read_meanwhile
from anabranch.reading import Reader
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import Session, segment
from anabranch_openstack.states import view

__all__ = ["SERVER", "act", "acted", "server_path", "show"]

SERVER: Final = Reader(wire.Server)


def server_path(instance_id: str, *more: str) -> str:
    """Return the path of a server, or of something below it."""
    return "/".join(("/servers", segment(instance_id), *more))


async def show(nova: Session, instance_id: str) -> Instance:
    """Get a server, at the oldest microversion: the newer tell no flavor id any more."""
    return await nova.one(
        COMPUTE,
        server_path(instance_id),
        "server",
        reader=SERVER,
        convert=partial(convert.instance, nova.cloud.name),
    )


async def act(
    nova: Session, instance_id: str, action: dict[str, Any], *, idempotent: bool = False
) -> None:
    """Ask for an action; it is accepted now and takes effect later."""
    path = server_path(instance_id, "action")
    await nova.request(COMPUTE, "POST", path, body=action, idempotent=idempotent)


async def acted(
    nova: Session,
    instance_id: str,
    action: dict[str, Any],
    *,
    was: str,
    task: str,
    idempotent: bool = False,
) -> Instance:
    """Ask for an action, and show the server as it is once that is accepted.

    It is looked at meanwhile. What shows as before has the task by then that nova sets before it
    answers (nova/compute/api.py: `start`, `stop`, `reboot`).

    Args:
        nova: Whom to ask.
        instance_id: The server.
        action: The action.
        was: Status of a server that can be told to.
        task: The task that nova sets.
        idempotent: Whether the action does no harm when it is asked for twice.
    """
    found = await read_meanwhile(
        partial(act, nova, instance_id, action, idempotent=idempotent),
        partial(show, nova, instance_id),
    )
    if found.platform_state != was:
        return found
    state, platform_state, busy, actions = view(was, task)
    return msgspec.structs.replace(
        found, state=state, platform_state=platform_state, busy=busy, actions=actions
    )
