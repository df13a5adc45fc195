"""`ANABRANCH_TRACE_PLUGINS=1`: a line on stderr for each call of a plugin's code.

    anabranch trace: cloud=lisbon plugin=openstack hook=list_instances(cursor, where) ok 41.3 ms

It tells the names of the arguments and never a value. When it is off nothing stands in the way of
any call; who wants it switches it on before the broker is made.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

import pluggy

__all__ = ["VARIABLE", "Tracer", "tracer"]

T = TypeVar("T")

VARIABLE: Final = "ANABRANCH_TRACE_PLUGINS"
_OFF: Final = ("", "0", "false", "no", "off")


def tracer() -> Tracer | None:
    """Return what traces the calls of plugins, or None where nobody wants that."""
    return None if os.environ.get(VARIABLE, "").lower() in _OFF else Tracer()


class Tracer:
    """Writes a line for each call that it is told of."""

    @contextmanager
    def call(
        self, plugin: str, hook: str, names: Iterable[str] = (), *, cloud: str = "-"
    ) -> Generator[None]:
        """Time what is done inside, and write how it ended, whatever it raises.

        Args:
            plugin: The driver's kind, or the name of what wraps hooks.
            hook: What is called.
            names: The names of its arguments.
            cloud: Name of the cloud, where the call is about one.
        """
        started, outcome = time.perf_counter(), "ok"
        try:
            yield
        except BaseException as exc:
            outcome = type(exc).__name__
            raise
        finally:
            took = (time.perf_counter() - started) * 1000
            called = f"{hook}({', '.join(names)})"
            self.write(f"cloud={cloud} plugin={plugin} hook={called} {outcome} {took:.1f} ms")

    def write(self, line: str) -> None:
        """Write a line to stderr, in one piece."""
        plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
        sys.stderr.write(f"anabranch trace: {plain}\n")
        sys.stderr.flush()

    def attach(self, manager: pluggy.PluginManager, plugin: object) -> None:
        """Trace every hookimpl of a registered plugin, be it a driver's or a wrapper."""
        name = manager.get_name(plugin) or ""
        who = type(plugin).__name__ if name == str(id(plugin)) else name
        for caller in manager.get_hookcallers(plugin) or ():
            for hookimpl in caller.get_hookimpls():
                if hookimpl.plugin is plugin:
                    # pluggy knows of before and after a hook, not of each hookimpl in it.
                    open_to_change = cast("Any", hookimpl)
                    open_to_change.function = self._instead(who, caller.name, hookimpl)

    def _instead(self, who: str, hook: str, hookimpl: pluggy.HookImpl) -> Callable[..., Any]:
        function: Any = hookimpl.function
        names = tuple(n for n in (*hookimpl.argnames, *hookimpl.kwargnames) if n != "cloud")

        async def timed(call: Awaitable[T], args: tuple[Any, ...]) -> T:
            given = dict(zip(hookimpl.argnames, args, strict=False))
            cloud = getattr(given.get("cloud"), "name", "-")
            with self.call(who, hook, names, cloud=cloud):
                return await call

        def wrapper(*args: Any, **kwargs: Any) -> Generator[None, Any, Any]:
            inner: Generator[None, Any, Awaitable[Any]] = function(*args, **kwargs)
            return timed((yield from inner), args)

        def driver(*args: Any, **kwargs: Any) -> Any:
            return timed(function(*args, **kwargs), args)

        return wrapper if hookimpl.wrapper else driver
