"""The CloudStack driver of Anabranch."""

from __future__ import annotations

from anabranch_cloudstack.driver import driver

__all__ = ["driver"]
