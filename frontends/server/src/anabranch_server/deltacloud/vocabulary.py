"""Deltacloud's collections, operations, parameters and features, as one table (deltacloud.md, 3, 7).

Routing, the entry point, `OPTIONS`, the documentation pages and the forms are all made from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from anabranch import FEATURES, Feature

__all__ = [
    "COLLECTIONS",
    "FEATURE_PARAMETERS",
    "Action",
    "Collection",
    "Parameter",
]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of an operation.

    Attributes:
        name: Its name.
        required: Whether it must be given.
        choices: The values that there are; empty: any.
        kind: How a form asks for it: `text`, `number`, `area`, `file`, `password`, `flag`, or the
            collection that its value is the id of a member of.
        feature: The feature that it belongs to; None: every driver that offers the operation
            takes it.
    """

    name: str
    required: bool = False
    choices: tuple[str, ...] = ()
    kind: str = "text"
    feature: Feature | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """An operation of a collection beyond index and show.

    Attributes:
        name: Its name: the last segment of its path, but for `create` and `destroy`.
        method: HTTP method.
        operation: The operation of the broker that does it.
        parameters: What it takes.
        status: HTTP status of success.
        member: Whether it is done to a member.
    """

    name: str
    operation: str
    method: str = "POST"
    parameters: tuple[Parameter, ...] = ()
    status: int = 202
    member: bool = True


class Collection(msgspec.Struct, frozen=True, kw_only=True):
    """A collection.

    Attributes:
        name: Its name in the plural, as paths have it.
        singular: Its name in the singular, as documents have it.
        title: What people call it.
        filters: Parameters that the index can be filtered by, and the fields of the model.
        actions: What can be done beyond index and show.
    """

    name: str
    singular: str
    title: str
    filters: Mapping[str, str] = msgspec.field(default_factory=lambda: {"id": "id"})
    actions: tuple[Action, ...] = ()

    def action(self, name: str) -> Action | None:
        """Return an action by its name, or None."""
        return next((action for action in self.actions if action.name == name), None)


def _create(operation: str, *parameters: Parameter) -> Action:
    return Action(
        name="create", operation=operation, parameters=parameters, status=201, member=False
    )


def _destroy(operation: str) -> Action:
    return Action(name="destroy", operation=operation, method="DELETE", status=204)


_INSTANCE = Parameter("instance_id", required=True, kind="instances")

COLLECTIONS: Final[Mapping[str, Collection]] = {
    collection.name: collection
    for collection in (
        Collection(name="realms", singular="realm", title="Realms"),
        Collection(
            name="hardware_profiles",
            singular="hardware_profile",
            title="Hardware profiles",
            filters={"id": "id", "architecture": "architecture"},
        ),
        Collection(
            name="images",
            singular="image",
            title="Images",
            filters={"id": "id", "architecture": "architecture", "owner_id": "owner_id"},
            actions=(
                _create(
                    "create_image",
                    _INSTANCE,
                    Parameter("name", feature=Feature.IMAGE_NAME),
                    Parameter("description", feature=Feature.IMAGE_DESCRIPTION),
                ),
                _destroy("destroy_image"),
            ),
        ),
        Collection(
            name="instances",
            singular="instance",
            title="Instances",
            filters={
                "id": "id",
                "state": "state",
                "realm_id": "realm_id",
                "owner_id": "owner_id",
            },
            actions=(
                _create(
                    "create_instance",
                    Parameter("image_id", required=True, kind="images"),
                    Parameter("realm_id", kind="realms"),
                    Parameter("hwp_id", kind="hardware_profiles"),
                    Parameter("name", feature=Feature.USER_NAME),
                    Parameter("keyname", kind="keys", feature=Feature.AUTHENTICATION_KEY),
                ),
                Action(name="start", operation="start_instance"),
                Action(name="stop", operation="stop_instance"),
                Action(name="reboot", operation="reboot_instance"),
                _destroy("destroy_instance"),
            ),
        ),
    )
}
"""The collections by their names, in the order of the page."""

FEATURE_PARAMETERS: Final[Mapping[Feature, tuple[str, ...]]] = {
    feature: parameters.fields for feature, parameters in FEATURES.items()
}
