"""What a method of the API is: its parameters and what answers it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from anabranch_opennebula.simulator.refusals import RpcFault
from anabranch_opennebula.simulator.xmlrpc import Payload, Scalar

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["Method"]

_TYPES: dict[str, tuple[type, str]] = {
    "i": (int, "integer"),
    "b": (bool, "boolean"),
    "s": (str, "string"),
}


class Method:
    """A method.

    Args:
        parameters: One letter for each parameter after the session: `i`, `b` or `s`; those after
            a `|` may be left out.
        answer: Answers it.
    """

    def __init__(self, parameters: str, answer: Callable[..., Payload]) -> None:
        self.parameters = "s" + parameters
        self._answer = answer

    def check(self, given: Sequence[Scalar]) -> tuple[str, list[Any]]:
        """The session and the parameters; surplus ones are ignored, as oned does.

        Raises:
            RpcFault: One is missing or of another type; a number in a string is no number.
        """
        needed, _, optional = self.parameters.partition("|")
        letters = needed + optional
        if len(given) < len(needed):
            raise RpcFault(RpcFault.TYPE, "Not enough parameters")
        taken: list[Any] = list(given[: len(letters)])
        for letter, value in zip(letters, taken, strict=False):
            expected, name = _TYPES[letter]
            if type(value) is not expected:
                raise RpcFault(RpcFault.TYPE, f"Parameter that is supposed to be {name} is not")
        return taken[0], taken[1:]

    def __call__(self, call: Call, arguments: Sequence[Any]) -> Payload:
        """Answer a call with checked parameters."""
        return self._answer(call, *arguments)
