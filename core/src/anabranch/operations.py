"""The table of operations, derived from the hookspecs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, get_args, get_type_hints

import msgspec

from anabranch.hooks import COLLECTIONS, PROJECT, DriverSpec
from anabranch.models import Resource

__all__ = ["OPERATIONS", "Operation", "operations_of"]

_READS: Final = frozenset({"list", "get", "open"})
_IDEMPOTENT: Final = frozenset(
    {"list", "get", "open", "destroy", "rename", "set", "associate", "disassociate", "register"}
    | {"unregister", "abort", "detach", "remove"}
)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What the hookspec of an operation says about it.

    Attributes:
        name: Name of the hook: `start_instance`.
        collection: Collection that it belongs to: `instances`.
        verb: `start`.
        parameters: Its parameters after `cloud`.
        summary: First line of its docstring.
        lists: Whether it returns a page of the collection.
        mutates: Whether it changes anything.
        idempotent: Whether doing it twice does what doing it once does.
    """

    name: str
    collection: str
    verb: str
    parameters: tuple[str, ...]
    summary: str
    lists: bool
    mutates: bool
    idempotent: bool

    def check(self, arguments: Iterable[str]) -> None:
        """See that these are the names of its parameters.

        Raises:
            TypeError: one is missing, or there is no such parameter.
        """
        if wrong := set(arguments).symmetric_difference(self.parameters):
            raise TypeError(
                f"{self.name} takes ({', '.join(self.parameters)}); "
                f"missing or unknown: {', '.join(sorted(wrong))}"
            )

    def types(self) -> dict[str, Any]:
        """Return the types of its parameters by name, and under `return` that of its result."""
        return get_type_hints(getattr(DriverSpec, self.name))

    def model(self) -> type[msgspec.Struct]:
        """Return the model that it returns, or returns pages of.

        Raises:
            LookupError: it returns no model.
        """
        result = self.types()["return"]
        for kind in (result, *get_args(result)):
            if isinstance(kind, type) and issubclass(kind, Resource):
                return kind
        raise LookupError(f"{self.name} returns no model")


def operations_of(collection: str) -> tuple[Operation, ...]:
    """Return the operations of a collection, in the order of the contract."""
    return tuple(op for op in OPERATIONS.values() if op.collection == collection)


def _read(collection: str, name: str, hookspec: Callable[..., Any]) -> Operation:
    verb = name.partition("_")[0]
    parameters = tuple(inspect.signature(hookspec).parameters)[2:]
    return Operation(
        name=name,
        collection=collection,
        verb=verb,
        parameters=parameters,
        summary=(inspect.getdoc(hookspec) or "").partition("\n")[0],
        lists=verb == "list",
        mutates=verb not in _READS,
        idempotent=verb in _IDEMPOTENT,
    )


OPERATIONS: Final[Mapping[str, Operation]] = {
    name: _read(collection, name, hookspec)
    for collection, mixin in COLLECTIONS.items()
    for name, hookspec in vars(mixin).items()
    if hasattr(hookspec, f"{PROJECT}_spec") and hasattr(DriverSpec, name)
}
"""Every operation by name, in the order of the contract."""
