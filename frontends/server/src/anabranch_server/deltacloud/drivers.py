"""The drivers that can be chosen, and the states that their instances go through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import anyio

from anabranch import Broker, PluginError, StateMachine
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.documents import DriverEntry, ProviderEntry
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.rendering import frame_of, page, rendered
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.problems import Problem, not_offered, nothing_here

__all__ = ["drivers", "states"]


async def drivers(
    request: Request, rest: Sequence[str], choices: Mapping[str, Sequence[str]]
) -> Reply:
    """List the drivers, all or that of an `id`, or show one.

    Args:
        request: The request.
        rest: The path below the collection: nothing, or a driver.
        choices: The drivers that can be chosen, each with its providers.
    """
    _read(request, rest, 1)
    view, broker = request.view, request.selection.broker
    if not rest:
        wanted = request.parameters.get("id")
        found = [
            await _entry(broker, kind, choices[kind])
            for kind in choices
            if wanted is None or kind == wanted.lower()
        ]
        return rendered(
            request,
            "Drivers",
            xml=lambda: documents.drivers_xml(found, view),
            plain=lambda: documents.drivers_plain(found, view),
        )
    kind = rest[0].lower()
    if kind not in choices:
        names = ", ".join(choices)
        raise Problem(
            404, f"there is no driver {rest[0]!r}", kind="NotFound", remedy=f"There are: {names}"
        )
    one = await _entry(broker, kind, choices[kind])
    return rendered(
        request,
        f"Driver {one.name}",
        xml=lambda: documents.driver_xml(one, view),
        plain=lambda: documents.driver_plain(one, view),
    )


async def _entry(broker: Broker, kind: str, providers: Sequence[str]) -> DriverEntry:
    try:  # In a thread, because it may have to be imported.
        driver = await anyio.to_thread.run_sync(broker.registry.driver, kind)
        name = driver.title
    except PluginError:
        name = kind
    return DriverEntry(
        id=kind,
        name=name,
        providers=tuple(
            # A provider that is an address is its own entry point.
            ProviderEntry(id=one, entrypoints={"compute": one} if "://" in one else {})
            for one in providers
        ),
    )


async def states(request: Request, rest: Sequence[str]) -> Reply:
    """Show the states of instances: of several drivers, all that any of them has.

    Args:
        request: The request.
        rest: The path below the collection: nothing.
    """
    _read(request, rest, 0)
    machine = _machine(request)
    match request.format:
        case Format.GV:
            return Reply(200, documents.states_gv(machine), Format.GV)
        case Format.PNG:
            picture = await anyio.to_thread.run_sync(documents.states_png, machine)
            return Reply(200, picture, Format.PNG)
        case Format.HTML:
            here = request.call.address(request.view.root, format="png")
            document = documents.states_plain(machine)
            return page(pages.plain_page(frame_of(request), "Instance states", document, here))
        case _:
            return rendered(
                request,
                "Instance states",
                xml=lambda: documents.states_xml(machine),
                plain=lambda: documents.states_plain(machine),
            )


def _machine(request: Request) -> StateMachine:
    selection = request.selection
    kinds = dict.fromkeys(selection.broker.clouds[cloud] for cloud in selection.clouds)
    steps: dict[tuple[str, str | None, str], None] = {}
    for kind in kinds or (selection.driver,):
        try:
            machine = getattr(selection.broker.registry.driver(kind), "instance_states", None)
        except PluginError:
            if len(kinds) > 1:
                continue
            raise
        if isinstance(machine, StateMachine):
            steps.update(dict.fromkeys((s.source, s.action, s.target) for s in machine.transitions))
    if not steps:
        raise not_offered("instance_states", f"driver {selection.driver!r} has no instances")
    return StateMachine(*steps)


def _read(request: Request, rest: Sequence[str], most: int) -> None:
    if request.call.method not in ("GET", "HEAD") or len(rest) > most:
        raise nothing_here(request.call.url)
