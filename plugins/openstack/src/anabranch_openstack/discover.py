"""Finds the clouds that the user has configured for OpenStack's own tools."""

from __future__ import annotations

import re
from collections.abc import Mapping

import anyio.to_thread

from anabranch.hooks import DiscoveredCloud
from anabranch_openstack.clouds_yaml import ENVVARS, from_environment, load

__all__ = ["find_clouds"]

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


async def find_clouds(environment: Mapping[str, str]) -> list[DiscoveredCloud]:
    """Return an entry for each cloud of clouds.yaml, and one for OS_*; none repeats a secret.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    return await anyio.to_thread.run_sync(_find, environment)


def _find(environment: Mapping[str, str]) -> list[DiscoveredCloud]:
    found: list[DiscoveredCloud] = []
    file = load(environment)
    if file is not None:
        for name in file.clouds:
            entry = {"driver": "openstack", "cloud": name}
            if not file.usual:
                entry["clouds_file"] = str(file.path)
            found.append(
                DiscoveredCloud(name=_cloud_name(name), entry=entry, source=str(file.path))
            )
    if from_environment(environment).get("auth", {}).get("auth_url"):
        entry = {"driver": "openstack", "cloud": ENVVARS}
        found.append(
            DiscoveredCloud(name=ENVVARS, entry=entry, source="environment variables OS_*")
        )
    return found


def _cloud_name(name: str) -> str:
    return _NOT_IN_NAMES.sub("-", name).strip("-._")[:64] or "openstack"
