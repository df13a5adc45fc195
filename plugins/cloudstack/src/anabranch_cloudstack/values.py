"""Values as CloudStack writes them: numbers that may be texts, times, sizes, tags."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from anabranch_cloudstack import wire

__all__ = ["GIB", "gib", "number", "tags_of", "utc"]

GIB: Final = 1024**3


def number(value: float | str | None) -> int | None:
    """Read a whole number; None: there is none."""
    try:
        return int(float(value)) if value is not None else None
    except (ValueError, OverflowError):
        return None


def utc(text: str | None) -> datetime | None:
    """Read `2026-11-22T14:43:19+0000`; None: it is no such time."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def gib(size: int | None) -> float | int | None:
    """Bytes in GiB, a whole number where it is one."""
    if size is None:
        return None
    return size // GIB if size % GIB == 0 else size / GIB


def tags_of(tags: Iterable[wire.Tag] | None) -> dict[str, str]:
    """Return names and values."""
    return {tag.key: tag.value or "" for tag in tags} if tags else {}
