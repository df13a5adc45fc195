"""Arguments and options without pydantic, where there is nothing to convert.

Typer converts every value with pydantic, even text to text and nothing to nothing, and importing
that costs 0.1 s of CPU: a quarter of what listing ten clouds costs. What is as it should be
already is therefore taken as it is; all else is left to Typer, its error messages included.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final, get_origin

__all__ = ["lightened"]


_LEFT_TO_TYPER: Final = object()


def lightened(command: Any, ctx: Any) -> Any:
    """Let the parameters of a Typer command convert only what needs it, and return the command.

    Args:
        command: The command, or group; its commands too.
        ctx: Its context, or that of the group that it is in.
    """
    for member in getattr(command, "commands", {}).values():
        lightened(member, ctx)
    for parameter in (*command.params, command.get_help_option(ctx)):
        process = getattr(parameter, "process_value", None)
        kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if process and kind:
            # An attribute of the object goes before the method of its class.
            vars(parameter)["process_value"] = _converter(parameter, process, kind)
    return command


def _converter(
    parameter: Any, process: Callable[[Any, Any], Any], kind: Any
) -> Callable[[Any, Any], Any]:
    def process_value(ctx: Any, given: Any) -> Any:
        value = _as_it_is(kind, given, required=parameter.required)
        if value is _LEFT_TO_TYPER:
            return process(ctx, given)
        return parameter.callback(ctx, parameter, value) if parameter.callback else value

    return process_value


def _as_it_is(kind: Any, value: Any, *, required: bool) -> Any:
    many = get_origin(kind) is list
    if value is None and not required:
        return () if many else None
    if kind == list[str] and value and not isinstance(value, str):
        return value
    if isinstance(kind, type) and not many:
        if isinstance(value, kind):
            return value
        if issubclass(kind, Enum):
            return next((member for member in kind if value == member.value), _LEFT_TO_TYPER)
    return _LEFT_TO_TYPER
