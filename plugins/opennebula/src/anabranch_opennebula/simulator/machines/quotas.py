"""The quotas of machines: what a user has, and when it is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.figures import amount, whole
from anabranch_opennebula.simulator.machines.records import State
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call
    from anabranch_opennebula.simulator.records import User
    from anabranch_opennebula.simulator.state import State as Cloud

__all__ = ["METRICS", "check_quotas", "usage"]

METRICS = (
    *("CPU", "MEMORY", "PCI_DEV", "PCI_NIC", "RUNNING_CPU", "RUNNING_MEMORY", "RUNNING_PCI_DEV"),
    *("RUNNING_PCI_NIC", "RUNNING_VMS", "SYSTEM_DISK_SIZE", "VMS"),
)
"""What the quota of machines counts, in the order of the documents."""


def check_quotas(call: Call, template: Template, *, machines: int = 1) -> None:
    """Refuse a machine that is more than its user may have.

    Args:
        call: Who asks.
        template: The capacity that is added.
        machines: How many machines are added.

    Raises:
        Refusal: A limit is reached; oned gives it the code of a missing right.
    """
    limits = call.user.limits
    if not limits:
        return
    used = usage(call.state, call.user)
    for metric, added in _amounts(template, machines).items():
        limit = limits.get(metric, -1)
        if added > 0 and 0 <= limit < used.get(metric, 0) + added:
            raise Refusal(
                Code.AUTHORIZATION,
                f"user [{call.user.id}] limit of {limit:g} reached for {metric} quota in VM.",
            )


def usage(cloud: Cloud, user: User) -> dict[str, float]:
    """What a user's machines come to, by metric; empty when there was never one."""
    total: dict[str, float] = {}
    for machine in cloud.machines.values():
        if machine.uid != user.id:
            continue
        total = total or dict.fromkeys(METRICS, 0.0)
        if machine.state == State.DONE:
            continue
        for metric, added in _amounts(machine.template).items():
            running = metric.startswith("RUNNING_")
            if not running or machine.state in (State.PENDING, State.HOLD, State.ACTIVE):
                total[metric] += added
    return total


def _amounts(template: Template, machines: int = 1) -> dict[str, float]:
    cpu, memory = amount(template.text("CPU")), amount(template.text("MEMORY"))
    disks = sum(whole(d.get("SIZE", "")) or 0 for d in template.vectors("DISK"))
    return {
        "VMS": machines,
        "CPU": cpu,
        "MEMORY": memory,
        "SYSTEM_DISK_SIZE": disks,
        "RUNNING_VMS": machines,
        "RUNNING_CPU": cpu,
        "RUNNING_MEMORY": memory,
    }
