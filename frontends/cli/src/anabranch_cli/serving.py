"""What `demo` and `simulate` share: serving on until somebody wants it to end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from anabranch_cli.session import ExitCode, tell

if TYPE_CHECKING:
    from anabranch.testing.simulation import Simulator

__all__ = ["lacking", "show", "usable_simulators", "wait"]


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


def usable_simulators() -> Mapping[str, Simulator]:
    """Return the simulators that are installed, by kind, and tell of those that cannot be used.

    Raises:
        LookupError: there are some, and none can be used.
    """
    from anabranch.testing.fleet import simulated_kinds, simulator

    found: dict[str, Simulator] = {}
    wrong: list[str] = []
    for kind in simulated_kinds():
        try:
            found[kind] = simulator(kind)
        except LookupError as exc:
            wrong.append(str(exc))
    if wrong and not found:
        raise LookupError(wrong[0])
    for message in wrong:
        tell(message)
    return found
