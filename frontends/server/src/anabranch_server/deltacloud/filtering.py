"""What an index is asked to be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import anyio

from anabranch import AnabranchError, InvalidRequest
from anabranch.models import HardwareProfile
from anabranch_server.deltacloud.request import CLOUD_NAMES, Request
from anabranch_server.deltacloud.specs import chosen
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Collection

__all__ = ["Filters", "filtered"]

_SELF = "self"


class Filters(NamedTuple):
    """What a list is filtered by.

    Attributes:
        where: Fields and the text that they must equal.
        clouds: The clouds that are asked, at least one.
        keep: Which members to keep beyond that; None: all.
        failures: Why some of the clouds cannot be asked after all.
    """

    where: Mapping[str, str]
    clouds: tuple[str, ...]
    keep: Callable[[Any], bool] | None = None
    failures: Mapping[str, AnabranchError] = MappingProxyType({})


async def filtered(request: Request, collection: Collection) -> Filters:
    """Read the filters of an index.

    The cloud of an id, or of the parameter `cloud` or `provider`, is asked alone.

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
    if idents or any(name in request.parameters for name in CLOUD_NAMES):
        cloud = request.place(idents)
        clouds = (cloud,)
        where |= {name: request.local(cloud, name, ident) for name, ident in idents.items()}
    if collection.name == "hardware_profiles" and "architecture" in where:
        return Filters(where, clouds, _of_architecture(where.pop("architecture")))
    if where.get("owner_id") == _SELF:
        del where["owner_id"]
        return await _own(request, collection, where, clouds)
    return Filters(where, clouds)


async def _own(
    request: Request, collection: Collection, where: Mapping[str, str], clouds: tuple[str, ...]
) -> Filters:
    """Return what keeps what the account itself owns; it has another id on each cloud.

    A cloud that does not tell that id cannot be asked: its list would seem to be empty.
    """
    owners: dict[str, str] = {}
    failures: dict[str, AnabranchError] = {}

    async def ask(cloud: str) -> None:
        try:
            owner = (await request.selection.broker.check(cloud)).owner_id
        except AnabranchError as error:
            failures[cloud] = error
            return
        if owner is None:
            silent = InvalidRequest(
                f"owner_id: {_SELF!r} is nobody here: the cloud does not tell the account's id",
                remedy="Give the id that what is its own tells as the owner",
            )
            silent.locate(cloud, collection.index_operation)
            failures[cloud] = silent
        else:
            owners[cloud] = owner

    async with anyio.create_task_group() as group:
        for cloud in clouds:
            group.start_soon(ask, cloud)

    def keep(item: Any) -> bool:
        return bool(item.owner_id == owners[item.cloud])

    return Filters(where, clouds, keep, failures)


def _of_architecture(wanted: str) -> Callable[[HardwareProfile], bool]:
    def keep(profile: HardwareProfile) -> bool:
        # One that tells none takes any.
        return profile.architecture is None or profile.architecture.allows(wanted)

    return keep
