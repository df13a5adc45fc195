"""The pluggy markers, and the version of the contract."""

from __future__ import annotations

from typing import Final

import pluggy

__all__ = ["API_VERSION", "PROJECT", "hookimpl", "hookspec", "operation"]

PROJECT: Final = "anabranch"

API_VERSION: Final = 1
"""Version of the driver contract. It is raised only by a change that breaks drivers."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a driver's method as the implementation of the hook of that name."""

operation = hookspec(firstresult=True)
"""Marks the spec of an operation: exactly one driver answers."""
