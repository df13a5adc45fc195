"""The commands of a collection other than list: made from the table of operations."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import typer

from anabranch import OPERATIONS, Broker, Configuration, Operation, PluginRegistry, operations_of
from anabranch_cli import blobs
from anabranch_cli.options import (
    CloudArgument,
    Columns,
    Extra,
    Format,
    FormatOption,
    NoHeader,
    View,
    complete_targets,
)
from anabranch_cli.parameters import parameters_of
from anabranch_cli.performing import Action, perform
from anabranch_cli.session import session
from anabranch_cli.signing import sign

__all__ = ["REACHED_OTHERWISE", "action_command", "names_of"]

REACHED_OTHERWISE: Final[Mapping[str, str]] = {
    "create_instances": "instances create --count",
    "open_blob": "blobs get",
    "create_blob": "blobs put",
    "begin_blob_upload": "blobs put --segment-size",
    "upload_blob_segment": "blobs put --segment-size",
    "complete_blob_upload": "blobs put --segment-size",
    "abort_blob_upload": "blobs put --segment-size, when it fails",
}
"""Operations that have no command of their own, and what reaches them."""

_SPECIAL: Final[Mapping[str, Mapping[str, Callable[..., int]]]] = {
    "blobs": {"get": blobs.get, "put": blobs.put},
}
_NAMES: Final[Mapping[str, str]] = {
    "get_instance_console": "console",
    "set_instance_tags": "tag",
    "register_instance": "register",
    "unregister_instance": "unregister",
}
_METHODS: Final[Mapping[str, str]] = {"show": "get", "tag": "set_tags"}
_WAIT: Final = 300.0


def names_of(collection: str) -> list[str]:
    """Return the names of all commands of a collection."""
    return [*_operations(collection), *_SPECIAL.get(collection, ())]


def action_command(collection: str, name: str) -> Callable[..., int] | None:
    """Return the function of a command; None if there is no such command."""
    if special := _SPECIAL.get(collection, {}).get(name):
        return special
    operation = _operations(collection).get(name)
    return _command(operation, name) if operation else None


def _operations(collection: str) -> dict[str, Operation]:
    operations = operations_of(collection)
    singular = _singular(collection)
    found: dict[str, Operation] = {}
    for op in operations:
        if op.name not in REACHED_OTHERWISE:
            words = op.name.replace(singular, "").split("_") if singular else [op.verb]
            name = "list" if op.lists else "-".join(filter(None, words))
            found[_NAMES.get(op.name, "show" if name == "get" else name)] = op
    return found


def _singular(collection: str) -> str:
    """Return what one member of a collection is called, by the operation that gets it."""
    return next((op.name[4:] for op in operations_of(collection) if op.verb == "get"), "")


def _command(operation: Operation, name: str) -> Callable[..., int]:
    """Make the function whose signature Typer reads: target, parameters, options."""
    method = _METHODS.get(name, name.replace("-", "_"))
    facade = inspect.signature(getattr(getattr(_facade(), operation.collection), method)).parameters
    parameters = parameters_of(operation)
    creates = operation.verb == "create"
    many = f"create_{operation.collection}" in OPERATIONS and creates
    action = Action(
        operation=operation,
        method=method,
        parameters=parameters,
        waits="wait" in facade,
        # what the façade calls the hook's parameters after the target
        names=[key for key in facade if key not in ("self", "cloud", "target", "timeout", "wait")],
    )
    several = not creates and not any(p.positional for p in parameters)

    def command(ctx: typer.Context, **values: Any) -> int:
        view = View(
            values.pop("format"),
            values.pop("columns"),
            extra=values.pop("extra"),
            no_header=values.pop("no_header"),
        )
        given: list[str] | str = values.pop("cloud") if creates else values.pop("targets")
        targets = [given] if isinstance(given, str) else given
        return perform(session(ctx), action, targets, values, view)

    signature: dict[str, tuple[Any, Any]] = {"ctx": (typer.Context, inspect.Parameter.empty)}
    if creates:
        signature["cloud"] = (CloudArgument, inspect.Parameter.empty)
    else:
        signature["targets"] = (_target(operation, several=several), inspect.Parameter.empty)
    for parameter in parameters:
        signature[parameter.key] = parameter.annotation(), parameter.default()
    signature |= _extras(operation, many=many, waits=action.waits)
    signature |= {
        "format": (FormatOption, Format.TABLE),
        "columns": (Columns, None),
        "extra": (Extra, False),
        "no_header": (NoHeader, False),
    }
    command.__doc__ = _help(operation, name)
    sign(command, signature)
    return command


@functools.cache
def _facade() -> Broker:
    """Return a broker without clouds and drivers, to look at its methods."""
    return Broker(Configuration(), registry=PluginRegistry(points=()))


def _target(operation: Operation, *, several: bool) -> Any:
    blob = operation.parameters[:2] == ("bucket_id", "blob_id")
    metavar = "CLOUD/BUCKET/BLOB" if blob else "CLOUD/ID"
    hint = f"The {_singular(operation.collection).replace('_', ' ')}"
    hint += "; several may be given." if several else "."
    argument = typer.Argument(metavar=metavar, help=hint, autocompletion=complete_targets)
    return Annotated[list[str], argument] if several else Annotated[str, argument]


def _extras(operation: Operation, *, many: bool, waits: bool) -> dict[str, tuple[Any, Any]]:
    """Return the options that a command has beyond the parameters of its operation."""
    found: dict[str, tuple[Any, Any]] = {}
    if many:
        option = typer.Option("--count", min=1, metavar="N", help="Make so many equal ones.")
        found["count"] = Annotated[int, option], 1
    if operation.verb == "set":
        option = typer.Option("--replace", help="Take away those that are not given.")
        found["replace"] = Annotated[bool, option], False
    if operation.verb == "destroy":
        option = typer.Option("--yes", "-y", help="Do not ask; needed without a terminal.")
        found["yes"] = Annotated[bool, option], False
    if operation.name == "create_key":
        option = typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="New file for the private key, readable to you only; otherwise stdout.",
        )
        found["output"] = Annotated[str | None, option], None
    if waits:
        option = typer.Option("--wait", "-w", help="Wait until it has taken effect.")
        found["wait"] = Annotated[bool, option], False
        option = typer.Option("--wait-timeout", min=0.001, metavar="SECONDS", help="… so long.")
        found["wait_timeout"] = Annotated[float, option], _WAIT
    return found


def _help(operation: Operation, name: str) -> str:
    text = operation.summary.replace("The broker takes NotFound for success: it is gone.", "")
    text = re.sub(r"^Return ", "Show ", text)  # what a method returns, a command shows
    text = re.sub(r",? and return (it|the)\b[^.]*", "", text)
    if operation.verb == "destroy":
        text += (
            "\n\nAsks first on a terminal; without one it refuses, unless --yes is given. "
            "What is gone already is no error."
        )
    if name in ("tag", "set-metadata"):
        text = re.sub("^Replace", "Set", text)
        text += "\n\nThose that are not given stay, unless --replace takes them away."
    if operation.name == "create_key":
        text += (
            "\n\nA private key that the cloud makes is shown this once: on stdout, or in the "
            "file of --output."
        )
    return text.strip()
