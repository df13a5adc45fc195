"""Where a call goes: the drivers in use, what wraps their hooks, and the way to each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy

from anabranch.capabilities import Capabilities
from anabranch.errors import PluginError
from anabranch.hooks import PROJECT, DriverSpec, Ops
from anabranch.plugins import PluginRegistry
from anabranch.tracing import tracer

__all__ = ["Dispatch"]


class Dispatch:
    """Routes an operation to the one driver concerned; shared by all brokers that are siblings.

    It knows drivers and no clouds. To register a driver costs some 10 ms, so that each is
    registered once, when the first cloud of its kind joins a broker. It belongs to the thread of
    the brokers' event loop.
    """

    def __init__(self, registry: PluginRegistry) -> None:
        """Take where to get drivers from; none is loaded yet."""
        self.registry = registry
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(DriverSpec)
        self._drivers: dict[str, Ops] = {}
        self._static: dict[str, Capabilities] = {}
        self._routes: dict[tuple[str, str], Callable[..., Any]] = {}
        self._trace = tracer()

    def enlist(self, kind: str) -> Ops:
        """Return the driver of a kind, loaded and registered; idempotent.

        Raises:
            PluginError: it cannot be loaded, or is the same object as that of another kind.
        """
        if kind in self._drivers:
            return self._drivers[kind]
        driver = self.registry.driver(kind)
        for other, known in self._drivers.items():
            if known is driver:
                raise PluginError(f"driver {kind!r} is the same object as driver {other!r}")
        static = Capabilities.of(kind, driver)
        self._manager.register(driver, kind)
        self._drivers[kind], self._static[kind] = driver, static
        self._routes.clear()  # none of them knows yet to pass this driver by
        if self._trace:
            self._trace.attach(self._manager, driver)
        return driver

    def register(self, plugin: object, name: str | None = None) -> None:
        """Add a plugin that wraps hooks.

        Args:
            plugin: Object whose `@hookimpl(wrapper=True)` methods wrap the operations of that name.
            name: Its name.

        Raises:
            PluginError: it has a hook that there is not, or one that wraps nothing.
        """
        if self._manager.is_registered(plugin):
            raise PluginError(f"{plugin!r} is registered already")
        try:
            self._manager.register(plugin, name)
            self._manager.check_pending()
        except Exception as exc:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise PluginError(str(exc)) from exc
        for caller in self._manager.get_hookcallers(plugin) or ():
            if any(i.plugin is plugin and not i.wrapper for i in caller.get_hookimpls()):
                self._manager.unregister(plugin)
                msg = (
                    f"{caller.name!r} of {plugin!r} wraps nothing. Mark it @hookimpl(wrapper=True)"
                )
                raise PluginError(msg)
        if self._trace:
            self._trace.attach(self._manager, plugin)
        self._routes.clear()

    def capabilities(self, kind: str) -> Capabilities:
        """What a driver that was enlisted offers, on clouds that lack nothing."""
        return self._static[kind]

    def has(self, kind: str, hook: str) -> bool:
        """Whether a driver that was enlisted has a hook, be it no operation (`probe`)."""
        return getattr(type(self._drivers[kind]), hook) is not getattr(Ops, hook)

    def route(self, kind: str, hook: str) -> Callable[..., Any]:
        """Return what calls a hook of one driver alone, through all that wraps it."""
        key = kind, hook
        if key not in self._routes:
            others = [driver for k, driver in self._drivers.items() if k != kind]
            self._routes[key] = self._manager.subset_hook_caller(hook, others)
        return self._routes[key]
