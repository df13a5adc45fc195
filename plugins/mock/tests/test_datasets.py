"""What is in a cloud to begin with."""

from collections import Counter

import msgspec
import pytest

from anabranch.models import InstanceSpec, PropertyKind, to_builtins
from anabranch.states import InstanceState

LISTS = {
    "realms": {},
    "hardware_profiles": {},
    "images": {"where": {}},
    "instances": {"where": {}},
    "keys": {},
    "firewalls": {},
    "addresses": {},
    "load_balancers": {},
    "storage_volumes": {},
    "storage_snapshots": {},
    "networks": {},
    "subnets": {},
    "network_interfaces": {},
    "buckets": {},
    "metrics": {},
    "quotas": {},
}


@pytest.fixture
def everything(driver, all_of):
    async def collect(cloud):
        found = {}
        for collection, arguments in LISTS.items():
            pages = await all_of(cloud, f"list_{collection}", **arguments)
            found[collection] = [item for page in pages for item in page.items]
        return found

    return collect


async def test_what_users_of_deltacloud_know(driver, cloud, everything):
    found = await everything(cloud)
    ids = {collection: [item.id for item in items] for collection, items in found.items()}
    assert ids["realms"] == ["us", "eu"]
    assert ids["hardware_profiles"] == ["m1-small", "m1-large", "m1-xlarge", "opaque"]
    assert ids["images"] == ["img1", "img2", "img3"]
    assert ids["instances"] == ["inst0", "inst1", "inst2", "inst3"]
    assert ids["keys"] == ["test-key"]
    assert ids["addresses"] == [f"192.168.0.{n}" for n in range(1, 5)]
    assert ids["storage_volumes"] == ["vol1", "vol2", "vol3"]
    assert ids["storage_snapshots"] == ["snap1", "snap2", "snap3"]
    assert ids["networks"] == ["net1", "net2"]
    assert ids["subnets"] == ["subnet1", "subnet2", "subnet3", "subnet4"]
    assert ids["network_interfaces"] == ["nic1", "nic2"]
    assert ids["buckets"] == ["bucket1", "bucket2"]
    assert [realm.name for realm in found["realms"]] == ["United States", "Europe"]
    assert {i.owner_id for i in found["instances"]} == {"mockuser"}
    image = found["images"][0]
    assert (image.description, image.owner_id, image.architecture) == (
        "Fedora 10",
        "fedoraproject",
        "x86_64",
    )
    large = await driver.get_hardware_profile(cloud, "m1-large")
    assert large.cpu.kind is PropertyKind.RANGE
    assert (large.memory_mib.first, large.memory_mib.value, large.memory_mib.last) == (
        7680,
        10240,
        15360,
    )
    assert large.storage_gb.choices == (850, 1024)
    assert (await driver.get_hardware_profile(cloud, "opaque")).properties == {}
    async with await driver.open_blob(cloud, "bucket1", "blob1") as content:
        assert [chunk async for chunk in content] == [b"content of blob 1"]
    blob = await driver.get_blob(cloud, "bucket1", "blob1")
    assert blob.metadata == {"somenewkey": "NEWVALUE"}


async def test_ids_are_not_used_again(driver, cloud):
    await driver.destroy_storage_volume(cloud, "vol2")
    await driver.stop_instance(cloud, "inst3")
    await driver.destroy_instance(cloud, "inst3")
    made = await driver.create_instance(cloud, InstanceSpec(image_id="img1", snapshot_id="snap1"))
    assert made.id == "inst4"
    assert [v.storage_volume_id for v in made.storage_volumes] == ["vol4"]


async def test_empty(driver, make_cloud, everything):
    cloud = make_cloud(dataset="empty")
    found = await everything(cloud)
    full = {collection for collection, items in found.items() if items}
    assert full == {"realms", "hardware_profiles", "images", "networks", "quotas"}
    assert (await driver.create_instance(cloud, InstanceSpec(image_id="img1"))).id == "inst0"


async def test_generated(driver, make_cloud, everything):
    cloud = make_cloud(dataset="generated", instances=500)
    found = await everything(cloud)
    instances = found["instances"]
    assert len(instances) == 500
    states = Counter(instance.state for instance in instances)
    assert set(states) == {
        InstanceState.RUNNING,
        InstanceState.STOPPED,
        InstanceState.PENDING,
        InstanceState.ERROR,
    }
    assert states[InstanceState.RUNNING] > 350
    for field in ("image_id", "realm_id", "hardware_profile_id", "key_id", "firewall_ids"):
        assert len({getattr(instance, field) for instance in instances}) > 1, field
    assert len({instance.name for instance in instances}) == 500
    assert len(found["network_interfaces"]) == 500
    assert len({a.address for i in instances for a in i.private_addresses}) == 500
    assert found["storage_volumes"]
    assert 0 < len(found["addresses"]) <= 200
    made = await driver.create_instance(cloud, InstanceSpec(image_id="img1", network_ids=("net2",)))
    assert made.id == "inst500"


async def test_generated_is_the_same_at_every_start(driver, make_cloud):
    entry = {"dataset": "generated", "instances": 50}
    one, other = make_cloud(**entry), make_cloud(**entry)
    first = await driver.list_instances(one, None, {})
    assert first.items != (await driver.list_instances(other, None, {})).items
    await one.aclose()  # its state is gone
    again = await driver.list_instances(one, None, {})
    assert again.items == first.items


async def test_odd_data(driver, make_cloud, everything):
    cloud = make_cloud(dataset="empty", odd_data=True)
    found = await everything(cloud)
    names = " ".join(instance.name for instance in found["instances"])
    for sign in ("<script>", "&", '"', "'", "\N{ROCKET}", "\n"):
        assert sign in names
    assert max(len(instance.name) for instance in found["instances"]) > 5_000
    assert any(i.state is InstanceState.UNKNOWN and i.platform_state for i in found["instances"])
    assert any(not i.public_addresses for i in found["instances"])
    for collection, items in found.items():
        for item in items:
            assert msgspec.json.encode(to_builtins(item, extra=True)), collection
    for instance in found["instances"]:
        assert await driver.get_instance(cloud, instance.id) == instance
        assert await driver.get_metric(cloud, instance.id)
