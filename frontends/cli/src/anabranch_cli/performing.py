"""Doing one operation to one or several things, and telling what became of each."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import anyio
import msgspec
import typer

from anabranch import (
    AnabranchError,
    Broker,
    CloudError,
    ConfigurationError,
    Operation,
    PluginError,
    QualifiedId,
    SecretStr,
    to_builtins,
)
from anabranch_cli.columns import Column, columns_of
from anabranch_cli.listing import check_fields
from anabranch_cli.options import Format, View
from anabranch_cli.parameters import Parameter, beside, rest_of
from anabranch_cli.progress import watched
from anabranch_cli.render import render_items, render_record
from anabranch_cli.session import ExitCode, Session, harmless, sentence, tell, write

__all__ = ["Action", "perform"]

_AT_ONCE: Final = 16


class Action(NamedTuple):
    """How a command does its operation.

    Attributes:
        operation: The operation.
        method: Name of the façade's method.
        names: What that method calls the parameters after the target.
        parameters: The arguments and options.
        waits: Whether the method can wait for the effect.
    """

    operation: Operation
    method: str
    names: Sequence[str]
    parameters: Sequence[Parameter]
    waits: bool

    @property
    def creates(self) -> bool:
        """Whether it makes something, so that its target is a cloud."""
        return self.operation.verb == "create"


def perform(
    here: Session,
    action: Action,
    targets: Sequence[str],
    values: Mapping[str, Any],
    view: View,
) -> int:
    """Do an operation to every target, write what came of it, and return the exit code.

    Args:
        here: Where.
        action: What to do.
        targets: CLOUD, or CLOUD/ID; each once.
        values: The arguments and options by their keys.
        view: How to show what came of it.

    Raises:
        ConfigurationError: an argument is wrong; nothing was done.
    """
    targets = list(dict.fromkeys(targets))
    names = targets if action.creates else [QualifiedId.parse(target).cloud for target in targets]
    configuration = here.clouds(names)
    if action.operation.verb not in ("destroy",) and action.method != "console":
        check_fields(action.operation.model(), view)
    arguments = {
        target: _arguments(action, cloud, values, here.configuration().clouds)
        for target, cloud in zip(targets, names, strict=True)
    }
    if action.operation.verb == "destroy":
        _ask(action, targets, sure=values["yes"])
    output = _KeyFile(values["output"]) if values.get("output") else None
    run = _Run(here, action, arguments, values, view)

    async def main() -> int:
        async with Broker(configuration) as broker:
            await watched(here, run.pending, lambda: run.all(broker))
        return run.show(output)

    try:
        return here.run(main)
    finally:
        if output:
            output.close()


class _Run:
    """The outcomes so far."""

    def __init__(
        self,
        here: Session,
        action: Action,
        arguments: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, Any],
        view: View,
    ) -> None:
        self._session, self._action, self._view, self._values = here, action, view, values
        self._arguments = arguments
        self._items: dict[str, list[dict[str, Any]]] = {}
        self._secrets = action.creates or action.method == "console"
        self._failed: dict[str, AnabranchError] = {}

    def pending(self) -> list[str]:
        """Return the targets that are not done yet."""
        return [t for t in self._arguments if t not in self._items and t not in self._failed]

    async def all(self, broker: Broker) -> None:
        """Do it to all targets, some at a time."""
        places = anyio.CapacityLimiter(_AT_ONCE)

        async def one(target: str) -> None:
            async with places:
                try:
                    self._items[target] = await self._do(broker, target)
                except AnabranchError as exc:
                    self._failed[target] = exc

        async with anyio.create_task_group() as group:
            for target in self._arguments:
                group.start_soon(one, target)

    def show(self, output: _KeyFile | None) -> int:
        """Write what came of it, and return the exit code."""
        items = [item for target in self._arguments for item in self._items.get(target, ())]
        collection = self._action.operation.collection
        if output and items:
            output.keep(items[0])
        if items:
            self._write(items, collection)
        for target, exc in self._failed.items():
            tell(f"error: {target}: {_explained(exc)}")
        if not self._failed:
            return ExitCode.COMPLETE
        misused = (ConfigurationError, PluginError)
        every = all(isinstance(exc, misused) for exc in self._failed.values())
        return ExitCode.MISUSED if every else ExitCode.FAILED

    def _write(self, plain: list[dict[str, Any]], collection: str) -> None:
        view = self._view
        if view.format is Format.TABLE and len(plain) == 1:
            if text := plain[0].get("text"):  # what a console printed
                write("".join(f"{harmless(line)}\n" for line in text.splitlines()))
                return
            if key := plain[0].get("private_key"):
                write(key if key.endswith("\n") else f"{key}\n")
                tell(f"made {plain[0]['cloud']}/{plain[0]['id']}; this is shown only once")
                return
        if len(self._arguments) == 1 and len(plain) == 1:
            render_record(self._session, plain[0], view)
            return
        columns = columns_of(collection, view.columns)
        if "outcome" in plain[0]:
            columns = [Column(name, name) for name in plain[0]]
        render_items(self._session, plain, view, columns)

    async def _do(self, broker: Broker, target: str) -> list[dict[str, Any]]:
        action, arguments = self._action, dict(self._arguments[target])
        facade: Any = getattr(broker, action.operation.collection)
        if action.waits and self._values["wait"]:
            arguments["wait"] = self._values["wait_timeout"]
        if self._values.get("count", 1) > 1:
            made = list(await facade.create_many(target, arguments["spec"], self._values["count"]))
            if "wait" in arguments:
                made = [await facade.wait(one.qualified_id, "RUNNING") for one in made]
            return [self._plain(one) for one in made]
        if self._values.get("replace") is False:
            (key,) = action.names
            current = getattr(await facade.get(target), key)
            arguments[key] = {**current, **arguments[key]}
        found = await getattr(facade, action.method)(target, **arguments)
        if action.operation.verb == "destroy":
            where = QualifiedId.parse(target)
            outcome = "destroyed" if found else "was gone already"
            return [{"cloud": where.cloud, "id": where.id, "outcome": outcome}]
        return [self._plain(found)]

    def _plain(self, item: Any) -> dict[str, Any]:
        plain: dict[str, Any] = to_builtins(item, extra=self._view.extra)
        if self._secrets:
            _reveal(item, plain)
        return plain


class _KeyFile:
    """The new file that a private key goes to, readable to its owner only.

    It is made before the key, so that no key is made that could not be kept.
    """

    def __init__(self, path: str) -> None:
        self._path, self._kept = Path(path), False
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as exc:
            raise ConfigurationError(
                f"{path!r} cannot be made: {exc.strerror}",
                field="--output",
                remedy="Name a new file",
            ) from None

    def keep(self, key: dict[str, Any]) -> None:
        """Write the private key, and take it out of what is shown."""
        secret = key.pop("private_key", None)
        if secret is None:
            tell(f"{self._path}: not written, the cloud gave no private key")
            return
        os.write(self._descriptor, str(secret).encode())
        self._kept = True

    def close(self) -> None:
        """Close the file, and remove it if nothing is in it."""
        os.close(self._descriptor)
        if not self._kept:
            self._path.unlink()


def _arguments(
    action: Action, cloud: str, values: Mapping[str, Any], others: Iterable[str]
) -> dict[str, Any]:
    """Return the arguments of the façade's method, after the target."""
    read: dict[str, Any] = {}
    for parameter in action.parameters:
        value = parameter.value(values[parameter.key])
        if parameter.takes_ids and isinstance(value, str):
            value = beside(cloud, value, others)
        elif parameter.takes_ids and value is not None:
            value = tuple(beside(cloud, one, others) for one in value)
        if value is not None or not parameter.of_spec:
            read[parameter.key] = value
    rest = rest_of(action.operation)
    if "spec" in rest:
        read = {"spec": _spec(action, read)}
    given = [read[key] for key in rest]
    return dict(zip(action.names, given, strict=True))


def _spec(action: Action, fields: Mapping[str, Any]) -> Any:
    kind = action.operation.types()["spec"]
    try:
        return msgspec.convert(fields, kind, strict=False)
    except msgspec.ValidationError as exc:
        what, _, path = str(exc).replace("`", "'").partition(" - at '$.")
        key = path.rstrip("'").partition(".")[0].partition("[")[0]
        option = next((p.name for p in action.parameters if p.key == key), "")
        raise ConfigurationError(what, field=f"--{option}" if option else None) from None


def _ask(action: Action, targets: Sequence[str], *, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise ConfigurationError(
            "destroy asks first, and there is no terminal to ask on", remedy="Add --yes"
        )
    names = harmless(", ".join(targets))
    typer.confirm(f"Destroy {names}?", abort=True, err=True)


def _explained(exc: AnabranchError) -> str:
    if not isinstance(exc, CloudError):
        return str(exc)
    text = exc.message or type(exc).__doc__ or type(exc).__name__
    return sentence(text, exc.remedy, exc.request_id)


def _reveal(item: msgspec.Struct, plain: dict[str, Any]) -> None:
    """Put secrets in the place of their masks: the answer that tells them is the only one."""
    for field in msgspec.structs.fields(item):
        value = getattr(item, field.name)
        if isinstance(value, SecretStr):
            plain[field.name] = value.get_secret_value()
        elif isinstance(value, msgspec.Struct):
            _reveal(value, plain[field.name])
