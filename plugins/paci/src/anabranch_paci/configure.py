"""Settings that the types of their fields alone do not check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from anabranch.errors import ConfigurationError
from anabranch.settings import to_settings
from anabranch_paci.settings import PaciSettings, ProfileSettings, SizeRange

__all__ = ["configure"]


def configure(cloud: str, entry: Mapping[str, Any]) -> PaciSettings:
    """Make the settings of a cloud.

    Raises:
        ConfigurationError: names cloud, field and what would be right.
    """
    settings = to_settings(PaciSettings, entry, cloud=cloud)
    try:
        parts = urlsplit(settings.endpoint)
        odd = not parts.hostname or bool(parts.query or parts.fragment or parts.port == 0)
    except ValueError:
        raise _wrong(cloud, "endpoint", "is no URL", "Write http://HOST:PORT") from None
    if parts.username is not None or parts.password is not None:
        msg = "holds a user or a password"
        raise _wrong(cloud, "endpoint", msg, "Put those under username and password")
    if odd:
        raise _wrong(cloud, "endpoint", "is no URL of an API", "Write http://HOST:PORT")
    if ":" in settings.username:
        raise _wrong(cloud, "username", "holds a colon, which a login cannot", "Correct it")
    _check_profiles(cloud, settings.hardware_profiles)
    return settings


def _check_profiles(cloud: str, profiles: tuple[ProfileSettings, ...]) -> None:
    seen: set[str] = set()
    for index, profile in enumerate(profiles):
        at = f"hardware_profiles[{index}]"
        if profile.name in seen:
            msg = f"{profile.name!r} is there twice"
            raise _wrong(cloud, f"{at}.name", msg, "Give each profile a name of its own")
        seen.add(profile.name)
        for name in ("cpu", "memory_mib", "storage_gb"):
            size = getattr(profile, name)
            if isinstance(size, SizeRange) and not size.first <= size.value <= size.last:
                msg = f"{size.value} is not within {size.first} to {size.last}"
                raise _wrong(cloud, f"{at}.{name}", msg, "Let first <= value <= last")


def _wrong(cloud: str, field: str, message: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(message, cloud=cloud, field=field, remedy=remedy)
