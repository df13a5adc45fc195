"""The settings of a OpenNebula cloud."""

from __future__ import annotations

from anabranch.settings import CloudSettings

__all__ = ["OpenNebulaSettings"]


class OpenNebulaSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for a OpenNebula cloud."""
