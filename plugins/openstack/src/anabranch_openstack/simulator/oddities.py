"""Servers such as only reality has: no address, unknown status, names that break a page."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec

from anabranch_openstack.simulator.state import Region

__all__ = ["ODDITIES", "plant"]

_DOWN_CELL = frozenset(
    {
        *("name", "addresses", "flavor", "image", "metadata", "updated", "hostId", "accessIPv4"),
        *("accessIPv6", "user_id", "progress", "config_drive", "key_name", "security_groups"),
        *("OS-DCF:diskConfig", "OS-EXT-AZ:availability_zone", "OS-SRV-USG:launched_at"),
        *("OS-SRV-USG:terminated_at", "OS-EXT-STS:task_state", "OS-EXT-STS:vm_state"),
        *("OS-EXT-STS:power_state", "os-extended-volumes:volumes_attached"),
    }
)
_FAULT = {
    "code": 500,
    "created": "2026-11-22T15:21:34Z",
    "message": "No valid host was found. There are not enough hosts available.",
}

ODDITIES: dict[str, dict[str, Any]] = {
    "no-address": {"nics": []},
    "unknown-status": {"overlay": {"status": "TRANSMOGRIFYING", "OS-EXT-STS:vm_state": "new"}},
    "error": {"vm_state": "error", "power_state": 0, "nics": [], "fault": _FAULT},
    "huge-name": {"name": "n" * 255},
    "quotes": {"name": "say \"hello\" or 'bye' \\ `now`"},
    "script": {"name": "<script>alert(1)</script>", "metadata": {"<b>": "</td><img src=x>"}},
    "emoji": {"name": "machine 🚀 ☃ é中文"},
    "ampersand": {"name": "R&D & <QA>; a=b&c=d"},
    "blank-name": {"name": " "},
    "newline": {"name": "first\nsecond\ttabbed"},
    "no-image": {"image_id": None},
    "missing-fields": {"omit": frozenset({"addresses", "metadata", "updated", "key_name", "tags"})},
    "down-cell": {"overlay": {"status": "UNKNOWN"}, "omit": _DOWN_CELL},
    "extra-fields": {"overlay": {"x-vendor:colour": "red", "x-vendor:nested": {"deep": [1, None]}}},
    "nulls": {"overlay": {"addresses": None, "metadata": None, "image": None, "flavor": None}},
    "ipv6": {
        "overlay": {
            "addresses": {
                "v6": [{"version": 6, "addr": "2001:db8::17", "OS-EXT-IPS:type": "fixed"}]
            }
        }
    },
    "deleting": {"task_state": "deleting"},
    "locked": {"locked": True, "locked_reason": "do not touch"},
}
"""What can be planted: a name for each oddity, and what it changes in a server."""


def plant(region: Region, names: Iterable[str]) -> None:
    """Add one server for each of these oddities, made from the first server that is there.

    Args:
        region: Where to; it has at least one server.
        names: Keys of `ODDITIES`.

    Raises:
        ValueError: One is unknown, or there is no server to start from.
    """
    model = next(iter(region.compute.servers.values()), None)
    for name in names:
        if name not in ODDITIES:
            raise ValueError(f"unknown oddity {name!r}: use one of {', '.join(ODDITIES)}")
        if model is None:
            raise ValueError("odd servers are made from an ordinary one: ask for instances")
        changes: dict[str, Any] = {
            "id": str(uuid.uuid5(uuid.UUID(model.id), name)),
            "name": f"odd-{name}",
            "nics": [
                msgspec.structs.replace(
                    nic, port_id=str(uuid.uuid5(uuid.UUID(nic.port_id), name)), floating=""
                )
                for nic in model.nics
            ],
            "metadata": {"oddity": name},
            "tags": [],
            "created": model.created - 60,
            "steps": [],
            "encoded": {},
            **copy.deepcopy(ODDITIES[name]),
        }
        region.compute.add(msgspec.structs.replace(model, **changes))
