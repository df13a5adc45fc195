"""What all that is done with the ports of servers shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from anabranch.errors import Conflict
from anabranch.reading import Reader
from anabranch_openstack import wire_network as wire
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import Session, segment
from anabranch_openstack.servers import show

__all__ = ["PORT", "port_path", "ports_of"]

PORT: Final = Reader(wire.Port)


def port_path(port_id: str) -> str:
    """Return the path of a port."""
    return f"/ports/{segment(port_id)}"


async def ports_of(session: Session, instance_id: str) -> Sequence[wire.Port]:
    """Return the ports of a server that have an address; there is at least one.

    Raises:
        NotFound: no such server.
        Conflict: it has none.
    """

    def keep(port: wire.Port, raw: msgspec.Raw) -> wire.Port:
        del raw
        return port

    found = await session.every(
        NETWORK,
        "/ports",
        "ports",
        reader=PORT,
        convert=keep,
        params={"device_id": instance_id},
    )
    usable = [port for port in found if port.fixed_ips]
    if not usable:
        # Neutron says nothing about a server that there is not: an empty list.
        await show(session, instance_id)
        raise Conflict(
            "the instance has no address on any network",
            remedy="Wait until it runs, or give it a network interface",
        )
    return usable
