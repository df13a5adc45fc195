"""Machines as they are asked for: one, a pool, and what they were measured to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.figures import amount, listed
from anabranch_opennebula.simulator.machines import documents
from anabranch_opennebula.simulator.machines.lifecycle import RUNNING
from anabranch_opennebula.simulator.machines.records import Machine, State
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.paging import page
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.xmlrpc import escaped

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["METHODS"]

_ANY, _NOT_DONE = -2, -1
_HIGHEST_STATE = 11
_BUSY, _FULL = 0.25, 0.5
_NUMBERS = re.compile(r"\d+(,\d+)*")


def _info(call: Call, machine_id: int, decrypt: bool = False) -> bytes:
    del decrypt
    return documents.whole(call.state.release, call.find(call.state.machines, machine_id))


def _short_pool(
    call: Call, filter_flag: int, start: int, end: int, state: int, query: str = ""
) -> bytes:
    machines = page(_selected(call, filter_flag, state, query), start, end)
    return _pool(call, machines, documents.short)


def _extended_pool(
    call: Call, filter_flag: int, start: int, end: int, state: int, query: str = ""
) -> bytes:
    machines = page(_selected(call, filter_flag, state, query), start, end)
    return _pool(call, machines, documents.extended)


def _set(call: Call, numbers: str, extended: bool) -> bytes:
    if not _NUMBERS.fullmatch(numbers):
        raise Refusal(Code.RPC_API, "Incorrect list of ids")
    wanted = set(listed(numbers))
    machines = (m for m in call.visible(call.state.machines, -2) if m.id in wanted)
    return _pool(call, machines, documents.extended if extended else documents.short)


def _selected(call: Call, filter_flag: int, state: int, query: str) -> Iterator[Machine]:
    if not _ANY <= state <= _HIGHEST_STATE:
        raise Refusal(Code.RPC_API, "Incorrect state")
    if query:
        raise Refusal(Code.INTERNAL, "JSON search is only supported by the MySQL backend")
    for machine in call.visible(call.state.machines, filter_flag):
        if state in (_ANY, machine.state) or (state == _NOT_DONE and machine.state != State.DONE):
            yield machine


def _pool(
    call: Call, machines: Iterator[Machine], write: Callable[[tuple[int, int], Machine], bytes]
) -> bytes:
    inner = b"".join(write(call.state.release, machine) for machine in machines)
    return b"&lt;VM_POOL&gt;%b&lt;/VM_POOL&gt;" % inner if inner else b"&lt;VM_POOL/&gt;"


def _monitoring(call: Call, machine_id: int) -> bytes:
    machine = call.find(call.state.machines, machine_id)
    return escaped(f"<MONITORING_DATA>{_samples(call, machine)}</MONITORING_DATA>")


def _pool_monitoring(call: Call, filter_flag: int, seconds: int = -1) -> bytes:
    del seconds
    machines = call.visible(call.state.machines, filter_flag)
    inner = "".join(_samples(call, machine) for machine in machines)
    return escaped(f"<MONITORING_DATA>{inner}</MONITORING_DATA>")


def _samples(call: Call, machine: Machine) -> str:
    """One sample of a running machine; bytes and operations are counted from its beginning."""
    if machine.where != RUNNING:
        return ""
    uptime = max(call.now - machine.started, 0)
    cpu = amount(machine.template.text("CPU")) * 100 * _BUSY
    memory = int(amount(machine.template.text("MEMORY")) * 1024 * _FULL)
    return (
        f"<MONITORING><CPU>{cpu:.2f}</CPU><DISKRDBYTES>{4096 * uptime}</DISKRDBYTES>"
        f"<DISKRDIOPS>{uptime}</DISKRDIOPS><DISKWRBYTES>{8192 * uptime}</DISKWRBYTES>"
        f"<DISKWRIOPS>{2 * uptime}</DISKWRIOPS><ID>{machine.id}</ID><MEMORY>{memory}</MEMORY>"
        f"<NETRX>{1500 * uptime}</NETRX><NETTX>{700 * uptime}</NETTX>"
        f"<TIMESTAMP>{call.now}</TIMESTAMP></MONITORING>"
    )


METHODS = {
    "one.vm.info": Method("i|b", _info),
    "one.vm.monitoring": Method("i", _monitoring),
    "one.vmpool.info": Method("iiii|s", _short_pool),
    "one.vmpool.infoextended": Method("iiii|s", _extended_pool),
    "one.vmpool.infoset": Method("sb", _set),
    "one.vmpool.monitoring": Method("i|i", _pool_monitoring),
}
