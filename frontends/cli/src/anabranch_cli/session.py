"""What all commands share: the global options, the configuration, and where words go."""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, TextIO

import typer

if TYPE_CHECKING:
    from anabranch import Configuration

__all__ = [
    "ExitCode",
    "OutputClosed",
    "Session",
    "harmless",
    "sentence",
    "session",
    "tell",
    "write",
]

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_MANY: Final = 50


class ExitCode(enum.IntEnum):
    """How the program ends."""

    COMPLETE = 0
    FAILED = 1
    MISUSED = 2
    INCOMPLETE = 3
    NOT_MET = 4
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


class OutputClosed(Exception):
    """Whoever read our output has gone."""


class Session:
    """The global options of one run.

    Attributes:
        config: File given by `--config`, or None.
        verbosity: How many `-v` were given.
        colour: Whether colours are allowed; they are used on terminals only.
    """

    def __init__(self, config: str | None, verbosity: int, *, colour: bool) -> None:
        self.config, self.verbosity, self.colour = config, verbosity, colour
        self._configuration: Configuration | None = None

    def set_up_logging(self) -> None:
        """Send events to stderr where `-v` asks for them, and nowhere otherwise."""
        import logging

        level = {0: logging.CRITICAL, 1: logging.INFO}.get(self.verbosity, logging.DEBUG)
        logging.getLogger("anabranch").setLevel(level)
        if not self.verbosity:
            return
        import structlog

        structlog.configure(
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="%H:%M:%S.%f", utc=False),
                structlog.dev.ConsoleRenderer(colors=self.colourful(sys.stderr)),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(level),
            logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        )

    def colourful(self, stream: TextIO) -> bool:
        """Whether colours go to a stream."""
        return self.colour and stream.isatty()

    def configuration(self) -> Configuration:
        """Return the configuration, read once.

        Raises:
            ConfigurationError: it cannot be read.
        """
        if self._configuration is None:
            from anabranch import load_configuration

            self._configuration = load_configuration(self.config)
        return self._configuration

    def clouds(
        self, names: Iterable[str] | None = None, drivers: Iterable[str] | None = None
    ) -> Configuration:
        """Read the configuration of the clouds that a command is about, at least one.

        Only these are kept, so that no other driver is imported.

        Raises:
            ConfigurationError: it cannot be read, there are no clouds in it, or not these.
        """
        configuration = self.configuration()
        if not configuration.clouds:
            from anabranch import ConfigurationError

            raise ConfigurationError(
                f"{configuration.source or 'there is no configuration, so it'} names no clouds",
                remedy="Begin with: anabranch clouds discover --write anabranch.yaml; "
                "or try it on simulated clouds: anabranch demo",
            )
        selected = configuration.select(names, drivers)
        if not selected.clouds:
            from anabranch import ConfigurationError

            raise ConfigurationError(
                "no cloud has both this name and this driver",
                remedy="Give --cloud or --driver, not both",
            )
        if len(selected.clouds) > _MANY:
            _allow_open_files()
        return selected

    def run(self, main: Callable[[], Awaitable[int]]) -> int:
        """Run the asynchronous part of a command, and return its exit code."""
        import anyio

        return anyio.run(main)


def session(ctx: typer.Context) -> Session:
    """Return the session that a command runs in."""
    found = ctx.find_object(Session)
    if found is None:
        raise RuntimeError("no session: the root command was not invoked")
    return found


def harmless(text: str) -> str:
    """Return text of others without what a terminal would obey."""
    return _CONTROLS.sub(lambda match: f"\\x{ord(match[0]):02x}", text)


def sentence(message: str, remedy: str = "", request_id: str | None = None) -> str:
    """Return what went wrong, what to do about it, and what to quote to the operators."""
    text = f"{message.rstrip('.')}. {remedy}" if remedy else message
    return f"{text} (request id {request_id})" if request_id else text


def tell(line: str) -> None:
    """Say one line to the person, on stderr."""
    one = harmless(" ".join(line.splitlines()))
    sys.stderr.write(f"anabranch: {one}\n")
    sys.stderr.flush()


def write(text: str) -> None:
    """Write data to stdout.

    Raises:
        OutputClosed: nobody reads it any more.
    """
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        raise OutputClosed from None
    except UnicodeEncodeError as exc:
        sys.stdout.write(text.encode(exc.encoding, "backslashreplace").decode(exc.encoding))


def _allow_open_files() -> None:
    """Many clouds need many sockets: take as many as the system lets us."""
    import contextlib

    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
