"""The check of accounts that come with each request."""

from __future__ import annotations

import builtins
import io
import itertools
import os
import socket
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import pytest

from anabranch.errors import AnabranchError, ConfigurationError
from anabranch.hooks import Ops
from anabranch.redaction import SecretStr
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, first_page, listable, told

__all__ = ["AccountChecks"]

_PASSWORD: Final = "Conf0rmance-Pa55"
_PROVIDERS: Final = (
    "",
    "envvars",
    "/etc/passwd",
    "file:///etc/passwd",
    f"http://someone:{_PASSWORD}@127.0.0.1:9/",
    "http://127.0.0.1:99999/",
    "http://[::1/",
    "http://127.0.0.1:9/\r\nX-Forwarded-For: nobody",
    "http://127.0.0.1:9/\x00",
    "\ud800",
)
_USERS: Final = (
    "someone",
    "someone@example.org",
    "a+b",
    "a/b",
    "%",
    "%00",
    "null",
    "~/.netrc",
    "{}",
)
_NO_USERS: Final = ("", "\x00", "some\none", "someone\x7f", "someone\udcff")


class AccountChecks(ConformanceBase):
    """What is asked of accounts."""

    async def test_an_account_is_a_login_and_no_more(self) -> None:
        """What strangers give as provider, user and password logs in, or is refused by its name."""
        if type(self.registry().driver(self.kind)).account is Ops.account:
            pytest.skip("the driver takes no accounts that come with each request")
        async with self.bench() as bench:
            provider, user, password = self.make_account(bench.entry)
            entry = self._entry(provider, user, password)
            if entry is None:
                pytest.fail(
                    "account refuses what the simulated cloud is reached by: let make_account say"
                    " how it is written",
                    pytrace=False,
                )
            await _log_in(bench, entry)
        for odd in itertools.product((provider, *_PROVIDERS), (user, *_USERS), ("", _PASSWORD)):
            self._entry(*odd)
        for nobody in _NO_USERS:
            if self._entry(provider, nobody, _PASSWORD) is not None:
                pytest.fail(
                    f"account takes the user {nobody!r}, whom HTTP Basic cannot carry: let it call"
                    " anabranch.settings.check_login",
                    pytrace=False,
                )

    def _entry(self, provider: str, user: str, password: str) -> Mapping[str, Any] | None:
        """Return the entry of an account, which `configure` takes; None: it is refused."""
        entry: Mapping[str, Any] | None
        driver = self.registry().driver(self.kind)
        what = f"account({provider!r}, {user!r}, …)"
        step = what
        try:
            with _nothing_opened(what):
                entry = {"driver": self.kind, **driver.account(provider, user, SecretStr(password))}
                shown = f"{entry!r} {entry}"
                step = f"configure, of what {what} returned,"
                shown += repr(driver.configure(NAME, entry, {}))
        except ConfigurationError as exc:
            if step is not what or exc.field not in ("provider", "user", "password"):
                pytest.fail(
                    f"{step} must raise a ConfigurationError of the field provider, user or"
                    f" password for what is wrong, and raised {told(exc)}",
                    pytrace=False,
                )
            entry, shown = None, f"{exc} {exc!r}"
        except Exception as exc:
            pytest.fail(f"{step} must raise nothing but ConfigurationError: {exc!r}", pytrace=False)
        if password and password in shown:
            pytest.fail(f"{what} shows the password: leave it in its SecretStr", pytrace=False)
        return entry


async def _log_in(bench: Bench, entry: Mapping[str, Any]) -> None:
    """Use the cloud that an entry is of."""
    bench.entry = entry
    broker = await bench.broker()
    try:
        for operation in listable(broker.capabilities(NAME))[:1]:
            await broker.invoke(NAME, operation, first_page(operation))
    except AnabranchError as exc:
        pytest.fail(f"the account of the simulated cloud is let in, and {told(exc)}", pytrace=False)


@contextmanager
def _nothing_opened(what: str) -> Generator[None]:
    """Fail where a file is opened, or a connection."""

    def opened(*args: Any, **kwargs: Any) -> NoReturn:
        del args, kwargs
        pytest.fail(
            f"{what} opens a file or a connection, and a stranger chose it: an entry that it"
            " returns holds the endpoint and the credentials, and nothing else",
            pytrace=False,
        )

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((builtins, "open"), (io, "open"), (os, "open")):
            patch.setattr(owner, name, opened)
        patch.setattr(socket.socket, "connect", opened)
        yield
