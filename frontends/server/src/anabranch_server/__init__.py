"""Anabranch over HTTP: every cloud you run behind one API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anabranch_server.access import Access, Credentials
    from anabranch_server.application import Application

__all__ = ["Access", "Application", "Credentials"]


def __getattr__(name: str) -> Any:
    """Import what is asked for; the program imports this package for each of its help texts."""
    if name == "Application":
        from anabranch_server.application import Application

        return Application
    if name in __all__:
        from anabranch_server import access

        return getattr(access, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
