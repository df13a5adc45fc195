"""Environment variables as configuration, read by pydantic-settings.

A module of its own because importing it costs half of what listing ten clouds does: it is
imported only when such a variable is set.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from anabranch.errors import ConfigurationError

__all__ = ["EnvironmentSettings", "overrides"]


class EnvironmentSettings(BaseSettings):
    """What `ANABRANCH_…` variables say; `__` separates the levels. Values are checked later.

    A list is written as a JSON array.
    """

    model_config = SettingsConfigDict(
        env_prefix="ANABRANCH_", env_nested_delimiter="__", extra="ignore"
    )

    clouds: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    timeout: str | None = None
    require: str | None = None
    plugins: dict[str, Any] = Field(default_factory=dict[str, Any])


def overrides() -> dict[str, Any]:
    """Return what is set, as a nested mapping to lay over the file's.

    Raises:
        ConfigurationError: a value cannot be read.
    """
    try:
        found = EnvironmentSettings()
    except ValidationError as exc:  # its text quotes the value, which may be a secret
        where = "__".join(str(step) for step in exc.errors()[0]["loc"]).upper()
        raise ConfigurationError(f"ANABRANCH_{where} is no mapping of settings") from None
    except SettingsError as exc:  # its text names the field in quotes
        field = next((f for f in EnvironmentSettings.model_fields if f'"{f}"' in str(exc)), "…")
        raise ConfigurationError(f"ANABRANCH_{field.upper()} is no JSON object") from None
    listed: dict[str, Any] = _with_lists(found.model_dump(exclude_unset=True))
    return listed


def _with_lists(value: Any) -> Any:
    """Read texts that are JSON arrays; all else stays text, and is converted where it belongs."""
    if isinstance(value, dict):
        return {k: _with_lists(v) for k, v in cast("dict[str, Any]", value).items()}
    if isinstance(value, str) and value.startswith("["):
        try:
            return msgspec.json.decode(value)
        except msgspec.DecodeError:
            return value
    return value
