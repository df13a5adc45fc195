"""How machines get from one state to another, in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.figures import amount
from anabranch_opennebula.simulator.machines.disks import part
from anabranch_opennebula.simulator.machines.records import History, Lcm, Machine, State

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.state import State as Cloud

__all__ = [
    "BOOT",
    "DONE",
    "RUNNING",
    "Effect",
    "Where",
    "begin",
    "close_history",
    "finish",
    "open_history",
    "schedule",
    "stamp",
]

Where = tuple[int, int]
"""A state, and the state within ACTIVE."""
Effect = Callable[[float], None]
"""What the last step of a plan does besides, told when."""

RUNNING: Where = (State.ACTIVE, Lcm.RUNNING)
DONE: Where = (State.DONE, Lcm.LCM_INIT)
BOOT: tuple[Where, ...] = ((State.ACTIVE, Lcm.PROLOG), (State.ACTIVE, Lcm.BOOT), RUNNING)

_LAG = 0.1
"""The part of the delay during which the old state is still to be seen: a call returns before
anything happens."""


def begin(
    cloud: Cloud,
    machine: Machine,
    now: float,
    path: Sequence[Where],
    effect: Effect | None = None,
    *,
    at_once: bool = False,
) -> None:
    """Send a machine through states, spread over the cloud's delay; the last one is the end.

    Even without delay, the next request is the first to see a change. What was under way with
    the machine is given up.

    Args:
        cloud: Where.
        machine: Which one.
        now: When, seconds since the epoch.
        path: The states.
        effect: What happens besides at the end.
        at_once: Whether the next request sees the first state, and not still the old one.
    """
    machine.plan += 1
    machine.busy = True
    delay = cloud.behaviour.state_delay
    lag = delay if len(path) == 1 else 0.0 if at_once else delay * _LAG
    pause = (delay - lag) / max(len(path) - 1, 1)
    for number, where in enumerate(path):
        last = number == len(path) - 1
        step = partial(_enter, machine, machine.plan, where, last, effect if last else None)
        cloud.at(now + lag + number * pause, step)


def _enter(
    machine: Machine, plan: int, where: Where, last: bool, effect: Effect | None, moment: float
) -> None:
    if plan != machine.plan:
        return
    machine.state, machine.lcm = where
    machine.busy = not last
    if effect is not None:
        effect(moment)
    machine.changed()


def schedule(cloud: Cloud, machine: Machine, now: float, path: Sequence[Where] = BOOT) -> None:
    """Have the scheduler find a host for a machine that is PENDING, and boot it there."""
    if amount(machine.template.text("CPU")) > cloud.hypervisor.cpus:
        message = f"{stamp(now)}: [HOST] Not enough CPU on hosts: 0,1"
        cloud.at(now, partial(_wait_for_room, machine, message))
        return
    machine.user_template.remove("SCHED_MESSAGE")
    if cloud.hypervisor.deploy_error:
        error = f"{stamp(now)}: DEPLOY: {cloud.hypervisor.deploy_error}"
        end: Where = (State.ACTIVE, Lcm.BOOT_FAILURE)
        begin(cloud, machine, now, (*path[:-1], end), partial(_fail, machine, error))
    else:
        begin(cloud, machine, now, path, partial(_deployed, machine))


def _wait_for_room(machine: Machine, message: str, _: float) -> None:
    machine.user_template.put("SCHED_MESSAGE", message)
    machine.changed()


def _deployed(machine: Machine, moment: float) -> None:
    machine.deploy_id = f"dummy1:{machine.name}:dummy"
    open_history(machine, int(moment), prolog=True)
    for graphics in machine.template.vectors("GRAPHICS"):
        graphics["PORT"] = str(5900 + machine.id)
    machine.template.put("TM_MAD_SYSTEM", "dummy")


def _fail(machine: Machine, error: str, moment: float) -> None:
    _deployed(machine, moment)
    machine.deploy_id = ""
    machine.history[-1].running = (int(moment), int(moment))
    machine.user_template.put("ERROR", error)


def open_history(machine: Machine, now: int, *, prolog: bool = False) -> None:
    """Begin a stay on the host."""
    machine.history.append(
        History(
            seq=len(machine.history),
            started=now,
            prolog=(now, now) if prolog else (0, 0),
            running=(now, 0),
        )
    )


def close_history(
    machine: Machine, now: int, action: int, uid: int, gid: int, *, epilog: bool = False
) -> None:
    """End the stay on the host that is under way, if one is."""
    if not machine.history or machine.history[-1].ended:
        return
    last = machine.history[-1]
    last.ended = now
    last.running = (last.running[0], now)
    last.epilog = (now, now) if epilog else (0, 0)
    last.action, last.uid, last.gid = action, uid, gid
    last.request = machine.plan


def finish(cloud: Cloud, machine: Machine, moment: float) -> None:
    """Give back what a machine had; it stays in the database as DONE."""
    machine.ended = int(moment)
    for network_id, lease in machine.leases.values():
        network = cloud.networks.get(network_id)
        if network is not None:
            network.release(lease)
            network.vms.discard(machine.id)
    machine.leases.clear()
    for group in cloud.security_groups.values():
        group.vms.discard(machine.id)
    for disk in machine.disks:
        image = part(cloud.images, machine, disk)
        if image is not None:
            image.release(machine.id, int(moment))


def stamp(now: float) -> str:
    """Time as oned writes it into messages: `Sun Nov 22 14:18:41 2026`."""
    return time.strftime("%a %b %d %H:%M:%S %Y", time.gmtime(now))
