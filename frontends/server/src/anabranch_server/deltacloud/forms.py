"""The forms of the actions that take parameters, with what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio

from anabranch import AnabranchError
from anabranch.models import HardwareProfile
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.rendering import frame_of, page
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs import idents, offering
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, Parameter

__all__ = ["form"]

_PATIENCE = 5.0
"""Seconds that a form waits for what there is to choose from; without it, an id is typed."""


async def form(
    request: Request, collection: Collection, action: Action, ident: str | None = None
) -> Reply:
    """Return the form of an action, filled in with the parameters of the request.

    There is to choose from what is on the clouds that offer it: on one, if the member or a
    parameter says so.

    Args:
        request: The request.
        collection: The collection.
        action: The action.
        ident: The member that it is done to; None: it makes one.

    Raises:
        Problem: no cloud offers it.
    """
    clouds = offering(request, action, _clouds(request, action, ident))
    parameters = [p for p in action.parameters if _honoured(request, clouds, action, p)]
    if ident is None and request.selection.qualified and not _names_a_cloud(parameters):
        parameters.append(Parameter(name="provider", required=True, choices=clouds))
    wanted = {p.kind for p in parameters if p.kind in COLLECTIONS}
    choices: dict[str, Sequence[tuple[str, str]]] = {}

    async def choose(kind: str) -> None:
        choices[kind] = await _members(request, clouds, kind)

    async with anyio.create_task_group() as group:
        for kind in sorted(wanted):
            group.start_soon(choose, kind)
    target = request.view.collection(collection.name)
    if ident is not None:
        where = request.target(ident)
        member = request.view.member(collection.name, where.cloud, where.id)
        target = "/".join([member, *action.paths[:1]])
    return page(
        pages.form_page(
            frame_of(request),
            action,
            target,
            parameters,
            choices,
            request.parameters,
            member=ident or "",
        )
    )


def _clouds(request: Request, action: Action, ident: str | None) -> tuple[str, ...]:
    if ident is not None:
        return (request.target(ident).cloud,)
    given = idents(action, request.parameters).values()
    named = {found.cloud for one in given if (found := request.qualified(one))}
    return (*named,) if len(named) == 1 else request.selection.clouds


async def _members(request: Request, clouds: tuple[str, ...], kind: str) -> list[tuple[str, str]]:
    facade: Any = getattr(request.selection.broker, kind)
    try:
        answer = await facade.list(clouds=clouds, timeout=_PATIENCE)
    except AnabranchError:
        return []
    found: list[tuple[str, str]] = []
    for item in answer.items:
        ident = request.view.id(item.cloud, item.id)
        text = f"{item.name} ({ident})" if item.name not in ("", ident) else ident
        if isinstance(item, HardwareProfile):
            text = ": ".join(filter(None, (text, _sizes(request, item))))
        found.append((ident, text))
    return found


def _sizes(request: Request, profile: HardwareProfile) -> str:
    """Return what may be asked for with a profile: `cpu 1 to 6, storage 850 or 1024 GB`."""
    plain = documents.show_plain("hardware_profiles", profile, request.view)["hardware_profile"]
    sizes: list[str] = []
    for one in plain["details"]:
        among = one.get("range", {}).values()
        values = " to ".join(among) or " or ".join(one.get("enum", ())) or one["value"]
        unit = one["unit"] if one["unit"] in ("MB", "GB") else ""
        sizes.append(f"{one['name'].replace('_', ' ')} {values} {unit}".rstrip())
    return ", ".join(sizes)


def _honoured(
    request: Request, clouds: tuple[str, ...], action: Action, parameter: Parameter
) -> bool:
    """Whether any of some clouds honours a parameter."""
    if parameter.feature is None:
        return True
    for cloud in clouds:
        try:
            offered = request.selection.broker.capabilities(cloud)
        except AnabranchError:
            continue
        capability = offered.get(parameter.operation or action.operation)
        if capability and parameter.feature in capability.features:
            return True
    return False


def _names_a_cloud(parameters: Sequence[Parameter]) -> bool:
    return any(p.required and p.kind in COLLECTIONS for p in parameters)
