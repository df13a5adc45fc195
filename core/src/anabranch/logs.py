"""Structured events, secrets redacted.

The library configures no logging. Where the host program has configured structlog, events go
there; otherwise they go to the standard logger `anabranch` in structlog's rendering. Either way
the level of that standard logger decides first, so that an event nobody wants costs nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from anabranch.redaction import redact

__all__ = ["EventLog"]

_GATE: Final = logging.getLogger("anabranch")


class EventLog:
    """Emits events with fixed names and fields: `log.warning("cloud.call.failed", cloud=…)`."""

    __slots__ = ("_bound",)

    def __init__(self, **bound: object) -> None:
        """Take the fields that each event carries."""
        self._bound: Mapping[str, object] = bound

    def bind(self, **fields: object) -> EventLog:
        """Return a log whose events carry these fields as well."""
        return EventLog(**{**self._bound, **fields})

    def debug(self, event: str, **fields: object) -> None:
        """Emit what helps to find a fault."""
        self._emit(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Emit what an operator may want to know."""
        self._emit(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Emit what an operator should look at."""
        self._emit(logging.WARNING, event, fields)

    def _emit(self, level: int, event: str, fields: Mapping[str, object]) -> None:
        if not _GATE.isEnabledFor(level):
            return
        # Importing structlog costs 0.13 s of CPU: half of what listing ten clouds costs.
        import structlog

        redacted: dict[str, Any] = redact({**self._bound, **fields})
        safe = {name: _harmless(value) for name, value in redacted.items()}
        logger: Any = (
            structlog.get_logger("anabranch")
            if structlog.is_configured()
            else structlog.wrap_logger(_GATE, wrapper_class=structlog.stdlib.BoundLogger)
        )
        logger.log(level, event, **safe)


def _harmless(value: Any) -> Any:
    """Spell out what would tell a terminal to do something; lines are left to the renderer."""
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(c if c.isprintable() or c in "\t\r\n" else ascii(c)[1:-1] for c in value)
