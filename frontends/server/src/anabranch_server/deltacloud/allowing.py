"""What `OPTIONS` tells: the methods of a path, or the parameters of a path in the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Collection, Parameter
from anabranch_server.problems import nothing_here

__all__ = ["allowed", "declared"]

_READ: Final = ("GET", "HEAD", "OPTIONS")
_ID: Final = ":id"
_ABOUT_DRIVERS: Final = {"drivers": 1, "instance_states": 0, "docs": 2}
"""How many segments may follow."""


def allowed(call: Call) -> str:
    """Return the value of `Allow`.

    At `/instances/create` and `/instances/:id/stop`, with `:id` as it stands here, these are the
    parameters as Deltacloud wrote them; at every other path the methods.

    Raises:
        Problem: there is no such path.
    """
    name, *rest = call.path or ("",)
    if name == "" and not rest:
        return _listed("POST", *_READ)
    if name in _ABOUT_DRIVERS and len(rest) <= _ABOUT_DRIVERS[name]:
        return _listed(*_READ)
    if (collection := COLLECTIONS.get(name)) is None:
        raise nothing_here(call.url)
    if (action := _documented(collection, rest)) is not None:
        return ",".join(declared(action.parameters))
    if not rest:
        made = [action.method for action in collection.actions if not action.member]
        return _listed(*made, *_READ)
    if name == "buckets" and len(rest) > 1:
        return _listed("PUT", "POST", "DELETE", *_READ)
    return _of_member(call, collection, rest)


def _documented(collection: Collection, rest: Sequence[str]) -> Action | None:
    if len(rest) == 1:
        action = collection.action(rest[0])
        return None if action is None or action.member else action
    if len(rest) == 2 and rest[0] == _ID:
        return collection.action(rest[1])
    return None


def _of_member(call: Call, collection: Collection, rest: list[str]) -> str:
    """Return the methods of a member or of what is below it, its id in one segment or in two."""
    for tail in (rest[1:], rest[2:]):
        found = [
            action.method
            for action in collection.actions
            if action.member and action.matches(action.method, tail) is not None
        ]
        if found and tail:
            return _listed(*found, "OPTIONS")
    if len(rest) <= 2:
        members = [action.method for action in collection.actions if action.name == "destroy"]
        return _listed(*members, *_READ)
    raise nothing_here(call.url)


def _listed(*methods: str) -> str:
    return ", ".join(sorted(set(methods)))


def declared(parameters: Iterable[Parameter]) -> list[str]:
    """Return parameters as `name:type:required`, which Deltacloud's JSON has too."""
    return [
        f"{name}:{'integer' if parameter.kind == 'number' else 'string'}"
        f":{'required' if parameter.required else 'optional'}"
        for parameter in parameters
        for name in parameter.names
    ]
