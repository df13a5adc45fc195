"""Where OpenNebula's own tools keep the login and the endpoint: ONE_AUTH and ONE_XMLRPC."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from anabranch.errors import ConfigurationError

__all__ = ["DEFAULT_ENDPOINT", "auth_path", "endpoint_of", "expanded", "read_login"]

DEFAULT_ENDPOINT: Final = "http://localhost:2633/RPC2"


def expanded(path: str, environment: Mapping[str, str]) -> Path:
    """Return a path with `~` replaced by the home directory of `environment`."""
    home = environment.get("HOME") or str(Path.home())
    return Path(home, path[2:]) if path.startswith("~/") else Path(path)


def auth_path(environment: Mapping[str, str]) -> Path:
    """Return the file that holds the login."""
    return expanded(environment.get("ONE_AUTH") or "~/.one/one_auth", environment)


def endpoint_of(environment: Mapping[str, str]) -> str:
    """Return the URL of the API: of ONE_XMLRPC, of ~/.one/one_endpoint, or on this machine.

    Raises:
        ConfigurationError: the file cannot be read.
    """
    if given := environment.get("ONE_XMLRPC", "").strip():
        return given
    path = expanded("~/.one/one_endpoint", environment)
    return (_text(path).strip() if path.is_file() else "") or DEFAULT_ENDPOINT


def read_login(path: Path, *, cloud: str | None = None) -> tuple[str, str]:
    """Read user and password, or user and token, from a file.

    Raises:
        ConfigurationError: it cannot be read, or holds no `user:password`.
    """
    lines = _text(path, cloud).splitlines()
    user, colon, password = (lines[0] if lines else "").strip().partition(":")
    if not user or not colon or not password:
        raise ConfigurationError(
            f"{path} does not hold a line like user:password", cloud=cloud, field="auth_file"
        )
    return user, password


def _text(path: Path, cloud: str | None = None) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as exc:
        reason = getattr(exc, "strerror", None) or "it is no text"
        raise ConfigurationError(
            f"{path} cannot be read: {reason}", cloud=cloud, field="auth_file"
        ) from exc
