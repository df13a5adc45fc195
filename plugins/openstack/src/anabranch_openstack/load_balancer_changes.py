"""Octavia takes one change of a load balancer at a time: waiting for one's turn."""

from __future__ import annotations

from typing import Any, Final

import anyio
import msgspec

from anabranch.errors import DeadlineExceeded, InvalidState
from anabranch.reading import Reader
from anabranch_openstack import wire_load_balancer as wire
from anabranch_openstack.catalog import LOAD_BALANCER
from anabranch_openstack.client import Session, segment

__all__ = ["BALANCER", "ask", "change", "destroy", "pair", "settled"]

BALANCER: Final = Reader(wire.LoadBalancer)

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0


def pair(found: wire.LoadBalancer, raw: msgspec.Raw) -> tuple[wire.LoadBalancer, msgspec.Raw]:
    """Keep a load balancer as octavia writes it, until what belongs to it is known."""
    return found, raw


async def settled(octavia: Session, load_balancer_id: str) -> tuple[wire.LoadBalancer, msgspec.Raw]:
    """Return a load balancer once nothing is pending with it.

    Raises:
        NotFound: no such load balancer.
        DeadlineExceeded: something still was after `load_balancer_timeout`.
    """
    pause = _FIRST_PAUSE
    with anyio.move_on_after(octavia.cloud.settings.load_balancer_timeout):
        while True:
            found = await ask(octavia, load_balancer_id)
            if not found[0].provisioning_status.startswith("PENDING"):
                return found
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
    raise _late(octavia)


async def change(
    octavia: Session,
    load_balancer_id: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
) -> None:
    """Make a change that does no harm when it is made twice, as soon as octavia takes one.

    Raises:
        InvalidState: the load balancer is in a state in which it takes none, ERROR for one.
        DeadlineExceeded: its turn did not come within `load_balancer_timeout`.
    """
    pause = _FIRST_PAUSE
    with anyio.move_on_after(octavia.cloud.settings.load_balancer_timeout):
        while True:
            try:
                await octavia.request(LOAD_BALANCER, method, path, body=body, idempotent=True)
            except InvalidState:
                found, _ = await settled(octavia, load_balancer_id)
                if found.provisioning_status != "ACTIVE":
                    raise
                await anyio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 1.5)
            else:
                return
    raise _late(octavia)


async def destroy(octavia: Session, load_balancer_id: str) -> None:
    """Delete a load balancer and all that belongs to it, as soon as octavia takes that.

    Raises:
        NotFound: no such load balancer.
        DeadlineExceeded: its turn did not come within `load_balancer_timeout`.
    """
    path = f"/loadbalancers/{segment(load_balancer_id)}?cascade=true"
    pause = _FIRST_PAUSE
    with anyio.move_on_after(octavia.cloud.settings.load_balancer_timeout):
        while True:
            try:
                await octavia.request(LOAD_BALANCER, "DELETE", path)
            except InvalidState:
                found, _ = await ask(octavia, load_balancer_id)
                if found.provisioning_status == "PENDING_DELETE":
                    return
                await anyio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 1.5)
            else:
                return
    raise _late(octavia)


async def ask(octavia: Session, load_balancer_id: str) -> tuple[wire.LoadBalancer, msgspec.Raw]:
    """Return a load balancer as it is now.

    Raises:
        NotFound: no such load balancer.
    """
    return await octavia.one(
        LOAD_BALANCER,
        f"/loadbalancers/{segment(load_balancer_id)}",
        "loadbalancer",
        reader=BALANCER,
        convert=pair,
    )


def _late(octavia: Session) -> DeadlineExceeded:
    limit = octavia.cloud.settings.load_balancer_timeout
    return DeadlineExceeded(
        f"the load balancer was busy for {limit:g} s",
        remedy="Ask for the same again: it goes on from where it is",
    )
