"""The drivers that are installed: found through entry points, imported only when needed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import msgspec

from anabranch.errors import PluginError
from anabranch.hooks import API_VERSION, DriverSpec, Ops
from anabranch.settings import suggestion

__all__ = ["DRIVER_GROUP", "PluginInfo", "PluginRegistry", "PluginRules"]

DRIVER_GROUP: Final = "anabranch.drivers"


class PluginRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which drivers may be loaded.

    Attributes:
        allow: Kinds that may be; None: all.
        deny: Kinds that may not.
        pin: Distribution to take a kind from, where several offer it.
    """

    allow: tuple[str, ...] | None = None
    deny: tuple[str, ...] = ()
    pin: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class PluginInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one driver.

    Attributes:
        kind: Its kind.
        distribution: Distribution that brings it.
        version: Version of that distribution.
        title: The platform's name; empty before it is loaded.
        api_version: Version of the contract that it was written for; None before it is loaded.
        load_ms: Milliseconds that importing it took; None: not imported.
        error: Why it cannot be used; empty if it can.
    """

    kind: str
    distribution: str
    version: str
    title: str = ""
    api_version: int | None = None
    load_ms: float | None = None
    error: str = ""


class PluginRegistry:
    """Knows the drivers and loads them one by one; a broken one breaks nothing else."""

    def __init__(
        self,
        rules: PluginRules | None = None,
        *,
        drivers: Mapping[str, Ops] | None = None,
        points: Iterable[EntryPoint] | None = None,
    ) -> None:
        """Read the entry points, and import nothing.

        Args:
            rules: Which drivers may be loaded.
            drivers: Drivers given as objects, by kind, beside those of the entry points.
            points: Entry points to use instead of the installed ones.
        """
        self._rules = rules or PluginRules()
        found = entry_points(group=DRIVER_GROUP) if points is None else points
        self._points: dict[str, list[EntryPoint]] = {}
        for point in found:
            if point not in self._points.setdefault(point.name, []):
                self._points[point.name].append(point)
        self._loaded: dict[str, Ops | PluginError] = dict(drivers or {})
        self._load_ms: dict[str, float] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of driver that are installed, sorted."""
        return tuple(sorted({*self._points, *self._loaded}))

    def driver(self, kind: str) -> Ops:
        """Return the driver of a kind, importing it if this is the first time.

        Raises:
            PluginError: there is none, it may not be used, or it cannot be loaded.
        """
        if kind not in self._loaded:
            started = time.perf_counter()
            try:
                self._loaded[kind] = self._load(kind)
            except PluginError as exc:
                self._loaded[kind] = exc
            self._load_ms[kind] = round((time.perf_counter() - started) * 1000, 1)
        driver = self._loaded[kind]
        if isinstance(driver, PluginError):
            raise driver
        return driver

    def report(self) -> tuple[PluginInfo, ...]:
        """Load every driver, and tell what became of each."""
        return tuple(self._describe(kind) for kind in self.kinds)

    def _describe(self, kind: str) -> PluginInfo:
        driver, error = None, ""
        try:
            driver = self.driver(kind)
        except PluginError as exc:
            error = str(exc)
        points = self._points.get(kind, [])
        return PluginInfo(
            kind=kind,
            distribution=", ".join(_distribution(p)[0] for p in points) or "(given as an object)",
            version=", ".join(_distribution(p)[1] for p in points),
            title=getattr(driver, "title", ""),
            api_version=getattr(driver, "api_version", None),
            load_ms=self._load_ms.get(kind),
            error=error,
        )

    def _load(self, kind: str) -> Ops:
        rules = self._rules
        if kind not in self._points:
            raise PluginError(f"there is no driver {kind!r}. {suggestion(kind, self.kinds)}")
        if kind in rules.deny or (rules.allow is not None and kind not in rules.allow):
            raise PluginError(f"driver {kind!r} is not allowed by the plugin rules")
        point = self._choose(kind)
        try:
            driver: Any = point.load()
        except Exception as exc:
            msg = f"driver {kind!r} of {_distribution(point)[0]} cannot be imported: {exc!r}"
            raise PluginError(msg) from exc
        if not isinstance(driver, DriverSpec):
            msg = f"driver {kind!r}: {point.value} is no object of a class derived from DriverSpec"
            raise PluginError(msg)
        version: Any = driver.api_version
        if version != API_VERSION:
            msg = (
                f"driver {kind!r} of {_distribution(point)[0]} is written for version {version} "
                f"of the contract, this is version {API_VERSION}"
            )
            raise PluginError(msg)
        return driver

    def _choose(self, kind: str) -> EntryPoint:
        points, pin = self._points[kind], self._rules.pin.get(kind)
        if pin:
            points = [p for p in points if _distribution(p)[0] == pin]
            if not points:
                raise PluginError(f"driver {kind!r} is pinned to {pin}, which does not offer it")
        if len(points) > 1:
            names = " and ".join(sorted(_distribution(p)[0] for p in points))
            raise PluginError(
                f"driver {kind!r} is offered by {names}. "
                f"Say which with plugins: pin: {{{kind}: DISTRIBUTION}}"
            )
        return points[0]


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("(unknown)", "")
