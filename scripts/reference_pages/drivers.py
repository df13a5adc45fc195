"""The drivers of this repository, loaded."""

import functools
import tomllib
from collections.abc import Mapping
from pathlib import Path

from anabranch import PluginRegistry
from anabranch.features import Feature, offered_by
from anabranch.hooks import PROJECT, Ops

__all__ = ["bundled", "honours", "offers"]

ROOT = Path(__file__).parents[2]


@functools.cache
def bundled() -> Mapping[str, Ops]:
    """Return the drivers that are members of this workspace, by kind."""
    registry = PluginRegistry()
    kinds: set[str] = set()
    for project in ROOT.glob("plugins/*/pyproject.toml"):
        points = tomllib.loads(project.read_text())["project"]["entry-points"]
        kinds |= set(points["anabranch.drivers"])
    return {kind: registry.driver(kind) for kind in sorted(kinds)}


def offers(driver: Ops, operation: str) -> bool:
    """Tell whether a driver has a hook."""
    return hasattr(getattr(type(driver), operation), f"{PROJECT}_impl")


def honours(driver: Ops, operation: str) -> frozenset[Feature]:
    """Return the features that a driver declares for a hook."""
    return offered_by(getattr(type(driver), operation)).features
