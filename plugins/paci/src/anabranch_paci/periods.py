"""Spans of time, as the platform wants them in paths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["period"]


def period(back: timedelta) -> tuple[str, str]:
    """Return the two ends of the span that ends now, in UTC, to the minute.

    It ends a minute late, so that what happened in this minute is within.
    """
    now = datetime.now(UTC)
    return _minute(now - back), _minute(now + timedelta(minutes=1))


def _minute(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC")
