"""How large a machine becomes: fixed offerings, custom ones, and the limits of the account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from anabranch_cloudstack.simulator.accounts import Account
from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import ServiceOffering
from anabranch_cloudstack.simulator.records import Record
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Refusal, invalid

__all__ = ["Size", "check_limits", "size_of", "usage"]


class Size(msgspec.Struct, kw_only=True):
    """The size of a machine, with all `details` that came along: the server keeps every one."""

    offering: str
    cpus: int
    speed: int
    memory: int
    root_size: int = 0
    details: dict[str, str] = {}


def size_of(call: Call) -> Size:
    """The size that a call's `serviceofferingid` and `details` make together.

    Raises:
        Refusal: 431, a custom offering without the figures, or with figures out of its bounds.
    """
    offering = call.take(call.state.service_offerings, "serviceofferingid")
    details = call.details()
    if not offering.customized:
        return Size(
            offering=offering.id,
            cpus=offering.cpus,
            speed=offering.speed,
            memory=offering.memory,
            root_size=offering.root_size,
            details=details,
        )
    if not details:
        raise invalid(
            "Need to specify custom parameter values cpu, cpu speed and memory when using custom"
            " offering"
        )
    return Size(
        offering=offering.id,
        cpus=_figure(offering, "cpu cores", details, "cpuNumber"),
        speed=offering.speed or _figure(offering, "cpu speed", details, "cpuSpeed"),
        memory=_figure(offering, "memory", details, "memory"),
        root_size=offering.root_size,
        details=details,
    )


def usage(state: State, account: Account) -> dict[str, int]:
    """How much an account has of what its limits name."""
    machines = [
        machine
        for machine in state.machines.values()
        if machine.account == account.name and machine.present and not machine.project
    ]
    volumes = [v for v in state.volumes.values() if v.account == account.name and not v.project]
    return {
        "user_vm": len(machines),
        "cpu": sum(machine.cpus for machine in machines),
        "memory": sum(machine.memory for machine in machines),
        "volume": len(volumes),
        "primary_storage": sum(volume.size for volume in volumes) // 1024**3,
        "public_ip": _owned(state.addresses.values(), account),
        "snapshot": _owned(state.snapshots.values(), account),
        "template": _owned(state.images.values(), account),
        "network": _owned(state.networks.values(), account),
        "vpc": _owned(state.vpcs.values(), account),
        "project": _owned(state.projects.values(), account),
    }


def check_limits(call: Call, code: int = 535, **wanted: int) -> None:
    """Refuse what would exceed the limits of the caller's account.

    Args:
        call: The call.
        code: 535 for machines and volumes, 532 for the rest.
        wanted: How much more it would have of each resource type.

    Raises:
        Refusal: It would exceed them.
    """
    account = call.account
    if call.project or all(account.limits[name] < 0 for name in wanted):
        return
    used = usage(call.state, account)
    for name, more in wanted.items():
        limit = account.limits[name]
        if 0 <= limit < used[name] + more:
            raise Refusal(
                code,
                f"Maximum amount of resources of Type = '{name}', tag = 'null' for Account Name ="
                f" {account.name} in Domain Id = {account.number} is exceeded: Account Resource"
                f" Limit = {limit}, Current Account Resource Amount = {used[name]}, Current"
                f" Account Resource Reservation = 0, Requested Resource Amount = {more}.",
                9999 if code == 535 else 4280,
            )


def _figure(offering: ServiceOffering, what: str, details: Mapping[str, str], name: str) -> int:
    """One of the figures of a custom offering; what is missing is out of bounds."""
    low = int(offering.bounds.get(f"min{name.lower()}", 32 if name == "memory" else 1))
    high = int(offering.bounds.get(f"max{name.lower()}", 2**31 - 1))
    value = details.get(name, "")
    if not value.isdecimal() or not low <= int(value) <= high:
        raise invalid(f"Invalid {what} value, specify a value between {low} and {high}")
    return int(value)


def _owned(records: Iterable[Record], account: Account) -> int:
    return sum(record.account == account.name for record in records)
