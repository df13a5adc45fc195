"""The PACI driver of Anabranch."""

from __future__ import annotations

from anabranch_paci.driver import driver

__all__ = ["driver"]
