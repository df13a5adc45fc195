"""A driver for a platform that does not exist; what the conformance kit is tested with."""

from .driver import AcmeDriver, driver

__all__ = ["AcmeDriver", "driver"]
