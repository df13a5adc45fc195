"""The settings of a CloudStack cloud."""

from __future__ import annotations

from anabranch.settings import CloudSettings

__all__ = ["CloudStackSettings"]


class CloudStackSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for a CloudStack cloud."""
