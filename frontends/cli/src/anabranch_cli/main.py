"""The program: global options, and how every run of it ends.

Nothing heavy is imported here: each command imports what it needs when it is invoked, so that
`anabranch --help` and completion cost little more than Python itself. Imports inside functions,
here and in the other modules, have this one reason.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from itertools import islice
from types import FrameType
from typing import Annotated, Final

import typer

from anabranch_cli.groups import Root
from anabranch_cli.session import ExitCode, OutputClosed, Session, tell

__all__ = ["app", "invoke", "run"]

_ANYWHERE: Final = ("-v", "-vv", "--verbose", "--no-color")

app = typer.Typer(
    cls=Root,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 complete; 3 some cloud failed, but as many answered as --require wants; "
        "4 fewer did; 2 wrong usage or configuration; 1 an operation failed; 130 interrupted; "
        "143 terminated."
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"anabranch {version('anabranch')}\n")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    config: Annotated[
        str | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="Configuration to use; otherwise ANABRANCH_CONFIG, ./anabranch.yaml, "
            "or the one in your configuration directory.",
        ),
    ] = None,
    verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            metavar="",
            show_default=False,
            help="Log to stderr; -vv: more, and tracebacks.",
        ),
    ] = 0,
    no_color: Annotated[
        bool,
        typer.Option("--no-color", help="No colours, not even on a terminal; as NO_COLOR does."),
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Tell the version."),
    ] = False,
) -> None:
    """Every IaaS cloud you run, in one call.

    List and run machines, disks, networks on all clouds of your configuration at once.
    """
    ctx.obj = Session(config, verbose, colour=not (no_color or os.environ.get("NO_COLOR")))
    ctx.obj.set_up_logging()


def run() -> None:
    """Be the program `anabranch`."""
    terminated = False

    def terminate(number: int, frame: FrameType | None) -> None:
        """Let SIGTERM cancel what is under way as Ctrl-C does: nothing stays half done."""
        nonlocal terminated
        terminated = True
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a script's `anabranch … &` has
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGTERM, terminate)
    code = invoke(sys.argv[1:])
    sys.exit(ExitCode.TERMINATED if terminated and code == ExitCode.INTERRUPTED else code)


def invoke(arguments: Sequence[str]) -> int:
    """Run a command line, and return its exit code; every error is told in one line."""
    arguments = _hoisted(arguments)
    verbosity = sum(a.count("v") for a in arguments if a in ("-v", "-vv", "--verbose"))
    try:
        code: object = app(arguments, standalone_mode=False, prog_name="anabranch")
        sys.stdout.flush()
    except (OutputClosed, BrokenPipeError):
        return _closed()
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except typer.Abort:
        return ExitCode.INTERRUPTED
    except typer.TyperException as exc:
        return _misused(exc)
    except Exception as exc:
        return _failed(exc, verbosity)
    return code if isinstance(code, int) else ExitCode.COMPLETE


def _hoisted(arguments: Sequence[str]) -> list[str]:
    """Let the global options stand anywhere, as most people write them."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    first: list[str] = []
    others: list[str] = []
    words = iter(arguments[:end])
    for word in words:
        if word == "--config":
            first += [word, *islice(words, 1)]
        elif word in _ANYWHERE or word.startswith("--config="):
            first.append(word)
        else:
            others.append(word)
    return [*first, *others, *arguments[end:]]


def _closed() -> int:
    """Whoever reads our output has gone; as quiet as the tools that die of SIGPIPE."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.PIPE_CLOSED


def _misused(exc: typer.TyperException) -> int:
    message = exc.format_message()
    if type(exc).__name__ == "NoArgsIsHelpError":
        sys.stderr.write(f"{message}\n")
        return ExitCode.MISUSED
    context: typer.Context | None = getattr(exc, "ctx", None)
    path = context.command_path if context else "anabranch"
    end = "" if message.endswith("?") else "."
    tell(f"error: {message.rstrip('.')}{end} See: {path} --help")
    return ExitCode.MISUSED


def _failed(exc: Exception, verbosity: int) -> int:
    from anabranch import AnabranchError, ConfigurationError, PluginError, RequirementNotMet

    if verbosity > 1:
        import traceback

        traceback.print_exception(exc)
    if isinstance(exc, AnabranchError):
        tell(f"error: {exc}")
        if isinstance(exc, (ConfigurationError, PluginError)):
            return ExitCode.MISUSED
        return ExitCode.NOT_MET if isinstance(exc, RequirementNotMet) else ExitCode.FAILED
    hint = "" if verbosity > 1 else "; run with -vv for the traceback"
    tell(f"error: {type(exc).__name__}: {exc}{hint}")
    return ExitCode.FAILED
