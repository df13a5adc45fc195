"""What the vocabulary is made of: parameters, actions and collections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from anabranch import Feature

__all__ = ["ID", "Action", "Collection", "Parameter", "create", "destroy"]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of an operation.

    Attributes:
        name: Its name.
        required: Whether it must be given.
        choices: The values that there are; empty: any.
        kind: What its value is, and so how a form asks for it: `text`, `area` (text of several
            lines), `number` (whole), `decimal`, `flag`, `password`, `base64`, `file`, `cidr` (a
            block of addresses), `pair` (`NAME=VALUE`), or the name of a collection: its value is
            the id of a member.
        least: The least value, of a number.
        most: The greatest value, of a number.
        numbered: The names of its values, if it may have several: `firewalls{}` is for
            `firewalls1`, `firewalls2` and so on. Empty: it has one value, under its name.
        count: How many values it may have, if it is numbered; 0: any number.
        feature: The feature that it belongs to; None: every driver that offers the operation
            takes it.
        operation: The operation of the broker that it asks for, in place of its action's; empty:
            that.
        field: The field of the specification, or the argument, that it becomes; empty: as it is
            called.
        help: What to know about it: its unit, its form.
    """

    name: str
    required: bool = False
    choices: tuple[str, ...] = ()
    kind: str = "text"
    least: int | None = None
    most: int | None = None
    numbered: str = ""
    count: int = 0
    feature: Feature | None = None
    operation: str = ""
    field: str = ""
    help: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names to tell of it: one, or as many as it may have values."""
        if self.numbered and self.count:
            return tuple(self.numbered.format(n) for n in range(1, self.count + 1))
        return (self.name,)

    @property
    def target(self) -> str:
        """The field of the specification, or the argument, that it becomes."""
        return self.field or self.name


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of a collection beyond index and show.

    Attributes:
        name: Its name.
        operation: The operation of the broker that does it.
        method: HTTP method.
        parameters: What it takes.
        status: HTTP status of success.
        member: Whether it is done to a member; if not, to the collection.
        paths: Where it is done, below the member: `rules`, `rules/{rule_id}`; each part in braces
            is a parameter. The first is the one to tell. Those of create and destroy are empty.
        verb: The method of the broker's collection that does it; empty: its name.
        empty: Whether the answer has no body.
        form: Where Deltacloud has its form, below the member, if that is not the action's path.
    """

    name: str
    operation: str
    method: str = "POST"
    parameters: tuple[Parameter, ...] = ()
    status: int = 202
    member: bool = True
    paths: tuple[str, ...] = ()
    verb: str = ""
    empty: bool = False
    form: str = ""

    def matches(self, method: str, tail: list[str]) -> Mapping[str, str] | None:
        """Return the parameters that a path below the member has, or None if it is another's.

        Args:
            method: HTTP method.
            tail: The segments of the path below the member; below the collection for what is not
                done to a member.
        """
        if method != self.method:
            return None
        for path in self.paths or ("",):
            pattern = path.split("/") if path else []
            pairs = list(zip(pattern, tail, strict=False))
            if len(pattern) == len(tail) and all(p == t or p[0] == "{" for p, t in pairs):
                return {p[1:-1]: t for p, t in pairs if p[0] == "{"}
        return None


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection.

    Attributes:
        name: Its name in the plural, as paths have it.
        singular: Its name in the singular, as documents have it.
        title: What people call it.
        filters: What the index can be filtered by; each is called as the field of the model.
        actions: What can be done beyond index and show.
    """

    name: str
    singular: str
    title: str
    filters: tuple[Parameter, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def index_operation(self) -> str:
        """The operation of the broker that lists it; without it the collection is not offered."""
        return f"list_{self.name}"

    @property
    def show_operation(self) -> str:
        """The operation of the broker that shows a member."""
        return f"get_{self.singular}"

    def action(self, name: str) -> Action | None:
        """Return an action by its name, or None."""
        return next((action for action in self.actions if action.name == name), None)


ID: Final = Parameter(name="id")
"""The filter that every list has."""


def create(operation: str, *parameters: Parameter) -> Action:
    """Return the action that makes a member of a collection."""
    return Action(
        name="create", operation=operation, parameters=parameters, status=201, member=False
    )


def destroy(operation: str) -> Action:
    """Return the action that destroys a member."""
    return Action(name="destroy", operation=operation, method="DELETE", status=204, empty=True)
