"""Whom a request is about: all clouds of one file, or the account that it brings with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Container, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import msgspec

from anabranch import Broker, PluginError
from anabranch_server.access import Credentials
from anabranch_server.deltacloud.problems import Problem

__all__ = ["ALL", "Backend", "Configured", "Selection"]

ALL: Final = "all"
"""The driver that stands for all clouds at once."""


class Selection(msgspec.Struct, frozen=True):
    """The clouds that a request is about.

    Attributes:
        broker: Who calls them.
        clouds: Their names, in configuration order; at least one.
        qualified: Whether ids are `cloud/id`: several clouds, or all, are meant.
        driver: The kind of driver that is told, or `all`.
        provider: The provider that is told; None: none was chosen.
    """

    broker: Broker
    clouds: tuple[str, ...]
    qualified: bool
    driver: str
    provider: str | None = None

    def offered(self) -> Mapping[str, Container[str]]:
        """Return the operations of each cloud, as far as they are known without asking it."""
        found: dict[str, Container[str]] = {}
        for name in self.clouds:
            try:
                found[name] = self.broker.capabilities(name)
            except PluginError:  # its calls say so
                found[name] = ()
        return found


class Backend(Protocol):
    """Finds the clouds of a request."""

    def drivers(self) -> Mapping[str, Sequence[str]]:
        """Return the kinds of driver that can be chosen, each with its providers."""
        ...

    def select(
        self, chosen: Mapping[str, str], credentials: Credentials | None
    ) -> AbstractAsyncContextManager[Selection]:
        """Return a context in which a request may use its clouds."""
        ...


class Configured:
    """All clouds of one configuration, with the credentials that stand there."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def drivers(self) -> Mapping[str, Sequence[str]]:
        """Return the kinds of the clouds, each with the names of its clouds."""
        found: dict[str, list[str]] = {}
        for name, kind in self._broker.clouds.items():
            found.setdefault(kind, []).append(name)
        return found

    @asynccontextmanager
    async def select(
        self, chosen: Mapping[str, str], credentials: Credentials | None
    ) -> AsyncGenerator[Selection]:
        """Choose by kind of driver, and by the cloud's name as the provider.

        Raises:
            Problem: there is no such driver or provider.
        """
        del credentials
        driver, provider = chosen.get("driver", ALL).lower(), chosen.get("provider")
        kinds = self.drivers()
        if driver != ALL and driver not in kinds:
            raise Problem(
                400,
                f"no cloud has the driver {driver!r}",
                remedy=f"There are: {', '.join([ALL, *kinds])}",
            )
        names = list(self._broker.clouds) if driver == ALL else kinds[driver]
        if provider is not None:
            names = [name for name in names if name.lower() == provider.lower()] or _unknown(
                provider, names
            )
        every = "driver" in chosen and driver == ALL and provider is None
        qualified = every or len(names) > 1
        yield Selection(
            self._broker,
            tuple(names),
            qualified,
            driver if qualified else self._broker.clouds[names[0]],
            None if qualified else names[0],
        )


def _unknown(provider: str, names: Sequence[str]) -> list[str]:
    raise Problem(
        400, f"there is no provider {provider!r}", remedy=f"There are: {', '.join(names)}"
    )
