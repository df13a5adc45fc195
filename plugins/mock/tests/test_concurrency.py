"""Many at once."""

import anyio
import pytest

from anabranch.errors import Conflict, QuotaExceeded
from anabranch.models import AddressSpec, InstanceSpec, KeySpec, NetworkInterfaceSpec

MANY = 40


async def _at_once(count, function):
    """Call `function(number)` that often at once; return results, and errors of a cloud."""
    results, errors = [], []

    async def run(number):
        try:
            results.append(await function(number))
        except (Conflict, QuotaExceeded) as error:
            errors.append(error)

    async with anyio.create_task_group() as tasks:
        for number in range(count):
            tasks.start_soon(run, number)
    return results, errors


@pytest.mark.parametrize("latency", [0, 0.01])
async def test_parallel_creates_give_distinct_instances(latency, driver, make_cloud, all_of):
    cloud = make_cloud(latency=latency, page_size=7)
    made, errors = await _at_once(
        MANY, lambda n: driver.create_instance(cloud, InstanceSpec(image_id="img1", name=str(n)))
    )
    assert not errors
    assert len({i.id for i in made}) == MANY
    assert {i.name for i in made} == {str(n) for n in range(MANY)}
    pages = await all_of(cloud, "list_instances", where={})
    assert {i.id for i in made} <= {i.id for page in pages for i in page.items}


async def test_a_quota_holds(driver, make_cloud):
    cloud = make_cloud(latency=0.01, quotas={"instances": 10})
    made, errors = await _at_once(
        MANY, lambda _: driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    )
    assert (len(made), len(errors)) == (6, MANY - 6)
    assert {type(error) for error in errors} == {QuotaExceeded}


async def test_one_name_one_key(driver, make_cloud):
    cloud = make_cloud(latency=0.01)
    made, errors = await _at_once(MANY, lambda _: driver.create_key(cloud, KeySpec(name="wanted")))
    assert (len(made), len(errors)) == (1, MANY - 1)


async def test_addresses_and_interfaces_are_given_once(driver, make_cloud):
    cloud = make_cloud(latency=0.01)
    addresses, _ = await _at_once(MANY, lambda _: driver.create_address(cloud, AddressSpec()))
    assert len({address.ip for address in addresses}) == MANY
    spec = NetworkInterfaceSpec(instance_id="inst0", network_id="net1")
    nics, _ = await _at_once(MANY, lambda _: driver.create_network_interface(cloud, spec))
    assert len({nic.ip_addresses for nic in nics}) == MANY
    instance = await driver.get_instance(cloud, "inst0")
    assert set(instance.network_interface_ids) == {nic.id for nic in nics}


async def test_a_volume_is_attached_once(driver, make_cloud):
    cloud = make_cloud(latency=0.01)
    done, errors = await _at_once(
        4, lambda n: driver.attach_storage_volume(cloud, "vol1", f"inst{n}", None)
    )
    assert (len(done), len(errors)) == (1, 3)


async def test_clouds_do_not_share_their_state(driver, make_cloud):
    one, other = make_cloud(), make_cloud()
    await driver.destroy_key(one, "test-key")
    assert await driver.get_key(other, "test-key")
