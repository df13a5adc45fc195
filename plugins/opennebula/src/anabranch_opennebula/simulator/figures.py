"""Numbers in the texts that users write."""

from __future__ import annotations

import math
import re

__all__ = ["amount", "listed", "whole"]

_WHOLE = re.compile(r"[0-9]{1,15}")


def whole(text: str) -> int | None:
    """A whole number from 0 on; nothing if the text is none."""
    return int(text) if _WHOLE.fullmatch(text) else None


def amount(text: str) -> float:
    """A number; 0 if the text is none, or not a finite one."""
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def listed(text: str) -> list[int]:
    """The whole numbers in a list such as `0,100`; what is none is left out."""
    return [n for part in text.split(",") if (n := whole(part.strip())) is not None]
