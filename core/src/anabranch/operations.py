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
        optional: Those of them that a driver may leave out, because nobody need ask for anything
            by them.
        defaults: Values of those that a caller may leave out, by name.
        summary: First line of its docstring.
        lists: Whether it returns a page of the collection.
        mutates: Whether it changes anything.
        idempotent: Whether doing it twice does what doing it once does.
    """

    name: str
    collection: str
    verb: str
    parameters: tuple[str, ...]
    optional: frozenset[str]
    defaults: Mapping[str, Any]
    summary: str
    lists: bool
    mutates: bool
    idempotent: bool

    def check(self, arguments: Iterable[str]) -> None:
        """See that these are the names of its parameters; those with a default may be missing.

        Raises:
            TypeError: one is missing, or there is no such parameter.
        """
        given = {*self.defaults, *arguments}
        if wrong := given.symmetric_difference(self.parameters):
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
    parameters = list(inspect.signature(hookspec).parameters.values())[2:]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return Operation(
        name=name,
        collection=collection,
        verb=verb,
        parameters=tuple(p.name for p in parameters),
        optional=frozenset(p.name for p in parameters if _may_be_left_out(p)),
        defaults=defaults,
        summary=(inspect.getdoc(hookspec) or "").partition("\n")[0],
        lists=verb == "list",
        mutates=verb not in _READS,
        idempotent=verb in _IDEMPOTENT,
    )


def _may_be_left_out(parameter: inspect.Parameter) -> bool:
    annotation = str(parameter.annotation)
    neutral = annotation == "bool" or annotation.endswith("| None") or parameter.name == "where"
    return neutral or parameter.default is not parameter.empty


OPERATIONS: Final[Mapping[str, Operation]] = {
    name: _read(collection, name, hookspec)
    for collection, mixin in COLLECTIONS.items()
    for name, hookspec in vars(mixin).items()
    if hasattr(hookspec, f"{PROJECT}_spec") and hasattr(DriverSpec, name)
}
"""Every operation by name, in the order of the contract."""
