"""Finds the cloud that the user has configured for OpenNebula's own tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import anyio.to_thread

from anabranch.errors import ConfigurationError
from anabranch.hooks import DiscoveredCloud
from anabranch_opennebula.auth_file import auth_path, endpoint_of, read_login

__all__ = ["find_clouds"]

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


async def find_clouds(environment: Mapping[str, str]) -> list[DiscoveredCloud]:
    """Return the entry of the cloud that ONE_AUTH and ONE_XMLRPC, or ~/.one, describe.

    It names the file that holds the password, and no password.

    Raises:
        ConfigurationError: a file cannot be read.
    """
    return await anyio.to_thread.run_sync(_find, environment)


def _find(environment: Mapping[str, str]) -> list[DiscoveredCloud]:
    path = auth_path(environment)
    if not environment.get("ONE_AUTH") and not path.is_file():
        return []
    read_login(path)
    endpoint = endpoint_of(environment)
    host = urlsplit(endpoint).netloc
    if "@" in host:
        raise ConfigurationError(
            "the endpoint of OpenNebula has a login in it, which it does not take",
            remedy=f"Put the login into {path}",
        )
    name = _NOT_IN_NAMES.sub("-", host.partition(":")[0]).strip("-._")[:64]
    return [
        DiscoveredCloud(
            name="opennebula" if name in ("", "localhost", "127.0.0.1") else name,
            entry={"driver": "opennebula", "endpoint": endpoint, "auth_file": str(path)},
            source=str(path),
        )
    ]
