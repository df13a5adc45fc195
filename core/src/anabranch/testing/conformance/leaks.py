"""How many sockets the process has open."""

from __future__ import annotations

import gc
import os
import stat
from contextlib import suppress
from typing import Final

__all__ = ["open_sockets"]

_DESCRIPTORS: Final = "/dev/fd"


def open_sockets() -> int:
    """Return how many sockets are open now; 0 where the system does not tell (Windows)."""
    gc.collect()
    try:
        names = os.listdir(_DESCRIPTORS)
    except OSError:
        return 0
    found = 0
    for name in names:
        with suppress(OSError):
            found += stat.S_ISSOCK(os.fstat(int(name)).st_mode)
    return found
