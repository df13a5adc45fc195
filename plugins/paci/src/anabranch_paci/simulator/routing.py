"""A table of routes: the segments of a path, where a literal goes before a name."""

from __future__ import annotations

from collections.abc import Callable

from anabranch_paci.simulator.wire import Reply

__all__ = ["Handler", "Routes"]

Handler = Callable[..., Reply]
"""Takes the request, and as strings what the placeholders of its path stand for."""

_Route = tuple[tuple[str | None, ...], Handler]


class Routes:
    """The operations of a part of the protocol.

    Objects are addressed by name between literals, so a name can look like a literal. Of the
    routes that fit, the one with the fewest placeholders is taken: `POST /load-balancer/create/x`
    makes a balancer x, and cannot attach a server x to a balancer called `create`.
    """

    def __init__(self) -> None:
        self._table: dict[tuple[str, int], list[_Route]] = {}

    def on(self, method: str, path: str) -> Callable[[Handler], Handler]:
        """Decorate the function that answers one method of one path.

        Args:
            method: The HTTP method.
            path: The path below the version; a segment in braces stands for any.
        """
        pattern = tuple(None if s.startswith("{") else s for s in path.strip("/").split("/"))

        def register(handler: Handler) -> Handler:
            self._insert(method, (pattern, handler))
            return handler

        return register

    def include(self, other: Routes) -> None:
        """Take over the routes of another part."""
        for (method, _), routes in other._table.items():
            for route in routes:
                self._insert(method, route)

    def find(self, method: str, segments: list[str]) -> tuple[Handler, list[str]] | None:
        """What answers a request, with its arguments."""
        for pattern, handler in self._table.get((method, len(segments)), ()):
            if all(want in (None, have) for want, have in zip(pattern, segments, strict=True)):
                args = [have for want, have in zip(pattern, segments, strict=True) if want is None]
                return handler, args
        return None

    def methods(self, segments: list[str]) -> list[str]:
        """The methods that a path has."""
        known = sorted({method for method, _ in self._table})
        return [method for method in known if self.find(method, segments)]

    def _insert(self, method: str, route: _Route) -> None:
        routes = self._table.setdefault((method, len(route[0])), [])
        routes.append(route)
        routes.sort(key=lambda r: r[0].count(None))
