"""The drivers that are installed: found through entry points, imported only when needed.

Nothing that a plugin does or is at import ends the program: it becomes the error of that plugin.
Two things are out of reach: an import that never ends cannot be cut (the trace tells which it is,
and `plugins: deny` keeps it out), and a plugin runs in this process, where it can change anything.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext, suppress
from importlib.metadata import EntryPoint
from typing import Any, Final, TypeGuard

import anyio
import msgspec

from anabranch.contract import checked, parameters_of
from anabranch.entries import distribution_of, entries_of, level_of, same_distribution
from anabranch.errors import AnabranchError, PluginError
from anabranch.hooks import DiscoveredCloud, Ops
from anabranch.settings import suggestion
from anabranch.tracing import tracer

__all__ = ["DRIVER_GROUP", "PluginInfo", "PluginRegistry", "PluginRules"]

DRIVER_GROUP: Final = "anabranch.drivers"
_GARBAGE: Final = "the entry points of {} cannot be read: its entry_points.txt is no INI file"
_LOOKING: Final = 10.0
"""Seconds that a driver may look for clouds that are configured elsewhere."""


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
        level: `bronze`, `silver` or `gold`, as the conformance report in its package claims; empty
            if there is none for this version.
        allowed: Whether the plugin rules let it be used.
        error: Why it cannot be used; empty if it can.
    """

    kind: str
    distribution: str
    version: str
    title: str = ""
    api_version: int | None = None
    load_ms: float | None = None
    level: str = ""
    allowed: bool = True
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
        found, self._unreadable = entries_of(DRIVER_GROUP) if points is None else (points, [])
        self._points: dict[str, list[EntryPoint]] = {}
        for point in found:
            if point not in self._points.setdefault(point.name, []):
                self._points[point.name].append(point)
        self._given = dict(drivers or {})
        self._loaded: dict[str, Ops | PluginError] = {}
        self._load_ms: dict[str, float] = {}
        self._trace = tracer()

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
                self._loaded[kind] = checked(
                    kind, self._given[kind] if kind in self._given else self._load(kind)
                )
            except PluginError as exc:
                self._loaded[kind] = exc
        driver = self._loaded[kind]
        if isinstance(driver, PluginError):
            # Another each time: an exception keeps the traceback of every raise.
            raise PluginError(str(driver)) from driver.__cause__
        return driver

    def report(self) -> tuple[PluginInfo, ...]:
        """Load every driver, and tell what became of each."""
        return (
            *(self._describe(kind) for kind in self.kinds),
            *(
                PluginInfo(kind="?", distribution=name, version="", error=_GARBAGE.format(name))
                for name in self._unreadable
            ),
        )

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
                    found += await self._look(kind, driver, dict(environment))
            except AnabranchError as exc:
                failed[kind] = exc
            except TimeoutError:
                failed[kind] = PluginError(f"driver {kind!r} did not end within {_LOOKING:g} s")
            except (Exception, SystemExit) as exc:
                failed[kind] = PluginError(f"{type(exc).__name__} in driver {kind!r}: {exc}")
        return found, failed

    async def _look(
        self, kind: str, driver: Ops, environment: Mapping[str, str]
    ) -> list[DiscoveredCloud]:
        given = {"environment": environment}
        given = {name: given[name] for name in parameters_of(driver.discover)}
        with (
            anyio.fail_after(_LOOKING),
            self._trace.call(kind, "discover", given) if self._trace else nullcontext(),
        ):
            discover: Any = driver.discover
            answer: Any = await discover(**given)
        if not _are_clouds(answer):
            raise PluginError(f"driver {kind!r} returned no list of DiscoveredCloud")
        return answer

    def _describe(self, kind: str) -> PluginInfo:
        driver, error = None, ""
        try:
            driver = self.driver(kind)
        except PluginError as exc:
            error = str(exc)
        points = [] if kind in self._given else self._points[kind]
        with suppress(PluginError):  # of several, all are told
            points = [self._choose(kind)] if points else []
        return PluginInfo(
            kind=kind,
            distribution=", ".join(distribution_of(p)[0] for p in points) or "(given as an object)",
            version=", ".join(distribution_of(p)[1] for p in points),
            title=getattr(driver, "title", ""),
            api_version=getattr(driver, "api_version", None),
            load_ms=self._load_ms.get(kind),
            level=level_of(points[0]) if len(points) == 1 else "",
            allowed=kind in self._given or self._allows(kind),
            error=error,
        )

    def _allows(self, kind: str) -> bool:
        rules = self._rules
        return kind not in rules.deny and (rules.allow is None or kind in rules.allow)

    def _load(self, kind: str) -> Any:
        if not self._allows(kind):
            raise PluginError(f"driver {kind!r} is not allowed by the plugin rules")
        point = self._choose(kind)
        if self._trace:
            self._trace.write(f"plugin={kind} import {point.value} …")
        started = time.perf_counter()
        try:
            with self._trace.call(kind, "import") if self._trace else nullcontext():
                return point.load()
        except KeyboardInterrupt:  # of a person, as far as can be told
            raise
        except BaseException as exc:
            distribution = distribution_of(point)[0]
            msg = f"driver {kind!r} of {distribution} cannot be imported: {exc!r}"
            raise PluginError(msg) from exc
        finally:
            self._load_ms[kind] = round((time.perf_counter() - started) * 1000, 1)

    def _choose(self, kind: str) -> EntryPoint:
        points, pin = self._points[kind], self._rules.pin.get(kind)
        if pin:
            points = [p for p in points if same_distribution(distribution_of(p)[0], pin)]
            if not points:
                raise PluginError(f"driver {kind!r} is pinned to {pin}, which does not offer it")
        if len(points) > 1:
            names = " and ".join(sorted(distribution_of(p)[0] for p in points))
            raise PluginError(
                f"driver {kind!r} is offered by {names}. "
                f"Say which with plugins: pin: {{{kind}: DISTRIBUTION}}"
            )
        return points[0]


def _are_clouds(answer: Any) -> TypeGuard[list[DiscoveredCloud]]:
    return isinstance(answer, list) and all(isinstance(c, DiscoveredCloud) for c in answer)  # pyright: ignore[reportUnknownVariableType]
