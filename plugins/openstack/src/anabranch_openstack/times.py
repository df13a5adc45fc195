"""Times as the services write them."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["utc"]


def utc(value: datetime | None) -> datetime | None:
    """Return a time in UTC: nova, cinder and swift write some without a zone, and mean UTC."""
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
