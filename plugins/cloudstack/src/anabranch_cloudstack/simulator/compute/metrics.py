"""What virtual machines use, and their consoles."""

from __future__ import annotations

from datetime import datetime

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.documents import machine_document
from anabranch_cloudstack.simulator.compute.machines import FILTERS, found_machines
from anabranch_cloudstack.simulator.compute.records import STATS_AFTER, Machine
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, invalid, stamp

__all__ = ["commands"]

commands = Commands()

_EVERY = 60
_KEPT = 720 * 60
_MEASURED = (
    *("cpuused", "diskioread", "diskiowrite", "diskkbsread", "diskkbswrite"),
    *("memoryintfreekbs", "memorykbs", "memorytargetkbs", "networkkbsread", "networkkbswrite"),
)


@commands.add("listVirtualMachinesMetrics", FILTERS, listing=True)
def list_metrics(call: Call) -> Document:
    """Lists virtual machines with what they use, in words for people."""
    rows = [_metrics(call.state, machine) for machine in found_machines(call)]
    return listed(call, "virtualmachine", rows)


@commands.add(
    "listVirtualMachinesUsageHistory",
    "id:uuid ids:list name startdate:date enddate:date",
    listing=True,
    since="4.17",
)
def list_history(call: Call) -> Document:
    """Lists what virtual machines used, minute by minute."""
    first, last = _moment(call, "startdate"), _moment(call, "enddate")
    if first is not None and last is not None and first > last:
        raise invalid("Start date can not be after end date")
    rows = [_history(call.state, machine, first, last) for machine in found_machines(call)]
    return listed(call, "virtualmachine", rows)


@commands.add("createConsoleEndpoint", "virtualmachineid!:uuid token", since="4.18.0")
def create_console(call: Call) -> Document:
    """Opens the console of a running virtual machine, once."""
    machine = call.take(call.state.machines, "virtualmachineid")
    if not machine.running:
        details = (
            f"Server Internal Error: VM {machine.id} must be running to connect console, sending"
            " blank response for console access request"
        )
        return {"consoleendpoint": {"success": False, "details": details}}
    token = call.state.new_id().replace("-", "")
    host, port, path = "203.0.113.5", "8080", "websockify"
    query = f"autoconnect=true&show_dot=true&port={port}&token={token}"
    socket = {"token": token, "host": host, "port": port, "path": path}
    if call.has("token"):
        socket["extra"] = call.text("token")
    url = f"http://{host}/resource/noVNC/vnc.html?{query}"
    return {"consoleendpoint": {"success": True, "url": url, "websocket": socket}}


def _metrics(state: State, machine: Machine) -> Document:
    document = machine_document(state, machine)
    words: Document = {
        "cputotal": f"{machine.cpus * machine.speed / 1000:.1f} Ghz",
        "memorytotal": f"{machine.memory / 1024:.2f} GiB",
    }
    if "cpuused" in document:
        words |= {
            "networkread": _mebibytes(document, "networkkbsread"),
            "networkwrite": _mebibytes(document, "networkkbswrite"),
            "diskread": _mebibytes(document, "diskkbsread"),
            "diskwrite": _mebibytes(document, "diskkbswrite"),
            "diskiopstotal": document["diskioread"] + document["diskiowrite"],
        }
    document.pop("domainpath", None)
    return words | document


def _history(state: State, machine: Machine, first: float | None, last: float | None) -> Document:
    """What a machine used; one figure for every whole minute, kept for twelve hours."""
    stats: list[Document] = []
    document = machine_document(state, machine)
    if "cpuused" in document:
        measured = {key: document[key] for key in _MEASURED}
        measured["diskiopstotal"] = measured["diskioread"] + measured["diskiowrite"]
        measured["networkread"] = _mebibytes(document, "networkkbsread")
        measured["networkwrite"] = _mebibytes(document, "networkkbswrite")
        begin = max(machine.running_since + STATS_AFTER, state.now - _KEPT, first or 0.0)
        end = min(state.now, last or state.now)
        minute = int(begin // _EVERY + 1) * _EVERY
        stats = [{"timestamp": stamp(at), **measured} for at in range(minute, int(end) + 1, _EVERY)]
    return {
        "id": machine.id,
        "name": machine.instance_name,
        "displayname": machine.display,
        "stats": stats,
    }


def _mebibytes(document: Document, key: str) -> str:
    return f"{document[key] / 1024:.2f} MiB"


def _moment(call: Call, name: str) -> float | None:
    text = call.text(name)
    if not text:
        return None
    normal = text.replace(" ", "T")
    if "T" not in normal:
        normal += "T00:00:00"
    if normal[-5] not in "+-":
        normal += "+0000"
    try:
        return datetime.strptime(normal, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        raise invalid(f"Unable to parse date {text} for command {call.command.name}") from None
