"""Capabilities: which operations, with which features, a cloud offers now.

Static is what hookimpls a driver has; declared are the features beside them (`@offers`); live is
what `probe` takes away again for one cloud. Nothing adds to what the driver has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sized
from typing import Any

import msgspec

from anabranch.contract import parameters_of
from anabranch.errors import FeatureNotSupported, OperationNotSupported
from anabranch.features import FEATURES, Feature, offered_by, requested
from anabranch.hooks import PROJECT, Lacks, Ops
from anabranch.operations import OPERATIONS

__all__ = ["Capabilities", "Capability"]


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that is offered.

    Attributes:
        operation: Its name.
        features: The optional parameters that are honoured.
        constraints: Limits of features, to tell users of.
        ignores: Parameters that the hookimpl leaves out: asking for anything by them is refused.
    """

    operation: str
    features: frozenset[Feature] = frozenset()
    constraints: Mapping[Feature, Mapping[str, str]] = msgspec.field(
        default_factory=dict[Feature, Mapping[str, str]]
    )
    ignores: frozenset[str] = frozenset()


class Capabilities(Mapping[str, Capability]):
    """What is offered, by the name of the operation; immutable.

    Attributes:
        kind: Kind of the driver.
        lacks: What this cloud lacks of what its driver has, with the reasons.
    """

    def __init__(
        self, kind: str, offered: Iterable[Capability], lacks: Lacks | None = None
    ) -> None:
        self.kind, self.lacks = kind, lacks or Lacks()
        self._offered = {c.operation: c for c in offered}

    @classmethod
    def of(cls, kind: str, driver: Ops) -> Capabilities:
        """Read what a driver offers off its hookimpls."""
        found: list[Capability] = []
        for name, operation in OPERATIONS.items():
            hookimpl = getattr(type(driver), name)
            if hasattr(hookimpl, f"{PROJECT}_impl"):
                offer = offered_by(hookimpl)
                found.append(
                    Capability(
                        operation=name,
                        features=offer.features,
                        constraints=offer.constraints,
                        ignores=frozenset(operation.parameters) - set(parameters_of(hookimpl)),
                    )
                )
        return cls(kind, found)

    def narrowed(self, lacks: Lacks) -> Capabilities:
        """Return what is left without what a cloud lacks."""
        left: list[Capability] = []
        for offered in self._offered.values():
            if offered.operation in lacks.operations:
                continue
            gone = {f for op, f in lacks.features if op == offered.operation}
            left.append(msgspec.structs.replace(offered, features=offered.features - gone))
        return Capabilities(self.kind, left, lacks)

    def require(self, operation: str, arguments: Mapping[str, Any]) -> None:
        """Refuse what is not offered, before anything is sent.

        Raises:
            OperationNotSupported: the operation is not offered.
            FeatureNotSupported: a parameter asks for a feature that is not offered.
        """
        capability = self._offered.get(operation)
        if capability is None:
            raise OperationNotSupported(self.why_not(operation))
        for feature, field in requested(operation, arguments).items():
            if feature not in capability.features:
                reason = self.lacks.features.get((operation, feature))
                text = reason or f"driver {self.kind!r} does not offer feature {feature.value!r}"
                raise FeatureNotSupported(
                    f"parameter {field!r}: {text}", remedy=f"Leave {field!r} out"
                )
        for name in sorted(capability.ignores):
            if _asks(arguments.get(name)):
                raise FeatureNotSupported(
                    f"driver {self.kind!r} does not honour parameter {name!r} of {operation!r}",
                    remedy=f"Leave {name!r} out",
                )
        offered = {field for f in capability.features for field in FEATURES[f].fields}
        for field in arguments.get("where") or ():
            if field not in offered:
                raise FeatureNotSupported(
                    f"driver {self.kind!r} does not filter {operation!r} by {field!r}",
                    remedy="Filter what is listed",
                )

    def why_not(self, operation: str) -> str:
        """Say why an operation is not offered."""
        reason = self.lacks.operations.get(operation)
        return reason or f"driver {self.kind!r} does not offer {operation!r}"

    def __getitem__(self, operation: str) -> Capability:
        return self._offered[operation]

    def __iter__(self) -> Iterator[str]:
        return iter(self._offered)

    def __len__(self) -> int:
        return len(self._offered)


def _asks(value: object) -> bool:
    """Whether an argument asks for anything; nothing is asked by None, False and what is empty."""
    if value is None or value is False:
        return False
    return not isinstance(value, Sized) or len(value) > 0
