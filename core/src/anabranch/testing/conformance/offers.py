"""Checks of offers: what a driver offers works, and what it does not offer is refused."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, get_type_hints

import msgspec
import pytest

from anabranch.errors import AnabranchError, FeatureNotSupported, OperationNotSupported
from anabranch.facade import Broker
from anabranch.features import FEATURES, Feature
from anabranch.hooks import DriverSpec
from anabranch.models import StorageSnapshotSpec
from anabranch.operations import OPERATIONS
from anabranch.testing.conformance.base import ConformanceBase
from anabranch.testing.conformance.bench import NAME, Bench, told
from anabranch.testing.walk import Walk

__all__ = ["OfferChecks"]

_OF: dict[str, Feature] = {
    "storage_volume_id": Feature.SNAPSHOT_OF_VOLUME,
    "instance_id": Feature.SNAPSHOT_OF_INSTANCE,
}


class OfferChecks(ConformanceBase):
    """What is asked of offers."""

    async def test_what_is_offered_works(self) -> None:
        """Each operation that the driver has is used once, in the course of a machine's life."""
        async with self.bench() as bench:
            broker = await bench.broker()
            try:
                offered = await broker.probe(NAME)
            except AnabranchError as exc:
                pytest.fail(f"probe must work here, and raised {told(exc)}", pytrace=False)

            async def same() -> Broker:
                return broker

            walk = Walk(same, NAME, offered, bench.requests, self.choices)
            try:
                steps = await walk.go()
            except AnabranchError as exc:
                pytest.fail(_not_working(walk.latest, exc), pytrace=False)
            except AssertionError as exc:
                pytest.fail(f"{exc}: what is offered must be done, by the cloud", pytrace=False)
            self._all_used(offered, steps)
            await self._features(bench, broker)

    async def test_what_is_not_offered_is_refused(self) -> None:
        """What the driver does not offer is refused before the cloud is asked."""
        async with self.bench() as bench:
            broker = await bench.broker()
            await self._refused_operations(broker)
            await self._refused_features(broker)
            if bench.requests():
                pytest.fail(
                    f"the cloud was asked {bench.requests()} times for what is not offered",
                    pytrace=False,
                )

    # -------------------------------------------------------------------------------------

    def _all_used(self, offered: Collection[str], steps: dict[str, int]) -> None:
        unused = [
            operation
            for operation in offered
            if operation not in steps and not _destroys_only(operation, offered)
        ]
        if unused:
            pytest.fail(
                f"{', '.join(unused)}: offered, and could not be used, because what they need is"
                " not there: let the simulated cloud have it, or offer the operation that makes it",
                pytrace=False,
            )
        silent = [
            operation
            for operation, count in steps.items()
            if not count and self.simulator and not self._declared_silent(operation)
        ]
        if silent:
            pytest.fail(
                f"{', '.join(silent)}: answered without asking the cloud. Where that is right"
                f" (it is configured), say so: budget = {{{silent[0]!r}: 0}}",
                pytrace=False,
            )

    def _declared_silent(self, operation: str) -> bool:
        """Whether an operation, or the list of what it gets one of, is declared to ask nobody."""
        listed = operation.replace("get_", "list_", 1) + "s"
        return self.budget.get(operation, self.budget.get(listed)) == 0

    async def _features(self, bench: Bench, broker: Broker) -> None:
        """What a new machine is given is what it has."""
        offered = broker.capabilities(NAME).get("create_instance")
        if offered is None:
            return
        spec = await self.spec(bench, broker, "as-told")
        asked: dict[str, Any] = {}
        if Feature.USER_NAME in offered.features:
            asked["name"] = spec.name
        if Feature.AUTHENTICATION_KEY in offered.features and (
            key := await self._key(bench, broker)
        ):
            asked["key_id"] = key
        if Feature.TAGS in offered.features:
            asked["tags"] = {"role": "conformance"}
        if Feature.CLIENT_TOKEN in offered.features:
            asked["client_token"] = "0123456789abcdef0123456789abcdef"
        made = await bench.call(
            broker, "create_instance", spec=msgspec.structs.replace(spec, **asked)
        )
        listed = await self.machines(bench, broker)
        for field, value in asked.items():
            has = getattr(listed.get(made.id, made), field)
            given = value.items() <= has.items() if field == "tags" else has == value
            if not given:
                pytest.fail(
                    f"create_instance declares that it honours {field!r}: {value!r} was asked"
                    f" for, and the machine is listed with {has!r}",
                    pytrace=False,
                )

    async def _key(self, bench: Bench, broker: Broker) -> str | None:
        """A key that is there; None: there is none."""
        if "list_keys" not in broker.capabilities(NAME):
            return None
        keys = await bench.items(broker, "list_keys")
        return next((key.id for key in keys), None)

    async def _refused_operations(self, broker: Broker) -> None:
        others = [op for op in OPERATIONS.values() if op.name not in broker.capabilities(NAME)]
        for operation in others:
            arguments = dict.fromkeys(operation.parameters)
            await self.must_fail(
                broker, operation.name, arguments, OperationNotSupported, "what is not offered"
            )

    async def _refused_features(self, broker: Broker) -> None:
        offered = broker.capabilities(NAME)
        for feature, parameters in FEATURES.items():
            for operation in parameters.operations:
                if operation not in offered or feature in offered[operation].features:
                    continue
                for field in parameters.fields:
                    arguments = _asking(operation, field, offered[operation].features)
                    when = f"the feature {feature.value!r} is not offered, {field!r} asks for it"
                    await self.must_fail(broker, operation, arguments, FeatureNotSupported, when)


def _not_working(operation: str, exc: AnabranchError) -> str:
    """Say what went wrong at an operation of the walk, or when its effect was waited for."""
    if getattr(exc, "operation", operation) == operation:
        return (
            f"{operation} is offered, and raised {told(exc)}. What is not implemented, or not for"
            " this platform, is no @hookimpl"
        )
    return f"{operation} was done, and what it is for did not come about: {told(exc)}"


def _destroys_only(operation: str, offered: Collection[str]) -> bool:
    """Whether an operation destroys what cannot be made, so that nothing may be destroyed by it."""
    verb, _, singular = operation.partition("_")
    return verb == "destroy" and f"create_{singular}" not in offered


def _asking(operation: str, field: str, offered: Collection[Feature]) -> dict[str, Any]:
    """Arguments that ask for one feature, by the field that asks for it."""
    arguments: dict[str, Any] = dict.fromkeys(OPERATIONS[operation].parameters)
    if field in arguments:
        return {**arguments, field: True}
    if "where" in arguments:
        return {**arguments, "where": {field: "x"}}
    spec = get_type_hints(getattr(DriverSpec, operation))["spec"]
    given: dict[str, Any] = {f.name: "x" for f in msgspec.structs.fields(spec) if f.required}
    if spec is StorageSnapshotSpec and field not in _OF:
        given |= {next(name for name, feature in _OF.items() if feature in offered): "x"}
    return {**arguments, "spec": spec(**{**given, field: "x"})}
