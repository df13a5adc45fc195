"""The OpenNebula driver of Anabranch."""

from __future__ import annotations

from anabranch_opennebula.driver import driver

__all__ = ["driver"]
