"""What goes wrong on request, and how long everything takes."""

import anyio
import pytest

from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    RateLimited,
)
from anabranch.models import InstanceSpec


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("refuse", CloudUnavailable),
        ("unavailable", CloudUnavailable),
        ("unauthorized", AuthenticationError),
        ("forbidden", PermissionDenied),
        ("rate_limited", RateLimited),
        ("garbage", ProtocolError),
    ],
)
async def test_errors(kind, error, driver, make_cloud):
    cloud = make_cloud(faults=[{"kind": kind, "times": 2, "seconds": 7}])
    for _ in range(2):
        with pytest.raises(error) as caught:
            await driver.list_instances(cloud, None, {})
        assert type(caught.value) is error
    assert (await driver.list_instances(cloud, None, {})).items
    if error is RateLimited:
        assert caught.value.retry_after == 7


async def test_a_crash_is_no_cloud_error(driver, make_cloud):
    with pytest.raises(RuntimeError) as caught:
        await driver.list_realms(make_cloud(faults=[{"kind": "crash"}]), None)
    assert not isinstance(caught.value, CloudError)


async def test_only_the_named_operations(driver, make_cloud):
    fault = {"kind": "unavailable", "operations": ["list_images", "get_image"]}
    cloud = make_cloud(faults=[fault])
    await driver.list_realms(cloud, None)
    with pytest.raises(CloudUnavailable):
        await driver.get_image(cloud, "img1")


async def test_one_after_the_other(driver, make_cloud):
    cloud = make_cloud(
        faults=[{"kind": "garbage", "times": 1}, {"kind": "rate_limited", "times": 1}]
    )
    with pytest.raises(ProtocolError):
        await driver.list_realms(cloud, None)
    with pytest.raises(RateLimited):
        await driver.list_realms(cloud, None)
    await driver.list_realms(cloud, None)


async def test_hanging_ends_when_it_is_cancelled(driver, make_cloud):
    cloud = make_cloud(faults=[{"kind": "hang", "times": 1}])
    with anyio.move_on_after(0.05) as scope:
        await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    assert scope.cancelled_caught
    made = await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    assert made.id == "inst4"


async def test_latency_and_slowness(driver, make_cloud):
    cloud = make_cloud(latency=0.1, faults=[{"kind": "slow", "times": 1, "seconds": 0.1}])
    start = anyio.current_time()
    await driver.list_realms(cloud, None)
    between = anyio.current_time()
    await driver.list_realms(cloud, None)
    assert between - start >= 0.19
    assert anyio.current_time() - between >= 0.09


async def test_what_is_cancelled_changes_nothing(driver, make_cloud):
    cloud = make_cloud(latency=0.1)
    with anyio.move_on_after(0.02):
        await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    assert len((await driver.list_instances(cloud, None, {})).items) == 4


async def test_a_lost_answer_can_be_found_again(driver, make_cloud):
    cloud = make_cloud(faults=[{"kind": "reset", "operations": ["create_instance"], "times": 1}])
    spec = InstanceSpec(image_id="img1", client_token="once")
    with pytest.raises(OutcomeUnknown):
        await driver.create_instance(cloud, spec)
    listed = (await driver.list_instances(cloud, None, {})).items
    assert [i.id for i in listed if i.client_token == "once"] == ["inst4"]


async def test_an_odd_item_in_a_page(driver, make_cloud, all_of):
    fault = {"kind": "odd_item", "times": 1}
    cloud = make_cloud(page_size=3, faults=[fault])
    await driver.get_instance(cloud, "inst0")  # no list: it is not used up
    first, second = await all_of(cloud, "list_instances", where={})
    assert [i.id for i in first.items] == ["inst1", "inst2"]
    assert [(p.id, p.message) for p in first.problems] == [("inst0", "its state is the number 42")]
    assert [i.id for i in second.items] == ["inst3"]
    assert not second.problems


async def test_an_odd_item_in_an_empty_page(driver, make_cloud):
    cloud = make_cloud(dataset="empty", faults=[{"kind": "odd_item"}])
    page = await driver.list_instances(cloud, None, {})
    assert not page.items
    assert not page.problems
