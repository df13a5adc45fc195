"""Accounts that come with the requests: what a daemon that has no credentials of its own calls by.

An account is a provider, a user and a password. Who brings it first waits while it is checked, and
from then on it is warm: its connections and tokens are there for all who bring the same.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import anyio
import msgspec

from anabranch import (
    AnabranchError,
    AuthenticationError,
    Broker,
    ConfigurationError,
    PermissionDenied,
)
from anabranch_server.access import Credentials
from anabranch_server.problems import problem_of

__all__ = ["Accounts"]

_MOST: Final = 256


class _Account:
    """A broker with one cloud, and what is known of its credentials."""

    __slots__ = ("broker", "good", "lock", "refusal", "users")

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.good = False
        self.refusal: AnabranchError | None = None
        self.lock = anyio.Lock()
        self.users = 0


class Accounts:
    """The warm accounts of one driver.

    * An account is checked, by the cheapest call that the driver has for it, before its first use.
      Many who bring the same new one wait for one check. If that fails, all of them get that
      error, nothing else was asked of the cloud, and nothing is kept: wrong passwords push no good
      account out, and are not remembered.
    * An account is found by a hash of all three under a key of this process alone, so that a wrong
      password finds nothing, no password is kept here, and the time of a look-up tells nothing.
      Its driver has the password, to log in again.
    * One that is refused later, for its password was changed, is forgotten; who brings it again
      is checked again. Until the platform refuses it, a token that it gave is used, as it means.
    * At most 256 are kept, the ones used last. One that somebody uses stays, so that for a while
      there may be more. One that goes is closed.
    * An account does not grow cold with time: the mock driver's cloud lives in its account.

    It belongs to one event loop.
    """

    def __init__(self, broker: Broker, kind: str, *, most: int = _MOST) -> None:
        """Take what the accounts share; the driver is loaded, which may block.

        Args:
            broker: Whose siblings the brokers of the accounts become.
            kind: Kind of driver; the one cloud of each broker is called so, too.
            most: How many to keep.

        Raises:
            PluginError: the driver cannot be loaded.
        """
        self._broker, self._kind, self._most = broker, kind, most
        self._driver = broker.registry.driver(kind)
        self._secret = secrets.token_bytes(32)
        self._new: dict[bytes, _Account] = {}
        self._kept: OrderedDict[bytes, _Account] = OrderedDict()

    def __len__(self) -> int:
        """How many accounts are warm."""
        return len(self._kept)

    @asynccontextmanager
    async def lease(self, provider: str, credentials: Credentials) -> AsyncGenerator[Broker]:
        """Lend the broker of an account; it is not closed before it is given back.

        Let an `AuthenticationError` of its calls through, or a password that was changed since
        is not noticed.

        Args:
            provider: Which of the platform's clouds; trusted, for it is connected to.
            credentials: User and password.

        Raises:
            Problem: 401, they are refused, or no user is written like that; else what became of
                the check.
        """
        key = self._key(provider, credentials)
        account = self._kept.get(key) or self._new.get(key)
        if account is None:
            account = self._new[key] = _Account(self._sibling(provider, credentials))
        account.users += 1
        try:
            if not account.good:
                await self._check(key, account)
            if key in self._kept:
                self._kept.move_to_end(key)
            yield account.broker
        except AuthenticationError:
            self._forget(key, account)
            raise
        finally:
            account.users -= 1
            await self._tidy(key, account)

    async def aclose(self) -> None:
        """Close all accounts; idempotent."""
        accounts = [*self._kept.values(), *self._new.values()]
        self._kept.clear()
        self._new.clear()
        with anyio.CancelScope(shield=True):
            async with anyio.create_task_group() as group:
                for account in accounts:
                    group.start_soon(account.broker.aclose)

    def _key(self, provider: str, credentials: Credentials) -> bytes:
        parts = (provider, credentials.user, credentials.password.get_secret_value())
        return hashlib.blake2b(msgspec.json.encode(parts), key=self._secret).digest()

    def _sibling(self, provider: str, credentials: Credentials) -> Broker:
        try:
            entry = self._driver.account(provider, credentials.user, credentials.password)
            return self._broker.sibling({self._kind: {**entry, "driver": self._kind}})
        except ConfigurationError as error:
            problem = problem_of(error)
            if error.field in ("user", "password"):
                problem.status = 401
            raise problem from None

    async def _check(self, key: bytes, account: _Account) -> None:
        async with account.lock:
            if account.refusal is None and not account.good:
                try:
                    await account.broker.check(self._kind)
                except PermissionDenied:
                    pass  # to whom it is not allowed to ask who he is, he is let in all the same
                except AnabranchError as error:
                    account.refusal = error
                    self._forget(key, account)
                if account.refusal is None:
                    account.good = True
                    if self._new.get(key) is account:
                        self._kept[key] = self._new.pop(key)
            if account.refusal is not None:
                # Another for each who waited: an exception keeps the traceback of every raise.
                raise problem_of(account.refusal)

    async def _tidy(self, key: bytes, account: _Account) -> None:
        """Close what nobody uses and nobody is to find again."""
        gone: list[_Account] = []
        if not account.users and self._kept.get(key) is not account:
            self._forget(key, account)
            gone.append(account)
        while len(self._kept) > self._most:
            idle = next((k for k, kept in self._kept.items() if not kept.users), None)
            if idle is None:
                break
            gone.append(self._kept.pop(idle))
        for one in gone:
            await one.broker.aclose()

    def _forget(self, key: bytes, account: _Account) -> None:
        """Let nobody find an account any more; another may be in its place already."""
        for found in (self._new, self._kept):
            if found.get(key) is account:
                del found[key]
