"""Changes of a server that is there: its size, its addresses, its password, its console."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from anabranch_paci.simulator.lifecycle import enter, refuse_in_transition
from anabranch_paci.simulator.lookup import find_ve
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.reading import (
    MOST_ADDRESSES,
    attribute_number,
    child_number,
    child_text,
)
from anabranch_paci.simulator.records import Address, Disk, Ve
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import (
    Reply,
    Request,
    accepted,
    bad_request,
    conflict,
    password_reply,
)

__all__ = ["routes"]

_FIRST_PORT = 5900

routes = Routes()


@routes.on("PUT", "/ve/{ve}")
def modify(request: Request, name: str) -> Reply:
    """Change a server, running or not; the change is there when the cloud has got round to it.

    What is refused (a smaller disk, an address that it has not) and how is inferred.
    """
    ve, document = find_ve(request, name), request.document("reconfigure-ve")
    refuse_in_transition(ve, "modify")
    disk = child_number(document, "primary-disk-size", ve.disk.size)
    if disk < ve.disk.size:
        raise bad_request(f"The disk has {ve.disk.size} GB and cannot shrink to {disk}")
    _resize(msgspec.structs.replace(ve), document)
    pool = request.state.pool
    ipv4 = _readdressing(document.find("reconfigure-ipv4"), ve.ipv4, pool.ipv4)
    ipv6 = _readdressing(document.find("reconfigure-ipv6"), ve.ipv6, pool.ipv6)

    def change(at: float) -> None:
        _resize(ve, document)
        ve.ipv4, ve.ipv6 = ipv4(ve.ipv4), ipv6(ve.ipv6)
        enter(ve, ve.state, ve.steady, at)

    request.later(change)
    return accepted("VE modification initiated")


@routes.on("POST", "/ve/{ve}/reset-password")
def reset_password(request: Request, name: str) -> Reply:
    """Make up a new password for the administrator."""
    ve = find_ve(request, name)
    refuse_in_transition(ve, "reset-password")
    ve.password = request.state.new_password()
    return password_reply(ve.id, "Password reset initiated", ve.password)


@routes.on("POST", "/ve/{ve}/console")
def open_console(request: Request, name: str) -> Reply:
    """Open a VNC session; its address appears in the document of the server.

    That the server must run is inferred.
    """
    ve = find_ve(request, name)
    if ve.state != "STARTED":
        raise conflict(f"{name} is {ve.state}: it has no console")

    def appear(_: float) -> None:
        ve.console = (f"192.0.2.{ve.node}", _FIRST_PORT + ve.id)

    request.later(appear)
    return password_reply(ve.id, "VNC session initiated", request.state.new_password())


def _resize(ve: Ve, document: Element) -> None:
    """Change what a document tells; the rest stays, and so does a disk that has grown since."""
    disk = max(ve.disk.size, child_number(document, "primary-disk-size", 0))
    cpu = document.find("change-cpu") or Element("change-cpu")
    ve.cpu_number = attribute_number(cpu, "number", ve.cpu_number)
    ve.cpu_power = attribute_number(cpu, "power", ve.cpu_power)
    ve.ram = child_number(document, "ram-size", ve.ram)
    ve.bandwidth = child_number(document, "bandwidth", ve.bandwidth)
    ve.custom_ns = bool(child_number(document, "custom-ns", int(ve.custom_ns)))
    ve.disk = Disk(id=ve.disk.id, size=disk, local=ve.disk.local)
    if document.find("description"):
        ve.description = child_text(document, "description")


def _readdressing(
    wanted: Element | None, have: list[Address], new: Callable[[int], list[Address]]
) -> Callable[[list[Address]], list[Address]]:
    """What is to be done to the addresses: add some or, by their CIDR notation, drop some."""
    if wanted is None:
        return list
    add, drop = wanted.find("add-ip"), wanted.find("drop-ip")
    if add is not None and drop is None:
        added = new(attribute_number(add, "number", most=MOST_ADDRESSES))
        return lambda addresses: [*addresses, *added]
    if drop is not None and add is None:
        dropped = set((drop.get("ip") or "").split())
        if unknown := dropped - {address.address for address in have}:
            raise bad_request(f"The server has no address {', '.join(sorted(unknown))}")
        return lambda addresses: [a for a in addresses if a.address not in dropped]
    raise bad_request(f"<{wanted.tag}> has either <add-ip> or <drop-ip>")
