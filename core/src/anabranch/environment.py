"""Environment variables as configuration, read by pydantic-settings.

A module of its own because importing it costs more CPU than listing ten clouds: it is imported
only when such a variable is set.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["EnvironmentSettings", "overrides"]


class EnvironmentSettings(BaseSettings):
    """What `ANABRANCH_…` variables say; `__` separates the levels. Values are checked later."""

    model_config = SettingsConfigDict(
        env_prefix="ANABRANCH_", env_nested_delimiter="__", extra="ignore"
    )

    clouds: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    timeout: float | None = None
    require: int | str | None = None


def overrides() -> dict[str, Any]:
    """Return what is set, as a nested mapping to lay over the file's.

    Raises:
        ConfigurationError: a value cannot be read.
    """
    return EnvironmentSettings().model_dump(exclude_unset=True)
