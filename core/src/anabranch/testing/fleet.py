"""A fleet: simulated clouds of several platforms, served together."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Self

import msgspec

from anabranch.configuration import Configuration
from anabranch.entries import distribution_of, entries_of
from anabranch.testing.behaviour import Behaviour, Fault
from anabranch.testing.serving import serve
from anabranch.testing.simulation import ENTRY_POINT_GROUP, SimulatedCloud, Simulator

__all__ = ["Fleet", "simulated_kinds", "simulator"]


def simulated_kinds() -> tuple[str, ...]:
    """Return the kinds of driver that have a simulator installed, sorted; imports none of them."""
    return tuple(sorted({point.name for point in _points()}))


def simulator(kind: str) -> Simulator:
    """Return the simulator of a platform.

    Raises:
        LookupError: there is none for that kind of driver, several distributions offer one, it
            cannot be imported, or it is no simulator; the message says which.
    """
    points = {(p.value, distribution_of(p)): p for p in _points() if p.name == kind}
    if not points:
        known = ", ".join(simulated_kinds()) or "none at all"
        raise LookupError(f"there is no simulator for {kind!r}; there are: {known}")
    if len(points) > 1:
        names = " and ".join(sorted(name for _, (name, _) in points))
        raise LookupError(f"the simulator of {kind} is offered by {names}. Uninstall one of them")
    (point,) = points.values()
    try:
        found: Any = point.load()
        good = isinstance(found, Simulator)
    except ModuleNotFoundError as exc:
        msg = f"the simulator of {kind} cannot be used: {exc.name} is not installed"
        raise LookupError(msg) from exc
    except KeyboardInterrupt:  # of a person, as far as can be told
        raise
    except BaseException as exc:
        distribution = distribution_of(point)[0]
        msg = f"the simulator of {kind}, of {distribution}, cannot be imported: {exc!r}"
        raise LookupError(msg) from exc
    if not good:
        raise LookupError(f"the simulator of {kind} is none: {point.value} is {found!r}")
    usable: Simulator = found
    return usable


def _points() -> list[EntryPoint]:
    try:
        return list(entry_points(group=ENTRY_POINT_GROUP))
    except Exception:  # those of some distribution, of anybody's, cannot be read
        return entries_of(ENTRY_POINT_GROUP)[0]


class Fleet:
    """Simulated clouds, their addresses while they are served, and the configuration for them.

    fleet = Fleet.of({"openstack": 2, "opennebula": 1}, instances=100)
    fleet["openstack-2"].behaviour.break_with(["503x2:/servers"])
    with fleet.serving():
        async with Broker(fleet.configuration()) as broker:
            ...
    assert fleet["openstack-1"].requests.count("/servers") == 1
    """

    def __init__(self, clouds: Iterable[SimulatedCloud]) -> None:
        """Take clouds that were made elsewhere; their names must differ."""
        self.clouds: Mapping[str, SimulatedCloud] = {cloud.name: cloud for cloud in clouds}
        self.urls: Mapping[str, str] = {}

    @classmethod
    def of(
        cls,
        counts: Mapping[str, int],
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool = False,
    ) -> Self:
        """Make so many clouds of each kind, called `openstack-1`, `openstack-2` and so on.

        Args:
            counts: How many, by kind.
            instances: Instances of each cloud.
            behaviour: How each behaves, to begin with; each has a copy of its own.
            odd: Whether each has instances with odd data, too.

        Raises:
            LookupError: there is no simulator for a kind.
        """
        return cls(
            simulator(kind).cloud(
                f"{kind}-{number}",
                instances=instances,
                behaviour=_copied(behaviour or Behaviour()),
                odd=odd,
            )
            for kind, count in counts.items()
            for number in range(1, count + 1)
        )

    def __getitem__(self, name: str) -> SimulatedCloud:
        """The cloud of that name."""
        return self.clouds[name]

    def break_with(self, faults: Iterable[Fault | str], *, where: str = "") -> None:
        """Give faults to the clouds of a name or of a kind; empty: to all.

        Raises:
            ValueError: a text is no fault.
            LookupError: there is no such cloud.
        """
        texts = list(faults)
        chosen = [c for c in self.clouds.values() if where in ("", c.name, c.kind)]
        if not chosen:
            raise LookupError(f"no simulated cloud is called {where!r}, and none is of that kind")
        for cloud in chosen:
            cloud.behaviour.break_with([*cloud.behaviour.faults, *texts])

    @contextlib.contextmanager
    def serving(self, *, refuse: Collection[str] = (), port: int | None = None) -> Generator[Self]:
        """Serve all on loopback while the block runs; see `anabranch.testing.serve`.

        Raises:
            OSError: a port is taken.
        """
        with serve(self.clouds.values(), refuse=refuse, port=port) as urls:
            self.urls = urls
            yield self

    def document(self) -> dict[str, Any]:
        """Return what `anabranch.yaml` says to reach them, while they are served."""
        return {"clouds": {name: self[name].settings(url) for name, url in self.urls.items()}}

    def configuration(self, **settings: Any) -> Configuration:
        """Return the same as a configuration; `settings` are its other fields (`timeout`)."""
        return Configuration(**self.document(), **settings)


def _copied(behaviour: Behaviour) -> Behaviour:
    return msgspec.structs.replace(behaviour, faults=list(behaviour.faults))
