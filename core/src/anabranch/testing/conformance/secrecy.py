"""The check that no secret gets out."""

from __future__ import annotations

import io
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, Final

import anyio.to_thread
import msgspec
import pytest

from anabranch.errors import CloudError
from anabranch.facade import Broker
from anabranch.hooks import CloudIdentity
from anabranch.models import to_builtins
from anabranch.redaction import SecretStr
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, first_page, listable

__all__ = ["SecrecyChecks"]

_FAULTS: Final = ("401", "403", "429", "500", "503", "garbage", "reset", "")
_LEAST: Final = 4


class SecrecyChecks(ConformanceBase):
    """What is asked of secrets."""

    async def test_secrets_stay_secret(self) -> None:
        """The secrets of the settings are in no repr, log, error, item, and on no terminal."""
        async with self.bench() as bench:
            driver = self.registry().driver(self.kind)
            settings = await anyio.to_thread.run_sync(driver.configure, NAME, bench.entry, {})
            secrets = _secrets(settings)
            named = _in_the_open(settings)
            if named:
                pytest.fail(
                    f"the setting {named[0]!r} holds a secret: its type must be SecretStr, which"
                    " does not show itself",
                    pytrace=False,
                )
            if not secrets:
                pytest.skip("the settings have no secret (of the type SecretStr)")
            shown = {"repr of the settings": repr(settings), "str of them": str(settings)}
            with _captured() as written:
                broker = await bench.broker(retries=0)
                shown |= await self._readable(bench, broker)
            shown |= {name: stream.getvalue() for name, stream in written.items()}
        for where, text in shown.items():
            if found := next((name for name, secret in secrets.items() if secret in text), None):
                pytest.fail(
                    f"the value of the setting {found!r} is in the {where}:"
                    f" {_around(text, secrets[found])}. Call get_secret_value() only where it is"
                    " sent, never in a message, a log or a URL",
                    pytrace=False,
                )

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
                    text = "".join(traceback.format_exception(exc))
                    shown[f"error of {what}"] = f"{exc} {exc!r} {exc.remedy} {text}"
                else:
                    items = [result] if isinstance(result, CloudIdentity) else result.items
                    shown[f"result of {what}"] = f"{result!r} {to_builtins(items, extra=True)}"
        return shown


@contextmanager
def _captured() -> Iterator[dict[str, io.StringIO]]:
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
        if isinstance(value, SecretStr) and len(value.get_secret_value()) >= _LEAST:
            found[field] = value.get_secret_value()
        elif isinstance(value, msgspec.Struct):
            found |= {f"{field}.{name}": secret for name, secret in _secrets(value).items()}
    return found


def _in_the_open(settings: msgspec.Struct) -> list[str]:
    """The settings that by their names are secrets, and by their type are none."""
    found: list[str] = []
    for field in settings.__struct_fields__:
        value = getattr(settings, field)
        if isinstance(value, str) and value and field in ("password", "secret", "token"):
            found.append(field)
        elif isinstance(value, msgspec.Struct):
            found += [f"{field}.{name}" for name in _in_the_open(value)]
    return found


def _around(text: str, secret: str) -> str:
    at = text.index(secret)
    around = text[max(0, at - 60) : at + len(secret) + 20].replace(secret, "(the secret)")
    return f"“…{' '.join(around.split())}…”"
