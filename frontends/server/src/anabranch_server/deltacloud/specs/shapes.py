"""From the values of parameters to the arguments of an operation, where these are not the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from anabranch.models import (
    Direction,
    FirewallRuleSpec,
    Hardware,
    Listener,
    RuleSource,
    SourceKind,
)
from anabranch_server.problems import Problem

__all__ = ["SHAPES"]

Values = dict[str, Any]

_HARDWARE: Final = "hardware."


def _instance(values: Values) -> None:
    fields = [name for name in values if name.startswith(_HARDWARE)]
    if fields:
        values["hardware"] = Hardware(
            **{name.removeprefix(_HARDWARE): values.pop(name) for name in fields}
        )
    paths, contents = values.pop("path", {}), values.pop("content", {})
    for number in sorted(paths.keys() ^ contents.keys()):
        raise Problem(400, f"give both parameters 'path{number}' and 'content{number}', or neither")
    if len(set(paths.values())) < len(paths):
        raise Problem(400, "two of the parameters 'path1', 'path2' … are the same")
    if paths:
        values["user_files"] = {path: contents[number] for number, path in paths.items()}


def _snapshot(values: Values) -> None:
    if ("storage_volume_id" in values) is ("instance_id" in values):
        raise Problem(400, "give the parameter 'volume_id' or 'instance_id', and not both")


def _load_balancer(values: Values) -> None:
    listener = Listener(
        protocol=values.pop("listener_protocol"),
        load_balancer_port=values.pop("listener_balancer_port"),
        instance_port=values.pop("listener_instance_port"),
    )
    values["listeners"] = (listener,)


def _rule(values: Values) -> None:
    blocks, groups = values.pop("ip_address", {}), values.pop("group", {})
    owners = values.pop("group_owner", {})
    sources = [RuleSource(cidr=block) for block in blocks.values()]
    sources += [
        RuleSource(kind=SourceKind.GROUP, group=group, owner=owners.get(number))
        for number, group in groups.items()
    ]
    if not sources:
        raise Problem(400, "no source: give one parameter 'ip_address1' or 'group1' at least")
    for number in sorted(owners.keys() - groups.keys()):
        raise Problem(400, f"parameter 'group{number}owner' is given, and 'group{number}' is not")
    if values["protocol"] != "icmp":
        _check_ports(values)
    if "direction" in values:
        values["direction"] = Direction(values["direction"])
    spec = FirewallRuleSpec(sources=tuple(sources), **values)
    values.clear()
    values["spec"] = spec


def _check_ports(values: Values) -> None:
    for name in ("port_from", "port_to"):
        if name not in values:
            raise Problem(400, f"parameter {name!r} is missing")
        if values[name] < 0:
            raise Problem(400, f"parameter {name!r} is {values[name]}: a port is wanted")
    if values["port_from"] > values["port_to"]:
        raise Problem(400, "parameter 'port_from' is greater than 'port_to'")


def _tags(values: Values) -> None:
    values.setdefault("tags", {})


SHAPES: Final[Mapping[str, Callable[[Values], None]]] = {
    "add_firewall_rule": _rule,
    "create_instance": _instance,
    "create_load_balancer": _load_balancer,
    "create_storage_snapshot": _snapshot,
    "set_instance_tags": _tags,
}
"""By the operation: what turns the values of its parameters, in place, into its arguments."""
