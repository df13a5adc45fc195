"""Consoles: where the hypervisor of an instance shows its screen."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final, NamedTuple

from anabranch.errors import InvalidRequest, InvalidState
from anabranch.models import Console, ConsoleKind
from anabranch.redaction import SecretStr
from anabranch.states import InstanceState
from anabranch_opennebula.client import Session
from anabranch_opennebula.reading import Thing, integer
from anabranch_opennebula.states import View, view

__all__ = ["console_of"]

_KINDS: Final = {"VNC": ConsoleKind.VNC, "SPICE": ConsoleKind.SPICE}


class _Screen(NamedTuple):
    """What a VM document tells of its screen."""

    now: View
    protocol: str
    host: str
    port: str
    listen: str
    password: str


async def console_of(session: Session, number: int, kind: ConsoleKind | None) -> Console:
    """Return the way to the console of a VM: to its host, for a client within the cloud's network.

    Raises:
        InvalidState: it is not running.
        InvalidRequest: it has no console of that kind, or one that only its host can reach.
    """
    screen = await session.read(_screen, "vm.info", number)
    if screen.now.state is not InstanceState.RUNNING:
        raise InvalidState(f"the instance is {screen.now.platform_state} and has no console")
    its_kind = _KINDS.get(screen.protocol)
    if its_kind is None or not screen.port:
        raise InvalidRequest("the instance has no VNC or SPICE console")
    if kind not in (None, its_kind):
        raise InvalidRequest(
            f"the instance has no console of kind {kind}", remedy=f"Ask for {its_kind}"
        )
    if not screen.host or _is_loopback(screen.listen):
        raise InvalidRequest(
            "the console can be reached on its host alone: it listens on "
            f"{screen.listen or 'nothing that is told'}",
            remedy="Open it in Sunstone, or give the template GRAPHICS/LISTEN = 0.0.0.0",
        )
    return Console(
        kind=its_kind,
        url=SecretStr(f"{screen.protocol.lower()}://{screen.host}:{screen.port}"),
        password=SecretStr(screen.password) if screen.password else None,
    )


def _screen(vm: Thing) -> _Screen:
    element = vm.element
    states = [integer(element.findtext(name)) for name in ("STATE", "LCM_STATE")]
    hosts = [h.text or "" for h in element.iterfind("HISTORY_RECORDS/HISTORY/HOSTNAME")]

    def graphics(name: str) -> str:
        return (element.findtext(f"TEMPLATE/GRAPHICS/{name}") or "").strip()

    return _Screen(
        now=view(*(-1 if state is None else state for state in states)),
        protocol=graphics("TYPE").upper(),
        host=hosts[-1] if hosts else "",
        port=graphics("PORT"),
        listen=graphics("LISTEN"),
        password=graphics("PASSWD"),
    )


def _is_loopback(listen: str) -> bool:
    try:
        return ip_address(listen or "127.0.0.1").is_loopback
    except ValueError:
        return listen == "localhost"
