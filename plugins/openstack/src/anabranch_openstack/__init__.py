"""The OpenStack driver of Anabranch."""

from __future__ import annotations

from anabranch_openstack.driver import driver

__all__ = ["driver"]
