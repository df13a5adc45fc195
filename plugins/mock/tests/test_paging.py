"""Every list comes in pages."""

import pytest

from anabranch.errors import InvalidRequest
from anabranch.models import (
    AddressSpec,
    BlobSpec,
    BucketSpec,
    FirewallSpec,
    ImageSpec,
    InstanceSpec,
    KeySpec,
    Listener,
    LoadBalancerSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    StorageSnapshotSpec,
    StorageVolumeSpec,
    SubnetSpec,
)

LISTENERS = (Listener(protocol="TCP", load_balancer_port=80, instance_port=80),)
# How to make the number-th thing of each collection in which things can be made.
MAKE = {
    "images": ("image", lambda _: ImageSpec(instance_id="inst0")),
    "instances": ("instance", lambda _: InstanceSpec(image_id="img1")),
    "keys": ("key", lambda n: KeySpec(name=f"key{n}")),
    "firewalls": ("firewall", lambda n: FirewallSpec(name=f"firewall{n}")),
    "addresses": ("address", lambda _: AddressSpec()),
    "load_balancers": (
        "load_balancer",
        lambda n: LoadBalancerSpec(name=f"lb{n}", listeners=LISTENERS),
    ),
    "storage_volumes": ("storage_volume", lambda _: StorageVolumeSpec()),
    "storage_snapshots": (
        "storage_snapshot",
        lambda _: StorageSnapshotSpec(storage_volume_id="vol1"),
    ),
    "networks": ("network", lambda _: NetworkSpec(name="same")),
    "subnets": (
        "subnet",
        lambda n: SubnetSpec(network_id="net1", address_block=f"192.168.{100 + n}.0/24"),
    ),
    "network_interfaces": (
        "network_interface",
        lambda _: NetworkInterfaceSpec(instance_id="inst0", network_id="net1"),
    ),
    "buckets": ("bucket", lambda n: BucketSpec(name=f"new{n}")),
}


@pytest.mark.parametrize("collection", MAKE)
async def test_two_and_a_half_pages(collection, driver, make_cloud, all_of):
    cloud = make_cloud(page_size=4)
    singular, spec = MAKE[collection]
    where = {"where": {}} if collection in ("images", "instances") else {}
    (before,) = await all_of(cloud, f"list_{collection}", **where)
    made = [
        await getattr(driver, f"create_{singular}")(cloud=cloud, spec=spec(number))
        for number in range(10 - len(before.items))
    ]

    pages = await all_of(cloud, f"list_{collection}", **where)

    assert [len(page.items) for page in pages] == [4, 4, 2]
    items = [item for page in pages for item in page.items]
    assert len({item.id for item in items}) == 10
    assert {item.id for item in made} <= {item.id for item in items}
    assert {item.cloud for item in items} == {"mock1"}
    for item in items:
        found = await getattr(driver, f"get_{singular}")(cloud, item.id)
        assert found == item


async def test_blobs(driver, make_cloud, all_of, content):
    cloud = make_cloud(page_size=4)
    for number in range(7):
        spec = BlobSpec(bucket_id="bucket1", name=f"new/{number}")
        await driver.create_blob(cloud, spec, content(b"x"))
    pages = await all_of(cloud, "list_blobs", bucket_id="bucket1")
    assert [len(page.items) for page in pages] == [4, 4, 2]


@pytest.mark.parametrize(
    ("operation", "page_size", "sizes"),
    [
        ("list_realms", 1, [1, 1]),
        ("list_hardware_profiles", 3, [3, 1]),
        ("list_metrics", 3, [3, 1]),
        ("list_quotas", 6, [6, 6, 3]),
    ],
)
async def test_lists_in_which_nothing_is_made(operation, page_size, sizes, make_cloud, all_of):
    pages = await all_of(make_cloud(page_size=page_size), operation)
    assert [len(page.items) for page in pages] == sizes


async def test_a_full_last_page_has_no_cursor(make_cloud, all_of):
    pages = await all_of(make_cloud(page_size=2), "list_instances", where={})
    assert [len(page.items) for page in pages] == [2, 2]


async def test_nothing_is_missed_when_things_come_and_go_between_pages(driver, make_cloud):
    cloud = make_cloud(page_size=2)
    first = await driver.list_instances(cloud, None, {})
    for instance in first.items:
        await driver.stop_instance(cloud, instance.id)
        await driver.destroy_instance(cloud, instance.id)
    new = await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    second = await driver.list_instances(cloud, first.cursor, {})
    third = await driver.list_instances(cloud, second.cursor, {})
    assert [i.id for i in second.items] == ["inst2", "inst3"]
    assert [i.id for i in third.items] == [new.id]


@pytest.mark.parametrize("cursor", ["", "x", "-1", "²", "9" * 5000])
async def test_a_cursor_of_somebody_else_is_refused(cursor, driver, cloud):
    with pytest.raises(InvalidRequest, match="cursor"):
        await driver.list_realms(cloud, cursor)


async def test_filters(driver, cloud):
    async def ids(operation, **where):
        page = await getattr(driver, operation)(cloud, None, where)
        return [item.id for item in page.items]

    assert await ids("list_instances", realm_id="eu") == ["inst3"]
    assert await ids("list_instances", realm_id="moon") == []
    assert await ids("list_images", architecture="x86_64") == ["img1"]
    assert await ids("list_images", owner_id="fedoraproject") == ["img1", "img2"]
    assert await ids("list_images", owner_id="self") == ["img3"]
    assert await ids("list_images", owner_id="self", architecture="x86_64") == []
