"""Which network is meant where none is named."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.reading import Reader
from anabranch_openstack import wire_network as wire
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import Session

__all__ = ["choose_network"]

_NETWORK: Final = Reader(wire.Network)


async def choose_network(session: Session, *, external: bool) -> str:
    """Return the id of the only network of a kind, or of the one that is the default.

    Args:
        session: Whom to ask.
        external: Whether it is to be one that leads outside, or one that does not.

    Raises:
        InvalidRequest: there is none, or several.
    """

    def keep(network: wire.Network, raw: msgspec.Raw) -> wire.Network:
        del raw
        return network

    found = await session.every(
        NETWORK,
        "/networks",
        "networks",
        reader=_NETWORK,
        convert=keep,
        params={"router:external": str(external)},
    )
    chosen = [n for n in found if n.is_default] if len(found) > 1 else found
    if len(chosen) == 1:
        return chosen[0].id
    kind, setting = ("external", "default_address_network") if external else ("", "default_network")
    if not found:
        raise InvalidRequest(f"the project sees no {kind} network".replace("  ", " "))
    names = ", ".join(f"{n.id} ({n.name})" for n in found)
    raise InvalidRequest(
        f"the project sees several {kind} networks: {names}".replace("  ", " "),
        remedy=f"Name network_id, or set {setting} for the cloud",
    )
