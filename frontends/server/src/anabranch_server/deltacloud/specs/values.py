"""From the text of parameters to their values, by the vocabulary; what is wrong is told at once."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any, Final

from anabranch import SecretStr
from anabranch_server.deltacloud.parameters import Parameters, wrong
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Parameter
from anabranch_server.problems import Problem

__all__ = ["check_required", "chosen", "idents", "read_values"]

_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,6})?").fullmatch
_UNWRAPPED: Final = str.maketrans(" ", "+", "\r\n\t")
"""Base64 comes in lines, and its plus signs as blanks where a client did not encode them."""


def check_required(action: Action, parameters: Parameters) -> None:
    """See that all parameters are there that must be.

    Raises:
        Problem: some are missing; all of them are told.
    """
    missing = [p.name for p in action.parameters if p.required and p.name not in parameters.given]
    if missing:
        names = ", ".join(map(repr, missing))
        several = len(missing) > 1
        raise Problem(
            400, f"parameters {names} are missing" if several else f"parameter {names} is missing"
        )


def idents(action: Action, parameters: Parameters) -> Mapping[str, str]:
    """Return the ids of members that parameters give, by the parameter."""
    found: dict[str, str] = {}
    for parameter in action.parameters:
        if parameter.kind in COLLECTIONS:
            found.update(
                {name: parameters.text(name) for name in _given(parameter, parameters).values()}
            )
    return found


def read_values(
    action: Action, parameters: Parameters, local: Callable[[str, str], str]
) -> dict[str, Any]:
    """Return the values of the parameters of an action that are given.

    Args:
        action: The action.
        parameters: The parameters of the request.
        local: Makes the platform's own id out of a parameter's name and value.

    Returns:
        By the field that each becomes: its value, or where it may have several, those by their
        numbers.

    Raises:
        Problem: a value is not what is wanted.
    """
    values: dict[str, Any] = {}
    for parameter in action.parameters:
        found: dict[int, Any] = {}
        for number, name in _given(parameter, parameters).items():
            if parameter.kind in COLLECTIONS:
                found[number] = local(name, parameters.text(name))
            else:
                found[number] = _READERS[parameter.kind](parameter, name, parameters)
        if found:
            values[parameter.target] = found if parameter.numbered else found[0]
    return values


def chosen(parameter: Parameter, name: str, text: str) -> str:
    """Return a value as the vocabulary spells it; upper and lower case are one.

    Raises:
        Problem: there is no such choice.
    """
    if not parameter.choices:
        return text
    for choice in parameter.choices:
        if choice.casefold() == text.casefold():
            return choice
    raise wrong(name, text, f"one of {', '.join(parameter.choices)}")


def _given(parameter: Parameter, parameters: Parameters) -> Mapping[int, str]:
    if parameter.numbered:
        return parameters.numbered(parameter.numbered)
    return {0: parameter.name} if parameter.name in parameters.given else {}


def _text(parameter: Parameter, name: str, parameters: Parameters) -> str:
    return chosen(parameter, name, parameters.text(name))


def _number(parameter: Parameter, name: str, parameters: Parameters) -> int | None:
    number = parameters.number(name)
    least, most = parameter.least, parameter.most
    low = number is not None and least is not None and number < least
    high = number is not None and most is not None and number > most
    if not low and not high:
        return number
    bounds = f"of {least} or more" if most is None else f"from {least} to {most}"
    raise wrong(name, parameters.text(name), f"a whole number {bounds}")


def _decimal(parameter: Parameter, name: str, parameters: Parameters) -> float | int:
    del parameter
    text = parameters.text(name)
    if not _DECIMAL(text):
        raise wrong(name, text, "a number like 4 or 0.5")
    return float(text) if "." in text else int(text)


def _flag(parameter: Parameter, name: str, parameters: Parameters) -> bool:
    del parameter
    return parameters.flag(name)


def _password(parameter: Parameter, name: str, parameters: Parameters) -> SecretStr:
    del parameter
    return SecretStr(parameters.text(name))


def _base64(parameter: Parameter, name: str, parameters: Parameters) -> bytes:
    del parameter
    if name in parameters.files:
        return parameters.files[name]
    try:
        return base64.b64decode(parameters.text(name).translate(_UNWRAPPED), validate=True)
    except (binascii.Error, ValueError):
        raise Problem(400, f"parameter {name!r} is no base64", remedy="Encode it so") from None


def _file(parameter: Parameter, name: str, parameters: Parameters) -> bytes:
    del parameter
    return parameters.files.get(name) or parameters.text(name).encode()


def _cidr(parameter: Parameter, name: str, parameters: Parameters) -> str:
    del parameter
    text = parameters.text(name)
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        raise wrong(name, text, "a block of addresses like 192.0.2.0/24") from None


def _pair(parameter: Parameter, name: str, parameters: Parameters) -> tuple[str, str]:
    del parameter
    key, equals, value = parameters.text(name).partition("=")
    if not (key and equals):
        raise wrong(name, parameters.text(name), "NAME=VALUE")
    return key, value


_READERS: Final[Mapping[str, Callable[[Parameter, str, Parameters], Any]]] = {
    "area": _text,
    "base64": _base64,
    "cidr": _cidr,
    "decimal": _decimal,
    "file": _file,
    "flag": _flag,
    "number": _number,
    "pair": _pair,
    "password": _password,
    "text": _text,
}
"""How a value is read, by the kind of the parameter."""
