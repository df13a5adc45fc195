"""The settings of a PACI cloud."""

from __future__ import annotations

from anabranch.settings import CloudSettings

__all__ = ["PaciSettings"]


class PaciSettings(CloudSettings, frozen=True, kw_only=True):
    """What can be set for a PACI cloud."""
