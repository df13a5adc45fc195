"""Accounts that come with each request: a user in a project, or an application credential."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch.settings import check_login, check_provider_url

__all__ = ["account"]

_PROVIDER: Final = "https://HOST:PORT/v3, or https://HOST:PORT/v3;REGION"
_FORM: Final = "[DOMAIN/]USER+[DOMAIN/]PROJECT, or the id of an application credential"
_CREDENTIAL_ID: Final = re.compile("[0-9a-f]{32}")


def account(provider: str, user: str, password: SecretStr) -> Mapping[str, Any]:
    """Return the entry of an account.

    Args:
        provider: URL of keystone, or `URL;REGION`, as Apache Deltacloud had it.
        user: `USER+PROJECT`, as Apache Deltacloud had it; before each name may stand its domain
            and a slash. The last plus separates, and in each half the first slash. A plus in the
            name of the project, a slash in a name without a domain, and a percent sign before two
            hexadecimal digits are percent-encoded (`%2B`, `%2F`, `%25`). The domain of a project
            that has none is the user's; the user's is `default`. Without a plus: the id of an
            application credential, 32 hexadecimal digits.
        password: Password of the user, or secret of the application credential.

    Raises:
        ConfigurationError: a part is missing, or not written so.
    """
    url, _, region = provider.partition(";")
    check_provider_url(url if region.isprintable() else provider, _PROVIDER)
    check_login(user, password)
    auth = {"auth_url": url, **_login(user, password)}
    return {"auth": auth, "region_name": region} if region else {"auth": auth}


def _login(user: str, password: SecretStr) -> dict[str, Any]:
    who, plus, project = user.rpartition("+")
    if not plus:
        if not _CREDENTIAL_ID.fullmatch(user):
            raise _wrong("names no project")
        return {"application_credential_id": user, "application_credential_secret": password}
    user_domain, username = _domain_and_name(who)
    project_domain, project_name = _domain_and_name(project)
    domains = {
        "user_domain_name": user_domain,
        "project_domain_name": project_domain or user_domain,
    }
    return {
        "username": username,
        "password": password,
        "project_name": project_name,
        **{field: domain for field, domain in domains.items() if domain},
    }


def _domain_and_name(text: str) -> tuple[str, str]:
    """Read `DOMAIN/NAME` or `NAME`; the domain may be nothing, the name may not."""
    domain, slash, name = text.partition("/")
    try:
        parts = [unquote(part, errors="strict") for part in (domain, name)]
    except UnicodeDecodeError:
        raise _wrong("is not UTF-8 where it is percent-encoded") from None
    found = (parts[0], parts[1]) if slash else ("", parts[0])
    if not all(found if slash else found[1:]) or not "".join(found).isprintable():
        raise _wrong("has a name that is empty, or not printable")
    return found


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError(message, field="user", remedy=f"Write {_FORM}")
