"""`anabranch capabilities`: which operations, with which features, each cloud offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anabranch_cli.columns import Column
from anabranch_cli.groups import MODULES, sub_application
from anabranch_cli.options import (
    Drivers,
    Format,
    FormatOption,
    NoHeader,
    View,
    complete_clouds,
)
from anabranch_cli.session import ExitCode, Session, session, tell

if TYPE_CHECKING:
    from anabranch import Broker, Capabilities

__all__ = ["app", "capabilities"]

app = sub_application(MODULES["capabilities"])


@app.command()
def capabilities(
    ctx: typer.Context,
    cloud: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="CLOUD", help="Only these; otherwise all.", autocompletion=complete_clouds
        ),
    ] = None,
    driver: Drivers = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask each cloud what it lacks of what its driver has.")
    ] = False,
    installed: Annotated[
        bool,
        typer.Option(
            "--installed",
            help="A column for each driver that is installed, whatever is configured.",
        ),
    ] = False,
    format: FormatOption = Format.TABLE,
    no_header: NoHeader = False,
) -> int:
    """Show what clouds offer: a row for every operation, and below it one for each feature.

    Features are optional parameters; one that a cloud does not offer is refused, never dropped.
    Where no cloud is configured there is a column for each driver that is installed.
    """
    here, view = session(ctx), View(format, no_header=no_header)
    if installed or not (cloud or here.configuration().clouds):
        return _of_drivers(driver, view, here)
    configuration = here.clouds(cloud, driver)
    from anabranch import Broker
    from anabranch_cli.progress import watched

    found: dict[str, Capabilities] = {}
    failed: dict[str, str] = {}

    async def main() -> int:
        async with Broker(configuration) as broker:
            await watched(
                here,
                lambda: [n for n in broker.clouds if n not in found and n not in failed],
                lambda: _ask(broker, found, failed, probe=probe),
            )
        offers = {name: found[name] for name in configuration.clouds if name in found}
        return _tell(here, offers, failed, view)

    return here.run(main)


def _of_drivers(kinds: list[str] | None, view: View, here: Session) -> int:
    """Show what drivers offer, read off their code."""
    from anabranch import Capabilities, ConfigurationError, PluginError, PluginRegistry

    registry = PluginRegistry(here.configuration().plugins)
    found: dict[str, Capabilities] = {}
    failed: dict[str, str] = {}
    for kind in kinds or registry.kinds:
        try:
            found[kind] = Capabilities.of(kind, registry.driver(kind))
        except PluginError as exc:
            if kind not in registry.kinds:
                raise ConfigurationError(str(exc), field="--driver") from None
            failed[kind] = str(exc)
    return _tell(here, found, failed, view)


def _tell(
    here: Session, found: Mapping[str, Capabilities], failed: Mapping[str, str], view: View
) -> int:
    _write(here, found, view)
    for name, reason in failed.items():
        tell(f"{name}: {reason}")
    if not failed:
        return ExitCode.COMPLETE
    return ExitCode.INCOMPLETE if found else ExitCode.FAILED


async def _ask(
    broker: Broker, found: dict[str, Capabilities], failed: dict[str, str], *, probe: bool
) -> None:
    import anyio

    from anabranch import AnabranchError

    async def one(name: str) -> None:
        try:
            found[name] = await broker.probe(name) if probe else broker.capabilities(name)
        except AnabranchError as exc:
            failed[name] = str(exc)

    async with anyio.create_task_group() as group:
        for name in broker.clouds:
            group.start_soon(one, name)


def _write(here: Session, offers: Mapping[str, Capabilities], view: View) -> None:
    from anabranch_cli.render import render_document, render_items

    if view.format in (Format.JSON, Format.YAML):
        render_document({name: _document(offered) for name, offered in offers.items()}, view)
        return
    rows = _rows(offers)
    names = ["operation", *offers] + (["reason"] if len(offers) == 1 else [])
    # A dot would lead inside, and names of clouds may have dots: columns by number.
    items = [{str(index): text for index, text in enumerate(row)} for row in rows]
    if view.format is Format.TABLE:
        columns = [Column(name, str(index)) for index, name in enumerate(names)]
        render_items(here, items, view, columns)
    else:
        plain = [dict(zip(names, row, strict=True)) for row in rows]
        render_items(here, plain, view, [])


def _rows(offers: Mapping[str, Capabilities]) -> list[list[str]]:
    from anabranch import FEATURES, OPERATIONS

    rows: list[list[str]] = []
    single = next(iter(offers.values())) if len(offers) == 1 else None
    for name in OPERATIONS:
        row = [name, *("yes" if name in offered else "no" for offered in offers.values())]
        if single is not None:
            row.append("" if name in single else single.why_not(name))
        rows.append(row)
        for feature, asked in FEATURES.items():
            has = [name in o and feature in o[name].features for o in offers.values()]
            if name in asked.operations and any(has):
                row = [f"  + {feature.value}", *("yes" if one else "no" for one in has)]
                rows.append([*row, ""] if single is not None else row)
    return rows


def _document(offered: Capabilities) -> dict[str, Any]:
    from anabranch import OPERATIONS, to_builtins

    return {
        name: {
            "offered": name in offered,
            "features": sorted(offered[name].features) if name in offered else [],
            "constraints": to_builtins(offered[name].constraints) if name in offered else {},
            "reason": "" if name in offered else offered.why_not(name),
        }
        for name in OPERATIONS
    }
