"""Spans of time, as the platform wants them in paths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["period"]


def period(back: timedelta, ahead: timedelta = timedelta(minutes=1)) -> tuple[str, str]:
    """Return the two ends of the span around now, in UTC, to the minute.

    Args:
        back: How long ago it begins.
        ahead: How long after now it ends; a minute, so that what happened in this one is within.
    """
    now = datetime.now(UTC)
    return _minute(now - back), _minute(now + ahead)


def _minute(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC")
