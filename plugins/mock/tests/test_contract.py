"""The driver offers everything there is, and each operation is what it says it is."""

import inspect
from importlib.metadata import entry_points

import pluggy
import pytest

import anabranch_mock
from anabranch.errors import (
    AuthenticationError,
    CloudUnavailable,
    Conflict,
    NotFound,
    OperationNotSupported,
    OutcomeUnknown,
    PermissionDenied,
)
from anabranch.features import FEATURES, offered_by
from anabranch.hooks import COLLECTIONS, PROJECT, DriverSpec

OPERATIONS = {
    name for spec in COLLECTIONS.values() for name in vars(spec) if not name.startswith("_")
}
# Calls of the examples that cannot go well alone: nothing of theirs has been made before.
NEED_MORE = {
    "destroy_instance": Conflict,  # it is RUNNING
    "destroy_network": Conflict,  # it has subnets
    "destroy_bucket": Conflict,  # it has blobs
    "upload_blob_segment": NotFound,
    "complete_blob_upload": NotFound,
    "abort_blob_upload": NotFound,
}


def test_the_entry_point_leads_to_the_driver():
    (point,) = entry_points(group="anabranch.drivers", name="mock")
    assert point.load() is anabranch_mock.driver
    assert anabranch_mock.__all__ == ["driver"]


def test_it_registers_with_the_contract(driver):
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(DriverSpec)
    manager.register(driver, "mock")
    manager.check_pending()
    callers = manager.get_hookcallers(driver)
    assert callers is not None
    assert {caller.name for caller in callers} == OPERATIONS | {"check", "probe"}


def test_it_offers_every_operation(driver, example_names):
    for operation in OPERATIONS:
        hookimpl = getattr(type(driver), operation)
        assert hasattr(hookimpl, f"{PROJECT}_impl"), operation
        assert inspect.iscoroutinefunction(hookimpl), operation
    assert example_names == OPERATIONS | {"check", "probe"}


def test_it_offers_every_feature(driver):
    for feature, parameters in FEATURES.items():
        for operation in parameters.operations:
            assert feature in offered_by(getattr(type(driver), operation)).features, feature


def test_it_keeps_no_state(driver):
    assert not vars(driver)


async def test_each_operation_works(example, cloud):
    name, perform = example
    if name in NEED_MORE:
        with pytest.raises(NEED_MORE[name]):
            await perform(cloud)
    else:
        await perform(cloud)


async def test_each_operation_goes_by_its_name(example, make_cloud):
    """Whether latency, faults and `lacks` reach it depends on that."""
    name, perform = example
    forbidden = make_cloud(faults=[{"kind": "forbidden", "operations": [name]}])
    with pytest.raises(PermissionDenied):
        await perform(forbidden)
    with pytest.raises(OperationNotSupported):
        await perform(make_cloud(lacks=[name]))


async def test_each_operation_wants_the_password_but_two(example, make_cloud):
    name, perform = example
    stranger = make_cloud(username="nobody", password="wrong")
    if name in ("list_hardware_profiles", "get_hardware_profile"):
        await perform(stranger)
        return
    with pytest.raises(AuthenticationError) as caught:
        await perform(stranger)
    assert "wrong" not in str(caught.value).replace("is wrong", "")


async def test_a_cut_connection_leaves_only_changes_in_doubt(example, make_cloud):
    name, perform = example
    cut = make_cloud(faults=[{"kind": "reset"}])
    reads = name.startswith(("list_", "get_", "open_")) or name in ("check", "probe")
    expected = CloudUnavailable if reads else NEED_MORE.get(name, OutcomeUnknown)
    with pytest.raises(expected):
        await perform(cut)
