"""Machines as they should not be, and are: what a driver must live through in a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anabranch_opennebula.simulator.machines.creation import create
from anabranch_opennebula.simulator.seeds import caller
from anabranch_opennebula.simulator.state import State

__all__ = ["ODDITIES", "plant"]

_NAMELESS: Mapping[str, str | None] = {"NAME": ""}

ODDITIES: dict[str, dict[str, Any]] = {
    "no-address": {"without": ("NIC",)},
    "no-disk": {"without": ("DISK",)},
    "unknown-state": {"state": 77},
    "unknown-lcm": {"lcm": 99},
    "failure": {"lcm": 44, "user": {"ERROR": "Sun Nov 22 14:18:26 2026: EPILOG: no space"}},
    "huge-name": {"name": "n" * 128},
    "quotes": {"name": "say \"hello\" or 'bye' \\ `now`"},
    "script": {"name": "<script>alert(1)</script>", "user": {"NOTE": "</td><img src=x>"}},
    "emoji": {"name": "machine 🚀 ☃ é中文", "user": {"NOTE": "🚀"}},
    "ampersand": {"name": "R&D & <QA>; a=b&c=d", "user": {"NOTE": "a]]>b & c"}},
    "blank-name": {"raw": _NAMELESS},
    "newline": {"user": {"NOTE": "first\nsecond\ttabbed"}},
    "missing-elements": {
        "raw": dict.fromkeys(("TEMPLATE", "USER_TEMPLATE", "STIME", "HISTORY_RECORDS", "UNAME"))
    },
    "no-state": {"raw": dict.fromkeys(("STATE", "LCM_STATE"))},
    "no-id": {"raw": dict.fromkeys(("ID",))},
    "not-a-number": {"raw": {"STIME": "yesterday", "STATE": "3.5"}},
    "odd-capacity": {"capacity": {"CPU": "half", "MEMORY": "", "VCPU": "-1"}},
    "odd-address": {"ip": "not.an.address"},
    "locked": {"lock": 4},
}
"""What can be planted: a name for each oddity, and what it changes in a machine."""


def plant(state: State, names: Iterable[str]) -> None:
    """Add one machine for each of these oddities.

    Args:
        state: Where to.
        names: Keys of `ODDITIES`.

    Raises:
        ValueError: One is unknown.
    """
    call = caller(state, "tenant")
    for name in names:
        if name not in ODDITIES:
            raise ValueError(f"unknown oddity {name!r}: use one of {', '.join(ODDITIES)}")
        odd = ODDITIES[name]
        template = state.templates[0].template.copy()
        template.put("TEMPLATE_ID", "0")
        template.put("ODDITY", name)
        template.remove(*odd.get("without", ()))
        for key, value in odd.get("user", {}).items():
            template.put(key, value)
        machine = create(call, template, f"odd-{name}", hold=True)
        machine.state, machine.lcm = odd.get("state", 3), odd.get("lcm", 3)
        machine.name = odd.get("name", machine.name)
        machine.lock = odd.get("lock", 0)
        machine.raw = odd.get("raw", {})
        for key, value in odd.get("capacity", {}).items():
            machine.template.put(key, value)
        for nic in machine.template.vectors("NIC"):
            nic["IP"] = odd.get("ip", nic["IP"])
        machine.template.remove("SUBMIT_ON_HOLD")
        machine.changed()
