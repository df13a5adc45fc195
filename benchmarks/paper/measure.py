"""Times each operation directly and through the API, in turn."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Protocol

import msgspec

from benchmarks.paper.clouds import Clouds
from benchmarks.paper.direct import Direct
from benchmarks.paper.figures import Figures, figures_of
from benchmarks.paper.things import Things
from benchmarks.paper.wire import Exchange, Request

__all__ = ["Row", "Way", "rows"]

_SECONDS = 1.5
"""What the direct side of a row may take, in all its rounds."""
_ROUNDS = (5, 25)

_BEFORE = {
    "Start Instance": "Stop Instance",
    "Delete Instance": "Create Instance",
    "Delete Image": "Create Image",
    "Delete Load Balancer": "Create Load Balancer",
    "Dissociate Instance from LB": "Associate Instance with LB",
}
_AFTER = {
    "Stop Instance": ("Start Instance",),
    "Create Instance": ("Stop Instance", "Delete Instance"),
    "Create Load Balancer": ("Delete Load Balancer",),
    "Associate Instance with LB": ("Dissociate Instance from LB",),
}
"""What is done on the platform, not timed, so that an operation can be done once more."""
_MADE = {
    "Create Instance": "instance",
    "Create Image": "image",
    "Create Load Balancer": "balancer",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One operation: times in seconds (medians), sizes in bytes, headers included.

    `calls` of the platform came of one request to the API, in so many round trips.
    """

    platform: str
    operation: str
    rounds: int
    direct_s: float
    api_s: float
    calls: int
    trips: int
    direct_request_b: int
    direct_response_b: int
    api_request_b: int
    api_response_b: int
    paper_direct_s: float
    paper_ratio: float

    @property
    def ratio(self) -> float:
        """How much longer it takes through the API."""
        return self.api_s / self.direct_s


class Way(Protocol):
    """A way to do the operations."""

    def requests(self, things: Things) -> Mapping[str, Request]: ...
    def perform(self, request: Request) -> Exchange: ...
    def made(self, things: Things, exchange: Exchange) -> str: ...


def rows(kind: str, clouds: Clouds, api: Way, log: Callable[[str], None]) -> Iterator[Row]:
    """Measure the operations of one platform; those that fail are logged and left out."""
    warm = {name for name in figures_of(kind) if name.startswith("List ")} | {"List Collections"}
    with contextlib.ExitStack() as stack:
        with clouds.fast():
            direct = stack.enter_context(contextlib.closing(Direct(kind, clouds.entries[kind])))
            things = direct.furnished()
            for way in (direct, api):  # logins, connections, what is loaded at first use
                for operation, request in way.requests(things).items():
                    if operation in warm:
                        way.perform(request)
        bench = _Bench(clouds, direct, things)
        for figures in figures_of(kind).values():
            try:
                yield bench.row(kind, figures, api)
            except RuntimeError as exc:
                log(f"{kind}: {figures.operation}: {exc}")


class _Bench:
    def __init__(self, clouds: Clouds, direct: Direct, things: Things) -> None:
        self._clouds, self._direct, self._things = clouds, direct, things
        self._names = count()

    def row(self, kind: str, figures: Figures, api: Way) -> Row:
        least, most = _ROUNDS
        rounds = max(least, min(most, round(_SECONDS / figures.direct_s)))
        direct: list[Exchange] = []
        through: list[Exchange] = []
        traffic = (0, 0)
        for _ in range(rounds):
            direct.append(self._once(figures.operation, self._direct)[0])
            exchange, traffic = self._once(figures.operation, api)
            through.append(exchange)
        return Row(
            platform=kind,
            operation=figures.operation,
            rounds=rounds,
            direct_s=statistics.median(e.seconds for e in direct),
            api_s=statistics.median(e.seconds for e in through),
            calls=traffic[0],
            trips=traffic[1],
            direct_request_b=direct[-1].sent,
            direct_response_b=direct[-1].received,
            api_request_b=through[-1].sent,
            api_response_b=through[-1].received,
            paper_direct_s=figures.direct_s,
            paper_ratio=figures.ratio,
        )

    def _once(self, operation: str, way: Way) -> tuple[Exchange, tuple[int, int]]:
        things = self._things.with_(name=f"bench-{next(self._names)}")
        if before := _BEFORE.get(operation):
            with self._clouds.fast():
                exchange = self._direct.perform(self._direct.requests(things)[before])
            if before in _MADE:
                things = things.with_(**{_MADE[before]: self._direct.made(things, exchange)})
        self._clouds.traffic()
        exchange = way.perform(way.requests(things)[operation])
        traffic = self._clouds.traffic()
        if operation in _MADE:
            things = things.with_(**{_MADE[operation]: way.made(things, exchange)})
        with self._clouds.fast():
            requests = self._direct.requests(things)
            for after in _AFTER.get(operation, ()):
                if after in requests:
                    self._direct.perform(requests[after])
        return exchange, traffic
