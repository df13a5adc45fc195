"""Accounts that come with each request: endpoint and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anabranch.redaction import SecretStr
from anabranch.settings import check_login, check_provider_url

__all__ = ["account"]


def account(provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
    """Return the entry of an account.

    Args:
        provider: URL of the API, with its path.
        user: API key of the user.
        password: Secret key of the user.

    Raises:
        ConfigurationError: a part is missing, or not written so.
    """
    check_provider_url(provider, "https://HOST/client/api")
    check_login(user, password)
    return {"endpoint": provider, "key": SecretStr(user), "secret": password}
