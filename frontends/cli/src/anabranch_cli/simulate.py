"""`anabranch simulate`: a fleet of simulated clouds for people to test their own automation on."""

from __future__ import annotations

import contextlib
import inspect
import keyword
import re
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from anabranch_cli.columns import Column
from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.options import Format, FormatOption, View
from anabranch_cli.serving import lacking, show, usable_simulators, wait
from anabranch_cli.session import ExitCode, session, tell
from anabranch_cli.signing import sign
from anabranch_cli.writing import as_yaml, write_new

if TYPE_CHECKING:
    from anabranch.testing import Fleet

__all__ = ["OPTIONS", "app", "simulate"]

app = sub_application(MODULES["simulate"])

_OPTION: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
OPTIONS: Final[Mapping[str, tuple[Any, Any]]] = {
    "instances": (
        Annotated[
            int, typer.Option("--instances", min=0, metavar="N", help="Instances of each cloud.")
        ],
        10,
    ),
    "odd": (
        Annotated[bool, typer.Option("--odd", help="Add instances with odd data to each cloud.")],
        False,
    ),
    "latency": (
        Annotated[
            float,
            typer.Option("--latency", min=0, metavar="SECONDS", help="What each request takes."),
        ],
        0.0,
    ),
    "state_delay": (
        Annotated[
            float,
            typer.Option(
                "--state-delay", min=0, metavar="SECONDS", help="What booting, stopping … takes."
            ),
        ],
        0.0,
    ),
    "page_size": (
        Annotated[
            int | None,
            typer.Option("--page-size", min=1, metavar="N", help="Most items of a page."),
        ],
        None,
    ),
    "fault": (
        Annotated[
            list[str] | None,
            typer.Option(
                "--fault",
                metavar="[CLOUD=]FAULT",
                help="What goes wrong: KIND[xTIMES][:[METHOD ]PATH], of all clouds, of one, or of "
                "a kind. May be repeated.",
            ),
        ],
        None,
    ),
    "port": (
        Annotated[
            int | None,
            typer.Option(
                "--port",
                min=1,
                max=65535,
                metavar="N",
                help="Port of the first cloud; the others follow. Otherwise any that are free.",
            ),
        ],
        None,
    ),
    "write": (
        Annotated[
            str | None,
            typer.Option(
                "--write",
                metavar="FILE",
                help="New file for the configuration, which is kept; otherwise a temporary one.",
            ),
        ],
        None,
    ),
    "seconds": (
        Annotated[
            float | None,
            typer.Option(
                "--for", min=0, metavar="SECONDS", help="End after that; otherwise at Ctrl-C."
            ),
        ],
        None,
    ),
    "format": (FormatOption, Format.TABLE),
}
"""The options beside those that are the kinds of clouds."""


def simulate(ctx: typer.Context, **values: Any) -> int:
    """Serve simulated clouds on loopback until Ctrl-C, and write the configuration for them.

    Each speaks its platform's own wire protocol, so that any client of the platform can use it.
    Without a number for any platform there is one cloud of each. Nothing leaves this machine.

    KIND of a fault is hang, reset, lost (done, but the reply is cut off), garbage, 401, 403, 404,
    409, 429, 500 or 503: --fault 429x3, --fault openstack=503:/servers,
    --fault 'paci-1=lostx1:POST /ve'.

    At the end it tells how often each cloud was asked.
    """
    try:
        fleet = _fleet(values)
    except ModuleNotFoundError as exc:
        return lacking(f"{exc.name} is not installed")
    except LookupError as exc:
        return lacking(str(exc))
    _break(fleet, values["fault"] or ())
    ended = contextlib.suppress(KeyboardInterrupt)
    with ended, contextlib.ExitStack() as stack:
        try:
            stack.enter_context(fleet.serving(port=values["port"]))
        except OSError as exc:
            from anabranch import ConfigurationError

            raise ConfigurationError(str(exc.strerror or exc), field="--port") from None
        text = f"# Simulated, while `anabranch simulate` runs\n{as_yaml(fleet.document())}"
        if path := values["write"]:
            write_new(path, text)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="anabranch-"))
            path = str(Path(folder) / "anabranch.yaml")
            write_new(path, text)
        _show(ctx, fleet, View(values["format"]))
        if path != "-":
            show(("", "in another terminal:", "", f"  export ANABRANCH_CONFIG={path}", ""))
        wait(values["seconds"])
    for name, cloud in fleet.clouds.items():
        by_method = ", ".join(f"{method} {n}" for method, n in cloud.requests.totals.items())
        tell(f"{name}: {cloud.requests.total} requests" + (f" ({by_method})" if by_method else ""))
    return ExitCode.COMPLETE


def _fleet(values: Mapping[str, Any]) -> Fleet:
    from anabranch.testing.fleet import Fleet, simulated_kinds
    from anabranch.testing.simulation import Behaviour

    kinds = simulated_kinds()
    if not kinds:
        raise LookupError("no simulator is installed")
    behaviour = Behaviour(
        latency=values["latency"],
        state_delay=values["state_delay"],
        page_size=values["page_size"],
    )
    wanted = {kind: values.get(_parameter(kind) or "") for kind in kinds}
    counts = {kind: count for kind, count in wanted.items() if count is not None}
    return Fleet.of(
        counts or dict.fromkeys(usable_simulators(), 1),
        instances=values["instances"],
        behaviour=behaviour,
        odd=values["odd"],
    )


def _break(fleet: Fleet, faults: Sequence[str]) -> None:
    from anabranch import ConfigurationError

    for text in faults:
        cloud, equals, fault = text.partition("=")
        if not equals or ":" in cloud:  # no sign of a cloud, or one that belongs to the path
            cloud, fault = "", text
        try:
            fleet.break_with([fault], where=cloud)
        except (LookupError, ValueError) as exc:
            raise ConfigurationError(str(exc), field="--fault") from None


def _show(ctx: typer.Context, fleet: Fleet, view: View) -> None:
    from anabranch_cli.render import render_items

    columns = [Column(name, name) for name in ("name", "driver", "url")]
    items = [
        {"name": name, "driver": fleet[name].kind, "url": url} for name, url in fleet.urls.items()
    ]
    render_items(session(ctx), items, view, columns)


def _kinds() -> list[str]:
    try:
        # Not asked of core, which would be imported for every list of commands.
        return sorted({point.name for point in entry_points(group="anabranch.simulators")})
    except Exception:  # the entry points of some distribution, of anybody's, cannot be read
        from anabranch.testing.fleet import simulated_kinds

        return list(simulated_kinds())


def _parameter(kind: str) -> str | None:
    """Return the parameter for a kind; None if no option can be called so, or one is already."""
    name = kind.replace("-", "_")
    taken = name in (*OPTIONS, "ctx", "help") or keyword.iskeyword(name)
    return name if _OPTION.fullmatch(kind) and not taken else None


def _signature() -> dict[str, tuple[Any, Any]]:
    """Return the options: a number for each platform that has a simulator here, and the rest."""
    signature: dict[str, tuple[Any, Any]] = {"ctx": (typer.Context, inspect.Parameter.empty)}
    for kind in _kinds():
        if (name := _parameter(kind)) is None:  # of such a kind there is one cloud or none
            continue
        option = typer.Option(f"--{kind}", min=0, metavar="N", help=f"So many {kind} clouds.")
        signature[name] = Annotated[int | None, option], None
    return signature | dict(OPTIONS)


sign(simulate, _signature())
app.command()(simulate)
