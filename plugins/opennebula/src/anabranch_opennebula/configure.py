"""The settings of a cloud, by way of the file that holds the login if the entry names one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from anabranch.errors import ConfigurationError
from anabranch.redaction import SecretStr
from anabranch.settings import to_settings
from anabranch_opennebula.auth_file import expanded, read_login
from anabranch_opennebula.settings import OpenNebulaSettings

__all__ = ["configure"]


def configure(
    cloud: str, entry: Mapping[str, Any], environment: Mapping[str, str]
) -> OpenNebulaSettings:
    """Make the settings of a cloud; what the entry says goes before what the file says.

    Raises:
        ConfigurationError: a field is wrong, or user or password is missing.
    """
    settings = to_settings(OpenNebulaSettings, entry, cloud=cloud)
    names = Counter(profile.name for profile in settings.hardware_profiles)
    for name, count in names.items():
        if count > 1:
            raise ConfigurationError(
                f"there are {count} profiles named {name!r}", cloud=cloud, field="hardware_profiles"
            )
    if settings.auth_file and not (settings.username and settings.password):
        user, password = read_login(expanded(settings.auth_file, environment), cloud=cloud)
        if settings.username not in (None, user):
            raise ConfigurationError(
                f"{settings.auth_file} is of another user", cloud=cloud, field="username"
            )
        settings = msgspec.structs.replace(settings, username=user, password=SecretStr(password))
    for field in ("username", "password"):
        if not getattr(settings, field):
            raise ConfigurationError(
                "is required", cloud=cloud, field=field, remedy="Add it, or auth_file instead"
            )
    if ":" in (settings.username or ""):
        raise ConfigurationError("a user name has no colon", cloud=cloud, field="username")
    return settings
