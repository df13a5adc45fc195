"""What gnocchi remembers."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import msgspec

from anabranch_openstack.simulator.compute.records import Server
from anabranch_openstack.simulator.wire import Request

__all__ = ["POLICIES", "Policy", "Resource", "Resources", "Series", "reckon"]

_STEP = 60
_HISTORY = 7200


class Policy(msgspec.Struct, kw_only=True):
    """How fine measures are kept (granularity and timespan, seconds), and what is reckoned."""

    name: str
    definition: tuple[tuple[int, int], ...]
    methods: tuple[str, ...]


_USUAL = ("mean", "sum", "min", "std", "max", "count")
POLICIES = {
    policy.name: policy
    for policy in (
        Policy(name="bool", definition=((1, 31_536_000),), methods=("last",)),
        Policy(name="low", definition=((300, 2_592_000),), methods=_USUAL),
        Policy(
            name="ceilometer-low-rate",
            definition=((300, 2_592_000),),
            methods=("mean", "rate:mean"),
        ),
        Policy(
            name="lab",
            definition=((60, 86_400), (3600, 2_592_000)),
            methods=("min", "mean", "max", "count"),
        ),
    )
}
_SERVER_SERIES = (
    # name, unit, policy, what it is about, how much it changes
    ("cpu", "ns", "ceilometer-low-rate", None, 0.0),
    ("memory.usage", "MB", "low", 256.0, 64.0),
)


class Series(msgspec.Struct, kw_only=True):
    """A series of measures: when, in seconds since the epoch, and how much."""

    id: str
    name: str
    unit: str | None
    policy: Policy
    measures: list[tuple[float, float]] = []


class Resource(msgspec.Struct, kw_only=True):
    """A thing that is measured."""

    id: str
    project_id: str
    user_id: str
    name: str
    started: float
    ended: float | None = None
    series: dict[str, Series] = {}


class Resources:
    """The resources of one region: those that were made, and one for each server."""

    def __init__(self) -> None:
        self.made: dict[str, Resource] = {}

    def all(self, request: Request) -> Iterator[Resource]:
        """The resources of the project."""
        project_id = request.token.project_id
        for resource in self.made.values():
            if resource.project_id == project_id:
                yield resource
        for server in request.region.compute.servers.values():
            if server.project_id == project_id and server.id not in self.made:
                yield _of(server, request.now)

    def find(self, request: Request, resource_id: str) -> Resource | None:
        """A resource of the project."""
        return next((r for r in self.all(request) if r.id == resource_id), None)


def _of(server: Server, now: float) -> Resource:
    """A server as it is measured: its machine runs in waves of half an hour."""
    phase = uuid.UUID(server.id).int % 1800
    first = max(server.created, now - _HISTORY) // _STEP * _STEP
    moments = [first + _STEP * i for i in range(int((now - first) // _STEP) + 1)]
    series: dict[str, Series] = {}
    for name, unit, policy, middle, change in _SERVER_SERIES:
        measures: list[tuple[float, float]] = []
        for moment in moments:
            wave = math.sin((moment + phase) / 1800 * 2 * math.pi)
            # What counts up, as `cpu` does, counts a tenth of the time.
            value = (moment - server.created) * 1e8 if middle is None else middle + change * wave
            measures.append((moment, value))
        ident = str(uuid.uuid5(uuid.UUID(server.id), name))
        series[name] = Series(
            id=ident, name=name, unit=unit, policy=POLICIES[policy], measures=measures
        )
    return Resource(
        id=server.id,
        project_id=server.project_id,
        user_id=server.user_id,
        name=server.name,
        started=server.created,
        series=series,
    )


_METHODS: dict[str, Callable[[list[float]], float]] = {
    "mean": lambda values: sum(values) / len(values),
    "sum": sum,
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "last": lambda values: values[-1],
    "std": lambda values: _deviation(values),
}


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / max(1, len(values) - 1))


def reckon(series: Series, method: str, granularity: int) -> list[tuple[float, Any]]:
    """What is reckoned of the measures, by the beginning of each period."""
    measures = sorted(series.measures)
    kind, _, rest = method.rpartition(":")
    if kind == "rate":
        pairs = pairwise(measures)
        measures = [(later[0], later[1] - earlier[1]) for earlier, later in pairs]
    periods: dict[float, list[float]] = {}
    for moment, value in measures:
        periods.setdefault(moment // granularity * granularity, []).append(value)
    return [(moment, _METHODS[rest](values)) for moment, values in periods.items()]
