"""Accounts that come with each request: endpoint, login and password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anabranch.redaction import SecretStr
from anabranch.settings import check_login, check_provider_url

__all__ = ["account"]


def account(provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
    """Return the entry of an account.

    Args:
        provider: URL of the API.
        user: Login of the account; often an e-mail address.
        password: Password of the account, or an API key from its control panel.

    Raises:
        ConfigurationError: a part is missing, or not written so.
    """
    check_provider_url(provider, "http://HOST:PORT")
    check_login(user, password)
    return {"endpoint": provider, "username": user, "password": password}
