"""Which servers a list shows, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from anabranch_openstack.simulator.compute.documents import STATUSES, status_of
from anabranch_openstack.simulator.compute.records import Server
from anabranch_openstack.simulator.wire import Refusal, Request

__all__ = ["select"]

# The parameters that members may filter by, with the version from which nova heeds them; it
# silently ignores the others, and from 2.75 on it refuses names it does not know.
_SINCE = {
    "reservation_id": 1,
    "name": 1,
    "status": 1,
    "image": 1,
    "flavor": 1,
    "ip": 1,
    "changes-since": 1,
    "ip6": 5,
    "tags": 26,
    "tags-any": 26,
    "not-tags": 26,
    "not-tags-any": 26,
    "changes-before": 66,
    "locked": 73,
    "availability_zone": 83,
    "key_name": 83,
    "vm_state": 83,
    "task_state": 83,
    "power_state": 83,
    "user_id": 83,
    "hostname": 90,
}
_IGNORED = {
    *("limit", "marker", "sort_key", "sort_dir", "all_tenants", "deleted", "metadata", "host"),
    *("uuid", "project_id", "tenant_id", "description", "config_drive", "created_at", "node"),
    *("launched_at", "terminated_at", "progress", "soft_deleted", "access_ip_v4", "access_ip_v6"),
    *("auto_disk_config", "display_name", "display_description", "root_device_name"),
    *("system_metadata", "kernel_id", "ramdisk_id", "launch_index", "image_ref", "locked_by"),
    *("instance_type_id", "cell_name", "changes-before", "block_device_mapping", "services"),
}
_SORT_KEYS: dict[str, Callable[[Server], Any]] = {
    "created_at": lambda s: s.created,
    "display_name": lambda s: s.name,
    "display_description": lambda s: s.description or "",
    "updated_at": lambda s: s.updated,
    "launched_at": lambda s: s.launched or 0,
    "vm_state": lambda s: s.vm_state,
    "task_state": lambda s: s.task_state or "",
    "power_state": lambda s: s.power_state,
    "uuid": lambda s: s.id,
    "key_name": lambda s: s.key_name or "",
    "availability_zone": lambda s: s.zone,
    "host": lambda s: s.host_id,
    "hostname": lambda s: s.hostname,
    "user_id": lambda s: s.user_id,
    "project_id": lambda s: s.project_id,
}


def select(request: Request) -> list[Server]:
    """The servers that a list shows, in its order.

    Raises:
        Refusal: A parameter is bad, or only for administrators.
    """
    compute = request.region.compute
    project_id = request.token.project_id
    servers = [s for s in compute.newest_first() if s.project_id == project_id]
    if not request.query:
        return servers
    _check(request)
    heeded = {name for name, since in _SINCE.items() if since <= request.version}
    filters = {name: value for name, value in request.query if name in heeded}
    statuses = [value.upper() for value in request.params("status")]
    if request.version >= 38 and not STATUSES.issuperset(statuses):
        raise Refusal(400, "Invalid status value")
    if "changes-since" in filters or "changes-before" in filters:
        gone = [s for s in compute.deleted if s.project_id == project_id]
        servers = sorted([*servers, *gone], key=lambda s: (s.created, s.id), reverse=True)
    for name, value in filters.items():
        if name == "status":
            servers = [s for s in servers if status_of(s) in statuses]
        else:
            servers = [s for s in servers if _passes(s, name, value)]
    return _ordered(request, servers)


def _check(request: Request) -> None:
    if request.param("all_tenants") not in (None, "0", "false", "False"):
        where = "detail" if request.path.endswith("/detail") else "index"
        raise Refusal(
            403,
            f"Policy doesn't allow os_compute_api:servers:{where}:get_all_tenants to be performed.",
        )
    for name in ("changes-since", "changes-before"):
        value = request.param(name)
        if value is not None and _moment(value) is None:
            raise Refusal(
                400,
                f"Invalid input for query parameters {name}. Value: {value}."
                f" '{value}' is not a 'date-time'",
            )
    if request.version >= 75:
        for name, _ in request.query:
            if name not in _SINCE and name not in _IGNORED and not name.startswith("_"):
                raise Refusal(400, f"'{name}' does not match any of the regexes: '^_'")


def _passes(server: Server, name: str, value: str) -> bool:
    match name:
        case "name":
            return _found(value, server.name)
        case "ip" | "ip6":
            addresses = [a for n in server.nics for a in (n.address, n.floating) if a]
            return any(_found(value, address) for address in addresses)
        case "flavor":
            return server.flavor.id == value
        case "image":
            return server.image_id == value
        case "reservation_id":
            return server.reservation_id == value
        case "changes-since":
            return server.updated >= (_moment(value) or 0)
        case "changes-before":
            return server.updated <= (_moment(value) or 0)
        case "tags":
            return set(value.split(",")) <= set(server.tags)
        case "tags-any":
            return not set(value.split(",")).isdisjoint(server.tags)
        case "not-tags":
            return not set(value.split(",")) <= set(server.tags)
        case "not-tags-any":
            return set(value.split(",")).isdisjoint(server.tags)
        case "locked":
            return server.locked == (value.lower() in ("true", "1", "yes", "on"))
        case "availability_zone":
            return server.zone == value
        case "power_state":
            return str(server.power_state) == value
        case _:
            return (getattr(server, name) or "") == value


def _ordered(request: Request, servers: list[Server]) -> list[Server]:
    keys = request.params("sort_key")
    directions = request.params("sort_dir")
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise Refusal(
                400,
                f"Invalid input for query parameters sort_dir. Value: {direction}."
                f" '{direction}' is not one of ['asc', 'desc']",
            )
    for index, name in reversed(list(enumerate(keys))):
        if name not in _SORT_KEYS:
            raise Refusal(
                400,
                f"Invalid input for query parameters sort_key. Value: {name}."
                f" '{name}' is not one of {sorted(_SORT_KEYS)}",
            )
        falling = index >= len(directions) or directions[index] == "desc"
        servers = sorted(servers, key=_SORT_KEYS[name], reverse=falling)
    return servers


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text, re.IGNORECASE) is not None
    except re.error:
        return pattern in text


def _moment(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
