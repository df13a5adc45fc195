"""The plugin contract: what a driver implements."""

from __future__ import annotations

from anabranch.hooks._markers import API_VERSION, PROJECT, hookimpl, hookspec, operation
from anabranch.hooks._spec import COLLECTIONS, DriverSpec, Ops
from anabranch.hooks.lifecycle import CloudIdentity, DiscoveredCloud, Lacks

__all__ = [
    "API_VERSION",
    "COLLECTIONS",
    "PROJECT",
    "CloudIdentity",
    "DiscoveredCloud",
    "DriverSpec",
    "Lacks",
    "Ops",
    "hookimpl",
    "hookspec",
    "operation",
]
