"""Machines such as only reality has: no address, unknown state, names that break a page."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import msgspec

from anabranch_cloudstack.simulator.state import State

__all__ = ["ODDITIES", "plant"]

ODDITIES: dict[str, dict[str, Any]] = {
    "no-address": {"nics": []},
    "null-address": {"overlay": {"ipaddress": None, "nic": [{"id": "x", "ipaddress": None}]}},
    "unknown-state": {"overlay": {"state": "Transmogrifying"}},
    "error": {"state": "Error", "nics": []},
    "shutdown": {"state": "Shutdown"},
    "migrating": {"state": "Migrating"},
    "unknown": {"state": "Unknown"},
    "huge-name": {"display": "n" * 255},
    "quotes": {"display": "say \"hello\" or 'bye' \\ `now`"},
    "script": {"display": "<script>alert(1)</script>", "tags": {"<b>": "</td><img src=x>"}},
    "emoji": {"display": "machine 🚀 ☃ é中文"},
    "ampersand": {"display": "R&D & <QA>; a=b&c=d"},
    "blank-name": {"display": " "},
    "newline": {"display": "first\nsecond\ttabbed"},
    "no-name": {"omit": frozenset({"name", "displayname"})},
    "missing-fields": {
        "omit": frozenset(
            {
                *("templateid", "templatename", "serviceofferingid", "serviceofferingname", "nic"),
                *("created", "tags", "zonename", "cpunumber", "memory", "details", "account"),
            }
        )
    },
    "no-state": {"omit": frozenset({"state"})},
    "no-id": {"omit": frozenset({"id"})},
    "nulls": {"overlay": {"nic": None, "tags": None, "templateid": None, "created": None}},
    "bad-time": {"overlay": {"created": "yesterday"}},
    "extra-fields": {"overlay": {"x-vendor-colour": "red", "nested": {"deep": [1, None]}}},
    "ipv6": {
        "overlay": {
            "nic": [
                {
                    "id": "6",
                    "networkid": "6",
                    "ip6address": "2001:db8::17",
                    "ip6cidr": "2001:db8::/64",
                    "isdefault": True,
                }
            ]
        }
    },
}
"""What can be planted: a name for each oddity, and what it changes in a machine."""


def plant(state: State, names: Iterable[str]) -> None:
    """Add one machine for each of these oddities, made from the first machine that is there.

    Args:
        state: The cloud; it has at least one machine.
        names: Keys of `ODDITIES`.

    Raises:
        ValueError: One is unknown, or there is no machine to start from.
    """
    model = next(iter(state.machines.values()), None)
    for name in names:
        if name not in ODDITIES:
            raise ValueError(f"unknown oddity {name!r}: use one of {', '.join(ODDITIES)}")
        if model is None:
            raise ValueError("odd machines are made from an ordinary one: ask for instances")
        nics = [
            msgspec.structs.replace(nic, id=str(uuid.uuid5(uuid.UUID(nic.id), name)))
            for nic in model.nics
        ]
        changes: dict[str, Any] = {
            "id": str(uuid.uuid5(uuid.UUID(model.id), name)),
            "number": state.new_number(),
            "name": f"odd-{name}",
            "display": f"odd {name}",
            "nics": nics,
            "volumes": [],
            "tags": {"oddity": name},
            "encoded": {},
            **ODDITIES[name],
        }
        state.add(state.machines, deepcopy(msgspec.structs.replace(model, **changes)))
