"""What can be known of a driver from its entry point, with nothing of it imported."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import msgspec

__all__ = ["REPORT_NAME", "distribution_of", "entries_of", "level_of", "same_distribution"]

REPORT_NAME: Final = "conformance.json"
"""The file in a driver's package that tells what the conformance kit found."""
_UNKNOWN: Final = "(unknown)"
_LEVELS: Final = ("bronze", "silver", "gold")


class _Report(msgspec.Struct):
    kind: str
    level: str
    version: str = ""


def entries_of(group: str) -> tuple[list[EntryPoint], list[str]]:
    """Return the entry points of a group, and the distributions whose own cannot be read.

    One such distribution makes `importlib.metadata.entry_points` fail for all that are installed.
    """
    try:
        return list(entry_points(group=group)), []
    except Exception:
        return _one_by_one(group, distributions())


def _one_by_one(
    group: str, installed: Iterable[Distribution]
) -> tuple[list[EntryPoint], list[str]]:
    found: list[EntryPoint] = []
    unreadable: list[str] = []
    seen: set[str] = set()
    for distribution in installed:
        name = _name_of(distribution)[0]
        if name in seen:  # further behind on the path, and not in force
            continue
        seen.add(name)
        try:
            found += distribution.entry_points.select(group=group)
        except Exception:
            if f"[{group}]" in (distribution.read_text("entry_points.txt") or ""):
                unreadable.append(name)
    return found, unreadable


def distribution_of(point: EntryPoint) -> tuple[str, str]:
    """Return name and version of the distribution that brings an entry point."""
    return _name_of(point.dist) if point.dist else (_UNKNOWN, "")


def _name_of(distribution: Distribution) -> tuple[str, str]:
    try:
        # Of a distribution that was removed by halves both are None, or the look-up fails.
        name, version = distribution.name, distribution.version
    except Exception:
        return _UNKNOWN, ""
    return name or _UNKNOWN, version or ""


def same_distribution(one: str, other: str) -> bool:
    """Whether two names are of the same distribution: `Anabranch_Acme` is `anabranch-acme`."""
    normal = [re.sub(r"[-_.]+", "-", name).lower() for name in (one, other)]
    return normal[0] == normal[1]


def level_of(point: EntryPoint) -> str:
    """Return the level that the driver's own conformance report claims.

    The report lies in the package that the entry point leads to, or in one around it. One of
    another driver or of another version than the installed one proves nothing.

    Returns:
        `bronze`, `silver`, `gold`, or nothing.
    """
    top, *inner = point.value.partition(":")[0].strip().split(".")
    try:
        spec = find_spec(top)  # of a top-level name: imports nothing
        places = list(spec.submodule_search_locations or ()) if spec else []
        for place in places:
            for depth in range(len(inner), -1, -1):
                file = Path(place, *inner[:depth], REPORT_NAME)
                if file.is_file():
                    return _claimed(file, point)
    except Exception:  # a finder of the plugin's own, a file that nobody may read
        return ""
    return ""


def _claimed(file: Path, point: EntryPoint) -> str:
    report = msgspec.json.decode(file.read_bytes(), type=_Report)
    installed = report.version in ("", distribution_of(point)[1])
    known = report.kind == point.name and report.level in _LEVELS
    return report.level if known and installed else ""
