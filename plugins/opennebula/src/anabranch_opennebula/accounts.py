"""Accounts that come with each request: endpoint, user and password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anabranch.redaction import SecretStr
from anabranch.settings import check_login, check_provider_url

__all__ = ["account"]


def account(provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
    """Return the entry of an account.

    Args:
        provider: URL of the XML-RPC API, with its path.
        user: Name of the user.
        password: Password of the user, or a login token.

    Raises:
        ConfigurationError: a part is missing, or not written so.
    """
    check_provider_url(provider, "http://HOST:2633/RPC2")
    check_login(user, password)
    return {"endpoint": provider, "username": user, "password": password}
