"""`anabranch clouds`: the clouds of the configuration, and those that could be in it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anabranch_cli.columns import Column
from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.options import (
    Clouds,
    Drivers,
    Format,
    FormatOption,
    NoHeader,
    Require,
    Timeout,
    View,
    check_require,
)
from anabranch_cli.session import ExitCode, Session, sentence, session, tell
from anabranch_cli.writing import as_yaml, write_new

if TYPE_CHECKING:
    from anabranch import Broker, DiscoveredCloud

__all__ = ["app", "check", "discover", "list_clouds"]

app = sub_application(MODULES["clouds"])


@app.command("list")
def list_clouds(
    ctx: typer.Context,
    driver: Drivers = None,
    format: FormatOption = Format.TABLE,
    no_header: NoHeader = False,
) -> int:
    """List the clouds of the configuration. Asks none of them."""
    configuration = session(ctx).clouds(None, driver)
    items = [
        {"name": name, "driver": str(entry["driver"])}
        for name, entry in configuration.clouds.items()
    ]
    _write(session(ctx), items, View(format, no_header=no_header), "name driver")
    return ExitCode.COMPLETE


@app.command()
def check(
    ctx: typer.Context,
    cloud: Clouds = None,
    driver: Drivers = None,
    require: Require = None,
    timeout: Timeout = None,
    format: FormatOption = Format.TABLE,
    no_header: NoHeader = False,
) -> int:
    """Log in to every cloud at once, and tell as whom; or why not, and what to do about it."""
    check_require(require)
    here = session(ctx)
    configuration = here.clouds(cloud, driver)
    from anabranch import Answer, Broker
    from anabranch_cli.progress import watched

    results: dict[str, dict[str, Any]] = {}

    async def main() -> int:
        async with Broker(configuration) as broker:
            await watched(
                here,
                lambda: [name for name in broker.clouds if name not in results],
                lambda: _check_all(broker, results, timeout),
            )
        items = [results[name] for name in configuration.clouds]
        view = View(format, no_header=no_header)
        _write(here, items, view, "name driver status account endpoint version")
        reports = [_report(item) for item in items]
        for item in items:
            if error := item["error"]:
                reason = sentence(error["message"], error["remedy"], error["request_id"])
                tell(f"{item['name']}: {reason}")
        answer: Answer[Any] = Answer([], reports, {})
        answer.require(require or configuration.require)
        return ExitCode.COMPLETE if answer.complete else ExitCode.INCOMPLETE

    return here.run(main)


@app.command()
def discover(
    ctx: typer.Context,
    write_to: Annotated[
        str | None,
        typer.Option(
            "--write", metavar="FILE", help="New file to write them to, as a configuration."
        ),
    ] = None,
    format: FormatOption = Format.TABLE,
    no_header: NoHeader = False,
) -> int:
    """Find clouds that you have configured for other programs.

    Each driver looks where its platform's own tools do: clouds.yaml and OS_…, ~/.one and ONE_…,
    cloudstack.ini and CLOUDSTACK_….

    The entries refer to where the secrets are, and repeat none.
    """
    import anyio

    from anabranch import PluginRegistry, to_builtins

    registry = PluginRegistry()
    found, failed = anyio.run(registry.discover, os.environ)
    for kind, exc in failed.items():
        tell(f"driver {kind}: {exc}")
    if not found and not failed:
        tell(f"none found; looked with: {', '.join(registry.kinds) or 'no driver at all'}")
    if write_to is not None:
        if not found:
            return ExitCode.FAILED
        _write_configuration(found, write_to)
    else:
        items: list[dict[str, Any]] = [to_builtins(one) for one in found]
        for item in items:
            item["driver"] = item["entry"].get("driver", "")
        _write(session(ctx), items, View(format, no_header=no_header), "name driver source")
        if found and format is Format.TABLE:
            tell("to use them: anabranch clouds discover --write anabranch.yaml")
    return ExitCode.FAILED if failed else ExitCode.COMPLETE


async def _check_all(
    broker: Broker, results: dict[str, dict[str, Any]], timeout: float | None
) -> None:
    import time

    import anyio

    from anabranch import AnabranchError, ErrorReport, to_builtins

    async def one(name: str, kind: str) -> None:
        item: dict[str, Any] = {
            "name": name,
            "driver": kind,
            "status": "ok",
            "account": "",
            "endpoint": "",
            "version": "",
            "elapsed_ms": 0,
            "error": None,
        }
        started = time.perf_counter()
        try:
            item |= to_builtins(await broker.check(name, timeout=timeout))
        except AnabranchError as exc:
            item |= {"status": "failed", "error": to_builtins(ErrorReport.of(exc))}
        item["elapsed_ms"] = round((time.perf_counter() - started) * 1000)
        results[name] = item

    async with anyio.create_task_group() as group:
        for name, kind in broker.clouds.items():
            group.start_soon(one, name, kind)


def _report(item: Mapping[str, Any]) -> Any:
    from anabranch import CloudReport, CloudStatus

    status = CloudStatus(item["status"])
    return CloudReport(name=item["name"], driver=item["driver"], status=status)


def _write(here: Session, items: Sequence[Mapping[str, Any]], view: View, fields: str) -> None:
    from anabranch_cli.render import render_items

    render_items(here, items, view, [Column(name, name) for name in fields.split()])


def _write_configuration(found: Sequence[DiscoveredCloud], path: str) -> None:
    from anabranch import to_builtins

    clouds: dict[str, Any] = {}
    for one in found:
        name, number = one.name, 2
        while name in clouds:
            name, number = f"{one.name}-{number}", number + 1
        clouds[name] = to_builtins(one.entry)
    sources = "".join(f"#   {source}\n" for source in dict.fromkeys(one.source for one in found))
    body = as_yaml({"clouds": clouds})
    write_new(path, f"# Found by `anabranch clouds discover` in\n{sources}{body}")
    if path != "-":
        tell(f"{len(clouds)} clouds written to {path}; try: anabranch --config {path} clouds check")
