"""The parameters of an operation as arguments and options of a command, and back."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
import typer

from anabranch import ConfigurationError, Operation, SecretStr

__all__ = ["Parameter", "beside", "pairs", "parameters_of", "rest_of"]

_COLONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Listener": ("protocol", "load_balancer_port", "instance_port"),
    "RuleSource": ("cidr",),
}
"""Structs that can be written as values with colons between, and the fields of these."""

_RENAMED: Final = {"hardware": "set-hardware", "listeners": "listener", "sources": "source"}
_ARGUMENTS: Final = ("name", "hardware_profile_id", "instance_id", "rule_id")
_DESCRIBED: Final = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_ABSENT: Final = inspect.Parameter.empty


class Parameter:
    """One argument or option.

    Attributes:
        key: Name of the field or of the hook's parameter; Typer's name of it too.
        of_spec: Whether it is a field of the operation's spec.
        positional: Whether it is an argument; otherwise an option.
        required: Whether it must be given.
    """

    def __init__(
        self, key: str, hint: Any, *, of_spec: bool, required: bool, description: str
    ) -> None:
        self.key, self.of_spec, self.required = key, of_spec, required
        self._many, self._named, self._kind = _shape(hint)
        self.positional = not of_spec and (key in _ARGUMENTS or self._named)
        plain = description.replace("`", "").replace("None: ", "otherwise: ")
        self._description = " ".join(plain.split())

    @property
    def name(self) -> str:
        """The option's name without its dashes: `firewall` for `firewall_ids`."""
        if self.key in _RENAMED:
            return _RENAMED[self.key]
        name = re.sub(r"_ids?$", "", self.key)
        return (name.removesuffix("s") if self._named else name).replace("_", "-")

    @property
    def takes_ids(self) -> bool:
        """Whether its values are ids of the same cloud."""
        return self.key.endswith(("_id", "_ids"))

    def annotation(self) -> Any:
        """Return the type, with argument or option, that Typer reads."""
        kind: Any = self._kind if _is(self._kind, (bool, Enum)) else str
        shape: Any = list[kind] if self._repeats else kind
        if self.positional:
            metavar = "NAME=VALUE" if self._named else self.name.upper()
            if self._named:
                shape = shape | None
            return Annotated[shape, typer.Argument(metavar=metavar, help=self._help())]
        flags = [f"--{self.name}"]
        if kind is not bool and (full := self.key.replace("_", "-")) != self.name:
            flags.append(f"--{full}")
        option: Any = typer.Option(
            *flags,
            metavar=None if _is(kind, (bool, Enum)) else self._metavar(),
            help=self._help(),
            case_sensitive=False,
        )
        return Annotated[shape if self.required or kind is bool else shape | None, option]

    def default(self) -> Any:
        """Return the default that Typer reads."""
        if self.required and not (self.positional and self._named):
            return _ABSENT
        return False if self._kind is bool else None

    def value(self, given: Any) -> Any:
        """Return what was given on the command line as what the field wants.

        Raises:
            ConfigurationError: it is not of the right form.
        """
        if self._named:
            given = given or ()
        if given is None or self._kind is bool:
            return given
        if self._named:
            return {key: self._one(text) for key, text in pairs(given, self._option).items()}
        if _is(self._kind, msgspec.Struct) and not self._many:
            return pairs(given, self._option)
        return tuple(map(self._one, given)) if self._many else self._one(given)

    @property
    def _repeats(self) -> bool:
        return self._many or self._named or _is(self._kind, msgspec.Struct)

    @property
    def _option(self) -> str:
        return self.name.upper() if self.positional else f"--{self.name}"

    def _one(self, text: Any) -> Any:
        if self._kind is SecretStr:
            return SecretStr(self._content(text).decode().rstrip("\r\n"))
        if self._kind is bytes:
            return self._content(text)
        if _is(self._kind, msgspec.Struct):
            colons = _COLONS[self._kind.__name__]
            if "=" in text:
                return pairs(text.split(","), self._option)
            return dict(zip(colons, text.split(":", len(colons) - 1), strict=False))
        return text

    def _content(self, text: str) -> bytes:
        if not text.startswith("@"):
            return text.encode()
        if text == "@-":
            return sys.stdin.buffer.read()
        try:
            return Path(text[1:]).read_bytes()
        except OSError as exc:
            raise ConfigurationError(
                f"{text[1:]!r} cannot be read: {exc.strerror}", field=self._option
            ) from None

    def _metavar(self) -> str:
        if self._kind in (bytes, SecretStr):
            return "NAME=@FILE" if self._named else "TEXT|@FILE"
        if self._many and _is(self._kind, msgspec.Struct):
            return ":".join(_COLONS[self._kind.__name__]).upper()
        if self._named or _is(self._kind, msgspec.Struct):
            return "NAME=VALUE"
        if self.takes_ids:
            return "ID"
        return "N" if self._kind in (int, float) else "TEXT"

    def _help(self) -> str:
        text = self._description
        if text.startswith("("):
            text = f"{self.key.replace('_', ' ').capitalize()} {text}"
        if _is(self._kind, msgspec.Struct):
            fields = ", ".join(field.name for field in msgspec.structs.fields(self._kind))
            text = f"{text} By name: {fields}.".lstrip()
        return f"{text} May be repeated.".lstrip() if self._repeats else text


def parameters_of(operation: Operation) -> list[Parameter]:
    """Return the arguments and options that an operation's command has after its target."""
    hints = operation.types()
    found: list[Parameter] = []
    for key in rest_of(operation):
        if key == "spec":
            found += _fields(hints[key])
        else:
            # None is allowed where a hook's parameter is a wish
            wish = type(None) in get_args(hints[key]) or hints[key] is bool
            found.append(
                Parameter(key, hints[key], of_spec=False, required=not wish, description="")
            )
    return found


def rest_of(operation: Operation) -> tuple[str, ...]:
    """Return the parameters of the hook after those that say what it is about."""
    if operation.verb == "create":
        return operation.parameters
    of_blob = operation.parameters[:2] == ("bucket_id", "blob_id")
    return operation.parameters[2 if of_blob else 1 :]


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """Read NAME=VALUE.

    Raises:
        ConfigurationError: a text is not of that form.
    """
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not (name and sign):
            raise ConfigurationError(f"{text!r} is not NAME=VALUE", field=option)
        found[name] = value
    return found


def beside(cloud: str, value: str, others: Iterable[str]) -> str:
    """Return an id as the cloud itself writes it: without its own name before it.

    Raises:
        ConfigurationError: the id is of another cloud.
    """
    there, slash, rest = value.partition("/")
    if slash and there == cloud:
        return rest
    if slash and there in others:
        raise ConfigurationError(f"{value} is not on {cloud}", remedy="Both must be on one cloud")
    return value


def _fields(spec: type[msgspec.Struct]) -> list[Parameter]:
    described = dict(_DESCRIBED.findall(inspect.getdoc(spec) or ""))
    hints = get_type_hints(spec)
    return [
        Parameter(
            field.name,
            hints[field.name],
            of_spec=True,
            required=field.required,
            description=described.get(field.name, ""),
        )
        for field in msgspec.structs.fields(spec)
    ]


def _shape(hint: Any) -> tuple[bool, bool, Any]:
    """Return whether there are many, whether each has a name, and the kind of each."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint, *_) = (kind for kind in get_args(hint) if kind is not type(None))
    if get_origin(hint) is tuple:
        return True, False, get_args(hint)[0]
    if _is(get_origin(hint), Mapping):
        return False, True, get_args(hint)[1]
    return False, False, hint


def _is(kind: Any, of: type | tuple[type, ...]) -> bool:
    return isinstance(kind, type) and issubclass(kind, of)
