"""A driver with clouds made of memory, for tests and demonstrations."""

from __future__ import annotations

from anabranch_mock.driver import driver

__all__ = ["driver"]
