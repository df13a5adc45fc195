"""Finds the clouds that the user has configured for `cs`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import anyio.to_thread

from anabranch.hooks import DiscoveredCloud
from anabranch_cloudstack.ini import ENVVARS, from_environment, load

__all__ = ["find_clouds"]

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_NEEDED: Final = ("endpoint", "key", "secret")


async def find_clouds(environment: Mapping[str, str]) -> list[DiscoveredCloud]:
    """Return an entry for each usable section of cloudstack.ini, and one for CLOUDSTACK_*.

    None repeats a secret.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    return await anyio.to_thread.run_sync(_find, environment)


def _find(environment: Mapping[str, str]) -> list[DiscoveredCloud]:
    found: list[DiscoveredCloud] = []
    for name, section in load(environment).items():
        if not all(section.values.get(key) for key in _NEEDED):
            continue
        entry = {"driver": "cloudstack", "region": name}
        if not section.usual:
            entry["config_file"] = str(section.path)
        found.append(DiscoveredCloud(name=_cloud_name(name), entry=entry, source=str(section.path)))
    variables = from_environment(environment)
    if all(key in variables for key in _NEEDED):
        entry = {"driver": "cloudstack", "region": ENVVARS}
        source = "environment variables CLOUDSTACK_*"
        found.append(DiscoveredCloud(name=ENVVARS, entry=entry, source=source))
    return found


def _cloud_name(name: str) -> str:
    return _NOT_IN_NAMES.sub("-", name).strip("-._")[:64] or "cloudstack"
