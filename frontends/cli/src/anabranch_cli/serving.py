"""What `demo` and `simulate` share: serving on until somebody wants it to end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

from anabranch_cli.session import ExitCode, tell

__all__ = ["lacking", "show", "wait"]


def wait(seconds: float | None = None) -> None:
    """Wait for so many seconds, or for Ctrl-C; what is served is served by another thread.

    Raises:
        KeyboardInterrupt: at Ctrl-C.
    """
    threading.Event().wait(seconds)


def show(lines: Iterable[str]) -> None:
    """Show lines to the person, on stderr, to be copied from there."""
    for line in lines:
        sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def lacking(what: str) -> int:
    """Tell that simulators are missing, and return the exit code."""
    tell(f"error: {what}. Install the simulators: pip install 'anabranch-cli[demo]'")
    return ExitCode.FAILED
