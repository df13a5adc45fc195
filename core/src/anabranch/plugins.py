"""The drivers that are installed: found through entry points, imported only when needed."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import msgspec

from anabranch.errors import AnabranchError, PluginError
from anabranch.hooks import API_VERSION, PROJECT, DiscoveredCloud, DriverSpec, Ops
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
        self._given = dict(drivers or {})
        self._loaded: dict[str, Ops | PluginError] = {}
        self._load_ms: dict[str, float] = {}

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of driver that are installed, sorted."""
        return tuple(sorted({*self._points, *self._given}))

    def driver(self, kind: str) -> Ops:
        """Return the driver of a kind, importing it if this is the first time.

        Raises:
            PluginError: there is none, it may not be used, it cannot be loaded, or it breaks the
                contract.
        """
        if kind not in self._points and kind not in self._given:
            raise PluginError(f"there is no driver {kind!r}. {suggestion(kind, self.kinds)}")
        if kind not in self._loaded:
            try:
                self._loaded[kind] = _checked(kind, self._given.get(kind) or self._load(kind))
            except PluginError as exc:
                self._loaded[kind] = exc
        driver = self._loaded[kind]
        if isinstance(driver, PluginError):
            # Another each time: an exception keeps the traceback of every raise.
            raise PluginError(str(driver)) from driver.__cause__
        return driver

    def report(self) -> tuple[PluginInfo, ...]:
        """Load every driver, and tell what became of each."""
        return tuple(self._describe(kind) for kind in self.kinds)

    async def discover(
        self, environment: Mapping[str, str]
    ) -> tuple[list[DiscoveredCloud], dict[str, AnabranchError]]:
        """Let every driver look for clouds that the user has configured for other programs.

        Args:
            environment: The environment variables to look in.

        Returns:
            What was found, and why a driver could not look, by its kind.
        """
        found: list[DiscoveredCloud] = []
        failed: dict[str, AnabranchError] = {}
        for kind in self.kinds:
            try:
                driver = self.driver(kind)
                if type(driver).discover is not Ops.discover:
                    found += await driver.discover(environment)
            except AnabranchError as exc:
                failed[kind] = exc
            except Exception as exc:
                failed[kind] = PluginError(f"{type(exc).__name__} in driver {kind!r}: {exc}")
        return found, failed

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
        if kind in rules.deny or (rules.allow is not None and kind not in rules.allow):
            raise PluginError(f"driver {kind!r} is not allowed by the plugin rules")
        point = self._choose(kind)
        started = time.perf_counter()
        try:
            driver: Ops = point.load()
        except Exception as exc:
            msg = f"driver {kind!r} of {_distribution(point)[0]} cannot be imported: {exc!r}"
            raise PluginError(msg) from exc
        finally:
            self._load_ms[kind] = round((time.perf_counter() - started) * 1000, 1)
        return driver

    def _choose(self, kind: str) -> EntryPoint:
        points, pin = self._points[kind], self._rules.pin.get(kind)
        if pin:
            points = [p for p in points if _normal(_distribution(p)[0]) == _normal(pin)]
            if not points:
                raise PluginError(f"driver {kind!r} is pinned to {pin}, which does not offer it")
        if len(points) > 1:
            names = " and ".join(sorted(_distribution(p)[0] for p in points))
            raise PluginError(
                f"driver {kind!r} is offered by {names}. "
                f"Say which with plugins: pin: {{{kind}: DISTRIBUTION}}"
            )
        return points[0]


def _checked(kind: str, driver: Any) -> Ops:
    """See that a driver keeps the contract, as far as that shows without calling it."""
    if not isinstance(driver, DriverSpec):
        raise PluginError(f"driver {kind!r} is no object of a class derived from DriverSpec")
    version: Any = driver.api_version
    if version != API_VERSION:
        raise PluginError(
            f"driver {kind!r} is written for version {version} of the contract, "
            f"this is version {API_VERSION}"
        )
    hooks = {n: spec for n, spec in _functions(DriverSpec) if hasattr(spec, f"{PROJECT}_spec")}
    given: Ops = driver  # pyright: ignore[reportUnknownVariableType]
    for name, function in _functions(type(given)):
        marked = hasattr(function, f"{PROJECT}_impl")
        if name not in hooks and marked:
            raise PluginError(
                f"driver {kind!r}: there is no hook {name!r}. {suggestion(name, hooks)}"
            )
        if name not in hooks or function is hooks[name]:
            continue
        if not marked:
            raise PluginError(f"driver {kind!r}: {name!r} is not marked @hookimpl")
        if not inspect.iscoroutinefunction(inspect.unwrap(function)):
            raise PluginError(f"driver {kind!r}: {name!r} is not async def")
        known = inspect.signature(hooks[name]).parameters
        for parameter in inspect.signature(function).parameters:
            if parameter not in known:
                raise PluginError(
                    f"driver {kind!r}: {name!r} has a parameter {parameter!r} that the hook has "
                    f"not. {suggestion(parameter, list(known)[1:])}"
                )
    return given


def _functions(cls: type[Any]) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in dir(cls):
        if callable(function := getattr(cls, name)) and not name.startswith("_"):
            yield name, function


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("(unknown)", "")
