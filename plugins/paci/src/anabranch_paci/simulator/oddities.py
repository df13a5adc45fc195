"""Servers such as only reality has: no address, unknown state, names that break a page or a URL."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import msgspec

from anabranch_paci.simulator.state import State

__all__ = ["ODDITIES", "plant"]

ODDITIES: dict[str, dict[str, Any]] = {
    "no-address": {"ipv4": [], "ipv6": []},
    "no-network": {"omit": frozenset({"network"})},
    "unknown-state": {"overlay": {"state": "TRANSMOGRIFYING"}},
    "empty-state": {"overlay": {"state": ""}},
    "no-state": {"omit": frozenset({"state", "steady-state"})},
    "not-begun": {"state": "CREATE", "steady": "CREATED"},
    "stuck": {"state": "CREATION_IN_PROGRESS"},
    "huge-name": {"name": "n" * 255},
    "quotes": {"name": "say \"hello\" or 'bye' \\ `now`"},
    "script": {"name": "<script>alert(1)</script>", "description": "</description><img src=x>"},
    "emoji": {"name": "machine 🚀 ☃ é中文"},
    "ampersand": {"name": "R&D & <QA>; a=b&c=d"},
    "slash": {"name": "prod/web/1"},
    "percent": {"name": "100% %2F %zz"},
    "question": {"name": "why? #1 +2"},
    "blank-name": {"name": " "},
    "spaces": {"name": " leading and trailing "},
    "newline": {"name": "first\nsecond\ttabbed"},
    "literal": {"name": "start"},
    "missing-elements": {
        "omit": frozenset(
            {
                *("uuid", "hostname", "description", "subscription-id", "cpu", "ram-size"),
                *("bandwidth", "ve-disk", "platform", "admin", "template-id"),
            }
        )
    },
    "not-numbers": {"overlay": {"ram-size": "much", "id": "one", "subscription-id": ""}},
    "nameless": {"omit": frozenset({"name"})},
    "vanishing": {"listed_only": True},
    "empty-description": {"description": ""},
    "ipv6-only": {"ipv4": []},
}
"""What can be planted: a name for each oddity, and what it changes in a server."""


def plant(state: State, names: Iterable[str]) -> None:
    """Add one server for each of these oddities, made from the first server that is there.

    Args:
        state: Where to; it has at least one server.
        names: Keys of `ODDITIES`.

    Raises:
        ValueError: One is unknown, or there is no server to start from.
    """
    model = next(iter(state.ves.values()), None)
    for name in names:
        if name not in ODDITIES:
            raise ValueError(f"unknown oddity {name!r}: use one of {', '.join(ODDITIES)}")
        if model is None:
            raise ValueError("odd servers are made from an ordinary one: ask for instances")
        changes: dict[str, Any] = {
            "id": state.new_id(),
            "uuid": state.new_uuid(),
            "name": f"odd-{name}",
            "private_ip": state.pool.private(),
            "ipv4": state.pool.ipv4(1),
            "ipv6": state.pool.ipv6(1),
            **copy.deepcopy(ODDITIES[name]),
        }
        odd = msgspec.structs.replace(model, **changes)
        state.ves[odd.name] = odd
