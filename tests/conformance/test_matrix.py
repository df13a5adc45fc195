"""What drivers claim is so, over the wire; what they do not claim is refused before the wire."""

from __future__ import annotations

import inspect
from collections.abc import Collection
from typing import Any, get_type_hints

import msgspec
import pytest

from anabranch import FEATURES, OPERATIONS, Feature, FeatureNotSupported, OperationNotSupported
from anabranch.hooks import DriverSpec
from anabranch.models import StorageSnapshotSpec
from anabranch.testing.walk import Walk

PROFILES = {"list_hardware_profiles", "get_hardware_profile"}
CONFIGURED = {"paci": PROFILES}
"""What is configured where the platform has none, so that nobody is asked."""


async def test_every_operation_that_is_claimed_works(kind, broker, requests):
    name = f"{kind}-1"
    offered = await broker.probe(name)
    assert set(offered) == set(broker.capabilities(name)), "the simulator has all of it"

    async def same():
        return broker

    steps = await Walk(same, name, offered, requests).go()
    assert set(steps) == set(offered)
    unasked = {step for step, count in steps.items() if not count}
    assert kind == "mock" or unasked <= CONFIGURED.get(kind, set())


async def test_no_operation_that_is_not_claimed_is_sent(kind, broker, requests):
    name = f"{kind}-1"
    others = [op for op in OPERATIONS.values() if op.name not in broker.capabilities(name)]
    for operation in others:
        with pytest.raises(OperationNotSupported, match=f"does not offer '{operation.name}'"):
            await broker.invoke(name, operation.name, dict.fromkeys(operation.parameters))
    assert requests() == 0


async def test_no_feature_that_is_not_claimed_is_dropped(kind, broker, requests):
    name = f"{kind}-1"
    offered = broker.capabilities(name)
    asked = 0
    for feature, parameters in FEATURES.items():
        for operation in parameters.operations:
            if operation not in offered or feature in offered[operation].features:
                continue
            for field in parameters.fields:
                arguments = asking(operation, field, offered[operation].features)
                with pytest.raises(FeatureNotSupported, match=f"parameter '{field}'"):
                    await broker.invoke(name, operation, arguments)
                asked += 1
    assert asked or kind == "mock"
    assert requests() == 0


def asking(operation: str, field: str, offered: Collection[Feature]) -> dict[str, Any]:
    """Arguments that ask for one feature, by the field that asks for it."""
    arguments: dict[str, Any] = dict.fromkeys(OPERATIONS[operation].parameters)
    if field in arguments:
        return {**arguments, field: True}
    if "where" in arguments:
        return {**arguments, "where": {field: "x"}}
    spec = get_type_hints(getattr(DriverSpec, operation))["spec"]
    given = {f.name: "x" for f in msgspec.structs.fields(spec) if f.required}
    of = {
        "storage_volume_id": Feature.SNAPSHOT_OF_VOLUME,
        "instance_id": Feature.SNAPSHOT_OF_INSTANCE,
    }
    if spec is StorageSnapshotSpec and field not in of:
        given |= {next(name for name, feature in of.items() if feature in offered): "x"}
    assert field in inspect.signature(spec).parameters
    return {**arguments, "spec": spec(**{**given, field: "x"})}
