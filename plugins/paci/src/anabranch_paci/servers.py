"""What all that is done with servers shares."""

from __future__ import annotations

from functools import partial
from typing import Final

import msgspec

from anabranch.errors import (
    CloudError,
    Conflict,
    InvalidRequest,
    NotFound,
    OperationNotSupported,
)
from anabranch.models import Instance
from anabranch.overlap import read_meanwhile
from anabranch.states import InstanceState
from anabranch_paci import convert
from anabranch_paci.client import Session
from anabranch_paci.markup import Node
from anabranch_paci.states import MADE, view

__all__ = ["at_rest", "find", "interrupted", "part", "refused", "show", "switch", "switched"]

_VE: Final = ("ve",)
_THERE: Final = {
    "start": frozenset({"STARTED", "START_IN_PROGRESS"}),
    "stop": frozenset({"CREATED", "STOPPED", "STOP_IN_PROGRESS"}),
}
"""The states in which nothing is left to be done for a verb."""
_UNDER_WAY: Final = {
    "start": (MADE, "START_IN_PROGRESS"),
    "stop": (frozenset({"STARTED"}), "STOP_IN_PROGRESS"),
}
"""The states in which a verb is accepted, and the one that follows."""


async def find(paci: Session, name: str) -> Node:
    """Get the document of a server."""
    ve, _ = await paci.get("ve", name, roots=_VE)
    return ve


async def show(paci: Session, name: str) -> Instance:
    """Get a server."""
    ve, content = await paci.get("ve", name, roots=_VE)
    return convert.instance(paci.cloud.settings, paci.cloud.name, name, ve, content)


async def part(paci: Session, name: str, *path: str, root: str) -> tuple[Node, bytes]:
    """Get a document about a server: its firewall, its backups, its usage.

    Raises:
        NotFound: there is no such server.
        OperationNotSupported: the server is there, but the provider has no such document.
    """
    try:
        return await paci.get("ve", name, *path, roots=(root,))
    except NotFound as exc:
        await find(paci, name)
        raise OperationNotSupported(
            f"the provider has no {path[0]} of servers: {exc.message}",
            provider_code=exc.provider_code,
        ) from exc


async def switch(paci: Session, name: str, verb: str) -> None:
    """Start or stop a server. What is so already, or on its way there, is no error.

    304 says that it is so already. A second try after a lost answer may be refused, because the
    first one is being carried out.

    Args:
        paci: The session.
        name: The server.
        verb: `start` or `stop`.

    Raises:
        InvalidState: its state forbids it.
    """
    try:
        await paci.act("PUT", "ve", name, verb)
    except CloudError as exc:
        if not refused(exc):
            raise
        if (await show(paci, name)).platform_state.upper() not in _THERE[verb]:
            raise


async def switched(paci: Session, name: str, verb: str) -> Instance:
    """Start or stop a server, and show it; see `switch`.

    It is looked at meanwhile. What shows as before is under way, for that was accepted.
    """
    found = await read_meanwhile(partial(switch, paci, name, verb), partial(show, paci, name))
    before, under_way = _UNDER_WAY[verb]
    if found.platform_state.upper() not in before:
        return found
    state, platform_state, busy, actions = view(under_way)
    return msgspec.structs.replace(
        found, state=state, platform_state=platform_state, busy=busy, actions=actions
    )


def at_rest(found: Instance) -> bool:
    """Whether a server neither runs nor is on its way: what a stop is waited for to come to.

    Not to run is part of it, for a stop that was accepted may show only after a while.
    """
    return not found.busy and found.state is not InstanceState.RUNNING


def interrupted(exc: CloudError, how_far: str, remedy: str) -> CloudError:
    """Say of an error in the middle of several steps how far these came."""
    return type(exc)(
        f"{how_far}: {exc.message}",
        provider_code=exc.provider_code,
        retry_after=exc.retry_after,
        remedy=remedy,
    )


def refused(exc: CloudError) -> bool:
    """Whether an error may mean that the state of a thing forbids the action.

    Which status says so is not published, so the state itself is to be looked at.
    """
    return isinstance(exc, (Conflict, InvalidRequest)) or exc.provider_code == "500"
