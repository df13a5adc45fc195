"""Whom a request is about: all clouds of one file, or the account that it brings with it."""

from __future__ import annotations

import platform
from collections.abc import AsyncGenerator, Container, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from typing import Final, Protocol

import msgspec

from anabranch import Broker, ConfigurationError, Ops, PluginError, SecretStr
from anabranch_server.access import Credentials
from anabranch_server.accounts import Accounts
from anabranch_server.problems import Problem

__all__ = ["ALL", "Backend", "Configured", "PassThrough", "Selection"]

ALL: Final = "all"
"""The driver that stands for all clouds at once."""


class Selection(msgspec.Struct, frozen=True):
    """The clouds that a request is about.

    Attributes:
        broker: Who calls them.
        clouds: Their names, in configuration order; none, if the request brings no account and
            needs none.
        qualified: Whether ids are `cloud/id`: several clouds, or all, are meant.
        driver: The kind of driver that is told, or `all`.
        provider: The provider that is told; None: none was chosen.
        account: Whether the clouds are called by credentials that came with the request.
    """

    broker: Broker
    clouds: tuple[str, ...]
    qualified: bool
    driver: str
    provider: str | None = None
    account: bool = False

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
        self, chosen: Mapping[str, str], credentials: Credentials | None, *, required: bool = True
    ) -> AbstractAsyncContextManager[Selection]:
        """Return a context in which a request may use its clouds.

        Leave it when the last byte of the reply is sent. Let an `AuthenticationError` through.

        Args:
            chosen: The `driver` and `provider` of the request, as far as it chooses them.
            credentials: What it brings.
            required: Whether it calls clouds; False: it is about the drivers.

        Raises:
            Problem: there is no such driver or provider, or credentials are needed and missing,
                or refused.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections; idempotent."""
        ...


class Configured:
    """All clouds of one configuration, with the credentials that stand there."""

    def __init__(self, broker: Broker) -> None:
        """Take the broker; `aclose` closes it."""
        self._broker = broker
        self._clouds = broker.clouds
        self._kinds: dict[str, list[str]] = {}
        for name, kind in self._clouds.items():
            self._kinds.setdefault(kind, []).append(name)
        self._known: dict[tuple[str, str], Selection] = {}

    def drivers(self) -> Mapping[str, Sequence[str]]:
        """Return the kinds of the clouds, each with the names of its clouds."""
        return self._kinds

    def select(
        self, chosen: Mapping[str, str], credentials: Credentials | None, *, required: bool = True
    ) -> AbstractAsyncContextManager[Selection]:
        """Choose by kind of driver, and by the cloud's name as the provider.

        Raises:
            Problem: there is no such driver or provider.
        """
        del credentials, required
        choice = chosen.get("driver", "").lower(), chosen.get("provider", "").lower()
        if choice not in self._known:  # and what is wrong never is
            self._known[choice] = self._selected(*choice)
        return nullcontext(self._known[choice])

    async def aclose(self) -> None:
        """Close the broker."""
        await self._broker.aclose()

    def _selected(self, driver: str, provider: str) -> Selection:
        if driver and driver != ALL and driver not in self._kinds:
            raise _no_driver(driver, [ALL, *self._kinds])
        there = self._kinds.get(driver, [*self._clouds])
        names = [name for name in there if provider in ("", name.lower())]
        if not names:
            raise _no_provider(provider, there)
        qualified = len(names) > 1 or (driver == ALL and not provider)
        return Selection(
            self._broker,
            tuple(names),
            qualified,
            (driver or ALL) if qualified else self._clouds[names[0]],
            None if qualified else names[0],
        )


class PassThrough:
    """One driver, and the account that each request brings with it.

    Connections are made to the providers that the operator allowed and to no other. A provider
    that is allowed without a region is so with any: `https://keystone:5000/v3;Porto`.
    """

    def __init__(
        self, broker: Broker, driver: str, *, provider: str = "", allowed: Sequence[str] = ()
    ) -> None:
        """Take the driver, and where it may connect to. The driver is loaded, which may block.

        Args:
            broker: One without clouds; those of the accounts are its siblings. `aclose` closes it.
            driver: Kind of driver.
            provider: The provider of requests that choose none; empty: they must, or the driver
                needs none.
            allowed: Further providers that requests may choose.

        Raises:
            PluginError: the driver cannot be loaded.
            ConfigurationError: the driver takes no accounts; providers are missing, not needed, or
                not written as they should be.
        """
        self._broker, self._kind = broker, driver
        self._accounts = Accounts(broker, driver)
        self._default = provider
        self._allowed = {_plain(one): one for one in (provider, *allowed) if one}
        self._realm = f"{driver}-deltacloud@{platform.node()}"
        _insist(broker.registry.driver(driver), [*self._allowed.values()])

    def drivers(self) -> Mapping[str, Sequence[str]]:
        """Return the one kind, with the providers that are allowed."""
        return {self._kind: [*self._allowed.values()]}

    @asynccontextmanager
    async def select(
        self, chosen: Mapping[str, str], credentials: Credentials | None, *, required: bool = True
    ) -> AsyncGenerator[Selection]:
        """Choose among the allowed providers, and call by the credentials of the request.

        An empty user with an empty password counts as none. Where no account is required, one that
        is refused counts as none, too, as in Deltacloud.

        Raises:
            Problem: see `Backend.select`.
        """
        driver = chosen.get("driver", "").lower()
        if driver not in ("", ALL, self._kind.lower()):
            raise _no_driver(driver, [self._kind])
        provider = self._provider(chosen.get("provider", ""))
        chosen_or_none = provider or None
        async with AsyncExitStack() as stack:
            if credentials is not None and (credentials.user or credentials.password):
                try:
                    broker = await stack.enter_async_context(
                        self._accounts.lease(provider, credentials)
                    )
                except Problem:
                    if required:
                        raise
                else:
                    yield Selection(
                        broker, (self._kind,), False, self._kind, chosen_or_none, account=True
                    )
                    return
            if required:
                raise Problem(
                    401,
                    "this needs the user and the password of an account",
                    kind="AuthenticationError",
                    headers={"WWW-Authenticate": f'Basic realm="{self._realm}"'},
                )
            yield Selection(self._broker, (), False, self._kind, chosen_or_none)

    async def aclose(self) -> None:
        """Close all accounts, and the broker."""
        await self._accounts.aclose()
        await self._broker.aclose()

    def _provider(self, wanted: str) -> str:
        """Return the provider as the operator wrote it; its region is the request's."""
        if not wanted:
            if self._allowed and not self._default:
                raise Problem(
                    400, "no provider is chosen", remedy=_there_are([*self._allowed.values()])
                )
            return self._default
        if (found := self._allowed.get(_plain(wanted))) is not None:
            return found
        url, semicolon, region = wanted.partition(";")
        if semicolon and (found := self._allowed.get(_plain(url))) is not None:
            return f"{found};{region}"
        raise _no_provider(wanted, [*self._allowed.values()])


def _plain(provider: str) -> str:
    return provider.rstrip("/").lower()


def _insist(driver: Ops, providers: Sequence[str]) -> None:
    """See at once what could only fail with every request."""
    if type(driver).account is Ops.account:
        raise ConfigurationError(
            f"{driver.title} takes no accounts that come with each request",
            field="--driver",
            remedy="Name its clouds in anabranch.yaml, and serve those",
        )
    wanted = driver.provider_help
    if wanted and not providers:
        raise ConfigurationError(f"{driver.title} needs one: {wanted}", field="--provider")
    if providers and not wanted:
        raise ConfigurationError(f"{driver.title} has none", field="--provider")
    for provider in providers:
        try:
            driver.account(provider, "user", SecretStr("password"))
        except ConfigurationError as error:
            if error.field == "provider":
                error.field = "--provider"
                raise


def _no_driver(driver: str, there: Sequence[str]) -> Problem:
    return Problem(400, f"there is no driver {driver!r} here", remedy=_there_are(there))


def _no_provider(provider: str, there: Sequence[str]) -> Problem:
    return Problem(400, f"there is no provider {provider!r} here", remedy=_there_are(there))


def _there_are(names: Sequence[str]) -> str:
    return f"There are: {', '.join(names)}" if names else "There are none"
