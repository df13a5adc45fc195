"""What an index is asked to be filtered by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from anabranch.models import HardwareProfile
from anabranch_server.deltacloud.problems import Problem
from anabranch_server.deltacloud.request import Request
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
        about: All of it as plain text, the same for the same filters.
    """

    where: Mapping[str, str]
    clouds: tuple[str, ...]
    keep: Callable[[Any], bool] | None
    about: Mapping[str, str]


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
    about = {**where, "clouds": ",".join(clouds)}
    if collection.name == "hardware_profiles" and "architecture" in where:
        return Filters(where, clouds, _of_architecture(where.pop("architecture")), about)
    if where.get("owner_id") == _SELF:
        raise Problem(400, "parameter 'owner_id' is 'self'", remedy="Give the id of the account")
    return Filters(where, clouds, None, about)


def _of_architecture(wanted: str) -> Callable[[HardwareProfile], bool]:
    def keep(profile: HardwareProfile) -> bool:
        # One that tells none takes any.
        return profile.architecture is None or profile.architecture.allows(wanted)

    return keep
