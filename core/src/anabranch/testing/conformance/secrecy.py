"""The check that no secret gets out."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Awaitable, Callable, Collection, Generator, Hashable, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, ClassVar, Final
from urllib.parse import unquote_plus

import anyio.to_thread
import msgspec
import pytest

from anabranch.cloud import Token, TokenStore
from anabranch.errors import CloudError
from anabranch.facade import Broker
from anabranch.features import Feature
from anabranch.hooks import CloudIdentity
from anabranch.models import to_builtins
from anabranch.redaction import SecretStr, redact
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, first_page, listable

__all__ = ["SecrecyChecks"]

_FAULTS: Final = ("401", "403", "429", "500", "503", "garbage", "reset", "")
_LEAST: Final = 4
_OF_A_MACHINE: Final = {"password": "Conf0rmance-Pa55", "user_data": "#cloud-config of nobody"}
"""Secrets that a machine is given, where it can be."""
_ABOUT: Final = ("_file", "_path", "_url", "_id", "_name", "_command")
"""Ends of the names of what says where a secret is, or whose."""


class SecrecyChecks(ConformanceBase):
    """What is asked of secrets.

    Attributes:
        sent_in_urls: Settings, by their dotted names, that the protocol of the platform puts
            into the URLs of its requests (CloudStack: its `key`).
    """

    sent_in_urls: ClassVar[Collection[str]] = ()

    async def test_secrets_stay_secret(self) -> None:
        """What the settings and logins hold is in no repr, log, error, item, URL or output."""
        async with self.bench(odd=True) as bench:
            driver = self.registry().driver(self.kind)
            settings = await anyio.to_thread.run_sync(
                driver.configure, NAME, bench.entry, dict[str, str]()
            )
            secrets = _secrets(settings)
            named = _in_the_open(settings)
            if named:
                pytest.fail(
                    f"the setting {named[0]!r} holds a secret: its type must be SecretStr, which"
                    " does not show itself",
                    pytrace=False,
                )
            if short := next((name for name, s in secrets.items() if len(s) < _LEAST), None):
                pytest.fail(
                    f"the value of {short} is too short to be looked for: give the simulated"
                    f" cloud one of {_LEAST} characters or more",
                    pytrace=False,
                )
            if not secrets:
                pytest.skip("the settings have no secret (of the type SecretStr)")
            shown = {"repr of the settings": repr(settings), "str of them": str(settings)}
            with _captured() as written, _logins() as tokens:
                broker = await bench.broker(retries=0)
                shown |= await self._readable(bench, broker)
                shown |= await self._refused_create(bench)
            shown |= {name: stream.getvalue() for name, stream in written.items()}
            urls = _urls(bench)
        hidden = {name: s for name, s in secrets.items() if name not in self.sent_in_urls}
        _search(urls, hidden, "send it in a header or in the body")
        for where, text in shown.items():
            _search({where: text}, _OF_A_MACHINE, "no message repeats what was sent")
            _search({where: text}, secrets, "call get_secret_value() only where it is sent")
            _search({where: text}, tokens, "a token is a secret, too: keep it in anabranch's Token")

    async def _readable(self, bench: Bench, broker: Broker) -> dict[str, str]:
        """Use the cloud in good and in bad condition, and return all that there is to read."""
        shown: dict[str, str] = {"repr of the broker": repr(broker)}
        operations = ["check", *listable(broker.capabilities(NAME))]
        for fault in _FAULTS:
            bench.break_with(*([fault] if fault else []))
            broker = await bench.broker(retries=0)
            for operation in operations[:_LEAST] if fault else operations:
                given = {} if operation == "check" else first_page(operation)
                what = f"{operation} on {fault}" if fault else operation
                try:
                    result: Any = await broker.invoke(NAME, operation, given)
                except CloudError as exc:
                    shown[f"error of {what}"] = _told(exc)
                else:
                    items = [result] if isinstance(result, CloudIdentity) else result.items
                    shown[f"result of {what}"] = f"{result!r} {to_builtins(items, extra=True)}"
        return shown

    async def _refused_create(self, bench: Bench) -> dict[str, str]:
        """Ask in vain for a machine that is given secrets, and return what is told of it."""
        shown: dict[str, str] = {}
        broker = await bench.warm(retries=0)
        offered = broker.capabilities(NAME)
        if "create_instance" not in offered:
            return shown
        spec = await self.spec(bench, broker, "secretive")
        if Feature.AUTHENTICATION_PASSWORD in offered["create_instance"].features:
            spec = msgspec.structs.replace(spec, password=SecretStr(_OF_A_MACHINE["password"]))
        if Feature.USER_DATA in offered["create_instance"].features:
            data = _OF_A_MACHINE["user_data"].encode()
            spec = msgspec.structs.replace(spec, user_data=data)
        for fault in ("409", "500", "garbage", "lost"):
            bench.break_with(fault)
            try:
                await broker.invoke(NAME, "create_instance", {"spec": spec})
            except CloudError as exc:
                shown[f"error of create_instance on {fault}"] = _told(exc)
            bench.break_with()
        return shown


def _told(exc: CloudError) -> str:
    trace = "".join(traceback.format_exception(exc))
    return f"{exc} {exc!r} {exc.message} {exc.remedy} {trace}"


def _search(texts: Mapping[str, str], secrets: Mapping[str, str], remedy: str) -> None:
    """Fail when a secret is in a text, and say where."""
    for where, text in texts.items():
        for name, secret in secrets.items():
            if secret in text:
                pytest.fail(
                    f"the value of {name} is in the {where}: {_around(text, secret)}: {remedy}",
                    pytrace=False,
                )


def _urls(bench: Bench) -> dict[str, str]:
    """The URLs of all requests, as far as they can hold a secret, and decoded."""
    if bench.simulated is None:
        return {}
    log = bench.simulated.requests
    sent = [*(request.path for request in log), *log.queries]
    return {"URL of a request": "\n".join(unquote_plus(text) for text in sent)}


@contextmanager
def _logins() -> Generator[dict[str, str]]:
    """Collect the tokens that logins give."""
    tokens: dict[str, str] = {}
    get = TokenStore.get

    async def noted(
        store: TokenStore, key: Hashable, login: Callable[[], Awaitable[Token]]
    ) -> Token:
        token = await get(store, key, login)
        secret = token.value.get_secret_value()
        if len(secret) >= _LEAST:
            tokens[f"the login {key!r}"] = secret
        return token

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenStore, "get", noted)
        yield tokens


@contextmanager
def _captured() -> Generator[dict[str, io.StringIO]]:
    """Capture all that is logged, from DEBUG on, and all that is printed."""
    streams = {"logs": io.StringIO(), "standard output": io.StringIO()}
    handler = logging.StreamHandler(streams["logs"])
    root, own = logging.getLogger(), logging.getLogger("anabranch")
    levels = {logger: logger.level for logger in (root, own)}
    for logger in levels:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        terminal = streams["standard output"]
        with redirect_stdout(terminal), redirect_stderr(terminal):
            yield streams
    finally:
        root.removeHandler(handler)
        for logger, level in levels.items():
            logger.setLevel(level)


def _secrets(settings: msgspec.Struct) -> dict[str, str]:
    """The secrets in settings, by the name of the field."""
    found: dict[str, str] = {}
    for field in settings.__struct_fields__:
        value = getattr(settings, field)
        if isinstance(value, SecretStr) and value:
            found[field] = value.get_secret_value()
        elif isinstance(value, msgspec.Struct):
            found |= {f"{field}.{name}": secret for name, secret in _secrets(value).items()}
    return found


def _in_the_open(settings: msgspec.Struct) -> list[str]:
    """The settings that by their names are secrets, and by their type are none."""
    found: list[str] = []
    for field in settings.__struct_fields__:
        value = getattr(settings, field)
        if field.endswith(_ABOUT):
            continue
        if isinstance(value, str) and value and redact({field: value})[field] != value:
            found.append(field)
        elif isinstance(value, msgspec.Struct):
            found += [f"{field}.{name}" for name in _in_the_open(value)]
    return found


def _around(text: str, secret: str) -> str:
    at = text.index(secret)
    around = text[max(0, at - 60) : at + len(secret) + 20].replace(secret, "(the secret)")
    return f"“…{' '.join(around.split())}…”"
