"""What all that is done with servers shares."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from anabranch.models import Instance
from anabranch.reading import Reader
from anabranch_openstack import convert, wire
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import Session, segment

__all__ = ["SERVER", "act", "server_path", "show"]

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
