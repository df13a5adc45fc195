"""The features that the collections of a cloud have (deltacloud.md, 7)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from anabranch import Capabilities, Capability, Feature
from anabranch_server.deltacloud.vocabulary.words import Collection, Parameter

__all__ = ["OfferedFeature", "features_of"]


class OfferedFeature(msgspec.Struct, frozen=True, kw_only=True):
    """A feature that a cloud offers.

    Attributes:
        name: Deltacloud's name of it (`user_name`), or ours in its style.
        action: The operation of the collection that it extends: `create`, `index`, …
        parameters: The parameters that it adds.
        constraints: Limits, to tell users of.
    """

    name: str
    action: str
    parameters: tuple[Parameter, ...]
    constraints: Mapping[str, str] = {}


def features_of(collection: Collection, capabilities: Capabilities) -> tuple[OfferedFeature, ...]:
    """Return the features that a collection has on a cloud, in the order of the table.

    Args:
        collection: The collection.
        capabilities: What the cloud offers.
    """
    asked = [("index", collection.index_operation, parameter) for parameter in collection.filters]
    for action in collection.actions:
        asked += [(action.name, action.operation, parameter) for parameter in action.parameters]
    found: dict[tuple[str, str], OfferedFeature] = {}
    for action_name, operation, parameter in asked:
        offered = capabilities.get(parameter.operation or operation)
        name, feature = _feature(parameter, offered)
        if name is None or offered is None:
            continue
        before = found.get((action_name, name))
        found[action_name, name] = OfferedFeature(
            name=name,
            action=action_name,
            parameters=(*(before.parameters if before else ()), parameter),
            constraints=dict(offered.constraints.get(feature) or {}) if feature else {},
        )
    return tuple(found.values())


def _feature(parameter: Parameter, offered: Capability | None) -> tuple[str | None, Feature | None]:
    """Return the name of the feature of a parameter, and the feature, where it is offered."""
    if parameter.operation:
        return parameter.name, None
    feature = parameter.feature
    if feature is None or offered is None or feature not in offered.features:
        return None, None
    return feature.value, feature
