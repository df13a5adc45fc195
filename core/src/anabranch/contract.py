"""Whether an object keeps the contract of drivers, as far as that shows without calling it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, get_args

import msgspec

from anabranch.errors import PluginError
from anabranch.features import FEATURES, offered_by
from anabranch.hooks import API_VERSION, PROJECT, DriverSpec, Ops
from anabranch.operations import OPERATIONS
from anabranch.redaction import SecretStr
from anabranch.settings import CloudSettings, suggestion
from anabranch.states import StateMachine

__all__ = ["checked", "parameters_of"]

_HOOKS: Final[Mapping[str, Callable[..., Any]]] = {
    name: spec
    for name in dir(DriverSpec)
    if hasattr(spec := getattr(DriverSpec, name), f"{PROJECT}_spec")
}
_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)


def checked(kind: str, driver: Any) -> Ops:
    """See that a driver keeps the contract.

    Args:
        kind: Its kind, for the errors.
        driver: What its entry point leads to.

    Raises:
        PluginError: it does not; the message says in what.
    """
    try:
        wrong = next(_breaches(driver), None)
    except KeyboardInterrupt:  # of a person, as far as can be told
        raise
    except BaseException as exc:  # a property of its own that raises
        raise PluginError(f"driver {kind!r} cannot be examined: {exc!r}") from exc
    if wrong:
        raise PluginError(f"driver {kind!r}{wrong}")
    known: Ops = driver
    return known


def parameters_of(hookimpl: Callable[..., Any]) -> tuple[str, ...]:
    """Return the parameters of a hookimpl that it can be given, without `self`."""
    parameters = inspect.signature(hookimpl).parameters
    return tuple(n for n, p in parameters.items() if n != "self" and p.kind in _BY_NAME)


def _breaches(driver: Any) -> Iterator[str]:
    cls: type[Any] = type(driver)  # pyright: ignore[reportUnknownVariableType]
    if _is_derived(driver):
        yield f" is a class. Publish an object of it: driver = {driver.__name__}()"
    if not _is_derived(cls):
        yield " is no object of a class derived from DriverSpec"
    version = getattr(driver, "api_version", None)
    if version != API_VERSION:
        yield f" is written for version {version} of the contract, this is version {API_VERSION}"
    yield from _wrong_attributes(driver)
    for name, function in _functions(cls):
        yield from _wrong_hookimpl(name, function)


def _is_derived(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, DriverSpec)


def _wrong_attributes(driver: Any) -> Iterator[str]:
    title: object = getattr(driver, "title", None)
    if not isinstance(title, str) or not title:
        yield f": its title is {title!r}, not the name of a platform"
    settings: object = getattr(driver, "settings_type", None)
    if not isinstance(settings, type) or not issubclass(settings, CloudSettings):
        yield f": its settings_type is {settings!r}, not a class derived from CloudSettings"
    else:
        yield from _secrets_in_code(settings)
    states: object = getattr(driver, "instance_states", None)
    if states is not None and not isinstance(states, StateMachine):
        yield f": its instance_states are {states!r}, not a StateMachine"


def _secrets_in_code(settings: type[msgspec.Struct]) -> Iterator[str]:
    groups = [settings]
    for group in groups:  # grows by the groups in it
        for field in msgspec.structs.fields(group):
            if isinstance(field.default, SecretStr):
                yield f": its settings field {field.name!r} has a secret for a default"
            groups += [
                kind
                for kind in (field.type, *get_args(field.type))
                if isinstance(kind, type)
                and issubclass(kind, msgspec.Struct)
                and kind not in groups
            ]


def _wrong_hookimpl(name: str, function: Callable[..., Any]) -> Iterator[str]:
    options: Mapping[str, Any] | None = getattr(function, f"{PROJECT}_impl", None)
    if name not in _HOOKS:
        if options and not options["optionalhook"]:
            yield f": there is no hook {name!r}. {suggestion(name, _HOOKS)}"
        return
    if function is _HOOKS[name]:
        return
    if options is None:
        yield f": {name!r} is not marked @hookimpl"
        return
    if options["wrapper"] or options["hookwrapper"]:
        yield f": {name!r} is marked as a wrapper. A wrapper is given to Broker.register"
    if not inspect.iscoroutinefunction(inspect.unwrap(function)):
        yield f": {name!r} is not async def"
    known = inspect.signature(_HOOKS[name]).parameters
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name not in known:
            yield (
                f": {name!r} has a parameter {parameter.name!r} that the hook has not. "
                f"{suggestion(parameter.name, list(known)[1:])}"
            )
        if parameter.kind not in _BY_NAME:
            yield f": parameter {parameter.name!r} of {name!r} is keyword-only, and never given"
    yield from _left_out(name, function)


def _left_out(name: str, function: Callable[..., Any]) -> Iterator[str]:
    """A hookimpl may leave out what nobody need ask for, and then offers no feature of it."""
    operation = OPERATIONS.get(name)
    if operation is None:
        return
    missing = set(operation.parameters).difference(parameters_of(function))
    for parameter in operation.parameters:
        if parameter in missing.difference(operation.optional):
            yield f": {name!r} leaves out its parameter {parameter!r}, which cannot be left out"
    for feature in offered_by(function).features:
        fields = set(FEATURES[feature].fields)
        filters = "where" in operation.parameters
        if fields & missing or (filters and "where" in missing):
            gone = "where" if filters else ", ".join(sorted(fields & missing))
            yield f": {name!r} offers {feature.value!r} and leaves out its parameter {gone!r}"


def _functions(cls: type[Any]) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in dir(cls):
        if callable(function := getattr(cls, name)) and not name.startswith("_"):
            yield name, function
