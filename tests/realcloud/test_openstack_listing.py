"""What is listed is what openstacksdk lists of the same project."""

from functools import partial

import anyio.to_thread
import pytest

from anabranch import InstanceState
from anabranch.models import InstanceSpec

ZONES = ("az-a", "az-b")
COLLECTIONS = ("realms", "hardware_profiles", "images", "instances", "keys", "quotas")


@pytest.mark.parametrize("name", ["oslab", "oslab-two", "oslab-appcred", "oslab-admin"])
async def test_every_way_to_log_in(openstack, name):
    async with await anyio.to_thread.run_sync(openstack, name) as broker:
        identity = await broker.check(name)
        assert identity.version.startswith("compute 2.")
        for collection in COLLECTIONS:
            answer = await getattr(broker, collection).list()
            assert answer.complete, (collection, answer.unfinished)


async def test_all_at_once(openstack):
    names = ["oslab", "oslab-two", "oslab-tiny", "oslab-other", "oslab-admin", "oslab-appcred"]
    async with await anyio.to_thread.run_sync(openstack, *names) as broker:
        answer = await broker.realms.list(require="all")
        assert {(r.cloud, r.id) for r in answer} == {
            (n, z) for n in names for z in ("az-a", "az-b")
        }
        regions = {r.cloud: r.region for r in answer}
        assert (regions["oslab"], regions["oslab-two"]) == ("RegionOne", "RegionTwo")


def theirs(sdk):
    with sdk("oslab") as connection:
        compute, image = connection.compute, connection.image
        return {
            "instances": {
                (s.id, s.name, s.status, s.flavor["id"], s.image["id"], s.availability_zone)
                for s in compute.servers()
            },
            "profiles": {(f.id, f.name, f.vcpus, f.ram, f.disk) for f in compute.flavors()},
            "images": {(i.id, i.name, i.status, i.owner, i.size) for i in image.images()},
            "keys": {(k.name, k.fingerprint, k.public_key) for k in compute.keypairs()},
            "realms": {z.name for z in compute.availability_zones()},
        }


async def ours(broker):
    instances = await broker.instances.list(require="all")
    profiles = await broker.hardware_profiles.list(require="all")
    images = await broker.images.list(require="all")
    keys = await broker.keys.list(require="all")
    return {
        "instances": {
            (i.id, i.name, status(i), i.hardware_profile_id, i.image_id, i.realm_id)
            for i in instances
        },
        "profiles": {
            (p.id, p.name, p.cpu.value, p.memory_mib.value, p.storage_gb.value) for p in profiles
        },
        "images": {(i.id, i.name, i.platform_state, i.owner_id, i.size_bytes) for i in images},
        "keys": {(k.id, k.fingerprint, k.public_key) for k in keys},
        "realms": {r.id for r in await broker.realms.list(require="all")},
    }


def status(instance):
    return instance.platform_state.partition("/")[0]


async def test_as_openstacksdk_sees_it(openstack, sdk, clean, unique):
    """Others may be at work in the same project: what is there before and after must be told."""
    async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
        image = next(i.id for i in await broker.images.list() if i.name == "tiny-linux")
        spec = InstanceSpec(image_id=image, name=unique)
        try:
            made = await broker.instances.create_many("oslab", spec, 2)
            for instance in made:
                await broker.instances.wait(instance.qualified_id, InstanceState.RUNNING)
            await broker.instances.stop(made[0].qualified_id, wait=60)
            for _ in range(5):
                before = await anyio.to_thread.run_sync(partial(theirs, sdk))
                found = await ours(broker)
                after = await anyio.to_thread.run_sync(partial(theirs, sdk))
                least = {name: before[name] & after[name] for name in before}
                most = {name: before[name] | after[name] for name in before}
                if all(least[name] <= found[name] <= most[name] for name in least):
                    break
            else:
                assert found == after
            assert {i.id for i in made} <= {i[0] for i in found["instances"]}
        finally:
            await clean(broker, unique)


async def test_pages(openstack):
    """Images and flavors, one a page; others may make and delete images at the same time."""
    async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
        profiles = [p.id for p in await broker.hardware_profiles.list(require="all")]

    def paged():
        return openstack("oslab", page_size=1)

    async with await anyio.to_thread.run_sync(paged) as broker:
        found = await broker.images.list(require="all")
        assert {"debian-12-lab", "tiny-linux"} <= {image.name for image in found}
        assert len({image.id for image in found}) == len(found)
        assert [p.id for p in await broker.hardware_profiles.list(require="all")] == profiles
