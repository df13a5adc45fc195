"""What an index is asked to be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import anyio

from anabranch import AnabranchError
from anabranch.models import HardwareProfile, Image
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.specs import chosen
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Collection
from anabranch_server.problems import Problem

__all__ = ["Filters", "filtered"]

_SELF = "self"


class Filters(NamedTuple):
    """What a list is filtered by.

    Attributes:
        where: Fields and the text that they must equal.
        clouds: The clouds that are asked, at least one.
        keep: Which members to keep beyond that; None: all.
    """

    where: Mapping[str, str]
    clouds: tuple[str, ...]
    keep: Callable[[Any], bool] | None = None


async def filtered(request: Request, collection: Collection) -> Filters:
    """Read the filters of an index. An id with a cloud in it asks that cloud alone.

    Raises:
        Problem: a value is not among those that there are, or two name different clouds.
    """
    where: dict[str, str] = {}
    idents: dict[str, str] = {}
    for parameter in collection.filters:
        name = parameter.name
        if name not in request.parameters:
            continue
        where[name] = chosen(parameter, name, request.parameters[name])
        is_id = name == "id" or parameter.kind in COLLECTIONS
        if is_id and request.qualified(where[name]):
            idents[name] = where[name]
    clouds = request.selection.clouds
    if idents:
        cloud = request.place(idents)
        clouds = (cloud,)
        where |= {name: request.local(cloud, name, ident) for name, ident in idents.items()}
    if collection.name == "hardware_profiles" and "architecture" in where:
        return Filters(where, clouds, _of_architecture(where.pop("architecture")))
    if where.get("owner_id") == _SELF:
        del where["owner_id"]
        return Filters(where, clouds, await _own(request, clouds))
    return Filters(where, clouds)


async def _own(request: Request, clouds: tuple[str, ...]) -> Callable[[Image], bool]:
    """Return what keeps the images of the account itself; it has another id on each cloud.

    Raises:
        Problem: a cloud does not tell that id.
        AnabranchError: one cannot be asked: without its id, its list would seem to be empty.
    """
    owners: dict[str, str | None] = {}
    failures: list[AnabranchError] = []

    async def ask(cloud: str) -> None:
        try:
            owners[cloud] = (await request.selection.broker.check(cloud)).owner_id
        except AnabranchError as error:
            failures.append(error)

    async with anyio.create_task_group() as group:
        for cloud in clouds:
            group.start_soon(ask, cloud)
    if failures:
        raise failures[0]
    if silent := [cloud for cloud in clouds if owners[cloud] is None]:
        raise Problem(
            400,
            f"parameter 'owner_id' is {_SELF!r}: {silent[0]} does not tell the id of its account",
            remedy="Give the id that its own images tell as their owner",
        )
    return lambda image: image.owner_id == owners[image.cloud]


def _of_architecture(wanted: str) -> Callable[[HardwareProfile], bool]:
    def keep(profile: HardwareProfile) -> bool:
        # One that tells none takes any.
        return profile.architecture is None or profile.architecture.allows(wanted)

    return keep
