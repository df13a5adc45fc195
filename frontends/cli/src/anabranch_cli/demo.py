"""`anabranch demo`: simulated clouds on loopback, some of them broken, listed in one call."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.options import Format, View
from anabranch_cli.serving import lacking, show, usable_simulators, wait
from anabranch_cli.session import ExitCode, Session, sentence, session, tell
from anabranch_cli.writing import as_yaml, write_new

if TYPE_CHECKING:
    from anabranch import Answer, CloudReport
    from anabranch.testing import Fleet

__all__ = ["app", "demo"]

app = sub_application(MODULES["demo"])

_NAMES: Final = ("lisbon", "porto", "braga", "evora", "faro", "coimbra", "aveiro", "leiria")
_SLOW: Final = 1.2
_TIMEOUT: Final = 4.0
_FAILING: Final = ("broken", "refusing", "locked-out")
_SECRETS: Final = ("password", "secret")


@app.command()
def demo(
    ctx: typer.Context,
    once: Annotated[
        bool, typer.Option("--once", help="End after the listing instead of serving on.")
    ] = False,
    clouds: Annotated[
        int, typer.Option("--clouds", min=2, max=500, metavar="N", help="How many answer well.")
    ] = 5,
    instances: Annotated[
        int, typer.Option("--instances", min=0, max=5000, metavar="M", help="… with how many each.")
    ] = 4,
    format: Annotated[
        Format, typer.Option("--format", "-f", help="How to write the answer.")
    ] = Format.TABLE,
) -> int:
    """Start simulated clouds on loopback, and list the instances of all in one call.

    One cloud is slow, one in memory; one answers 503, one refuses connections and one rejects
    the password: the answer tells so, beside what the others have. Nothing leaves this machine.

    Then the clouds are served until Ctrl-C, for you to try the other commands on; --once ends
    after the listing. The exit code is 0 if the clouds that are meant to fail failed, and no
    other.
    """
    try:
        fleet = _fleet(clouds, instances)
    except ModuleNotFoundError as exc:
        return lacking(f"the demonstration needs {exc.name}")
    except LookupError as exc:
        return lacking(str(exc))
    with (
        fleet.serving(refuse=["refusing"]),
        tempfile.TemporaryDirectory(prefix="anabranch-demo-") as folder,
    ):
        file = Path(folder) / "anabranch.yaml"
        write_new(str(file), as_yaml(_document(fleet, instances)))
        here = session(ctx)
        shown = _show(Session(str(file), here.verbosity, colour=here.colour), View(format))
        if not once:
            _serve_on(file)
        return shown


def _fleet(count: int, instances: int) -> Fleet:
    """Make the clouds that answer, the platforms in turn, and those that do not."""
    from anabranch.testing import Behaviour, Fleet

    simulators = list(usable_simulators().values())
    if not simulators:
        raise LookupError("the demonstration needs simulators, and none is installed")
    behaviours: dict[str, Behaviour] = {}
    for index in range(count - 1):  # one more is in memory
        name = _NAMES[index] if index < len(_NAMES) else f"cloud-{index + 1}"
        latency = _SLOW / 4 if index == 1 else 0.01  # a listing takes about four requests
        behaviours[name] = Behaviour(latency=latency)
    behaviours |= {name: Behaviour() for name in _FAILING}
    behaviours["broken"].break_with(["503"])
    return Fleet(
        simulators[index % len(simulators)].cloud(name, instances=instances, behaviour=behaviour)
        for index, (name, behaviour) in enumerate(behaviours.items())
    )


def _document(fleet: Fleet, instances: int) -> dict[str, Any]:
    document = fleet.document()
    entries = document["clouds"]
    entries["locked-out"] = _spoilt(entries["locked-out"])
    entries["memory"] = {"driver": "mock", "dataset": "generated", "instances": instances}
    return {**document, "timeout": _TIMEOUT}


def _spoilt(entry: Any) -> Any:
    """Return settings with another password."""
    if not isinstance(entry, dict):
        return entry
    settings = cast("dict[str, Any]", entry)
    return {
        key: "not the password" if key in _SECRETS else _spoilt(value)
        for key, value in settings.items()
    }


def _show(here: Session, view: View) -> int:
    """List once, telling of each cloud when it answers, and check that it is as planned."""
    import anyio

    from anabranch import Answer, Broker

    configuration = here.clouds()
    tell(f"asking {len(configuration.clouds)} clouds for their instances, all at once …")

    async def main() -> Answer[Any]:
        async with Broker(configuration) as broker:
            items: list[Any] = []
            told: set[str] = set()
            started = time.perf_counter()
            async with broker.instances.stream() as arrivals:
                async for page in arrivals:
                    items += page.items
                    if page.cloud not in told:
                        told.add(page.cloud)
                        seconds = time.perf_counter() - started
                        who = f"{page.cloud} ({broker.clouds[page.cloud]})"
                        tell(f"  {seconds:5.2f} s  {who}: {len(page.items)} instances")
            tell(f"  {time.perf_counter() - started:5.2f} s  that was all")
            order = {name: index for index, name in enumerate(configuration.clouds)}
            items.sort(key=lambda item: order[item.cloud])
            return Answer(items, arrivals.clouds, {})

    answer = anyio.run(main)
    _write(here, answer, view)
    sys.stdout.flush()
    for report in answer.unfinished:
        tell(_line(report))
    good = len(answer.clouds) - len(answer.unfinished)
    tell(f"{good} of {len(answer.clouds)} clouds answered in full; the others were meant to fail")
    unplanned = {report.name for report in answer.unfinished} ^ set(_FAILING)
    if unplanned:
        tell(f"error: not as planned: {', '.join(sorted(unplanned))}")
    return ExitCode.FAILED if unplanned else ExitCode.COMPLETE


def _write(here: Session, answer: Answer[Any], view: View) -> None:
    from anabranch_cli.columns import columns_of
    from anabranch_cli.render import render_document, render_items

    document = answer.to_dict()
    if view.format in (Format.JSON, Format.YAML):
        render_document(document, view)
    else:
        render_items(here, document["items"], view, columns_of("instances"))


def _line(report: CloudReport) -> str:
    error = report.error
    return f"{report.name}: {sentence(error.message, error.remedy)}" if error else report.name


def _serve_on(file: Path) -> None:
    """Tell how to go on, and wait for Ctrl-C."""
    show(
        (
            "the clouds are served until Ctrl-C; in another terminal, try:",
            "",
            f"  export ANABRANCH_CONFIG={file}",
            "  anabranch instances list --filter state=RUNNING --format json",
            "  anabranch clouds check",
            "  anabranch instances create memory --image img1 --name mine",
            "  anabranch capabilities lisbon --probe",
            "",
        )
    )
    with contextlib.suppress(KeyboardInterrupt):
        wait()
    tell("the simulated clouds are gone")
