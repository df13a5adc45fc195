"""What `demo` and `simulate` share: keeping on until somebody wants it to end."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Generator, Iterable
from types import FrameType

from anabranch_cli.session import ExitCode, tell

__all__ = ["interruptible", "lacking", "show", "wait"]


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """Let SIGTERM end the block as Ctrl-C does, so that what was begun is taken back."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
