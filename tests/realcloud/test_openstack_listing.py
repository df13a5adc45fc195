"""What is listed is what openstacksdk lists of the same project."""

import os
from pathlib import Path

import anyio.to_thread
import pytest

from anabranch import InstanceState
from anabranch.models import InstanceSpec

pytestmark = pytest.mark.filterwarnings("ignore::Warning:openstack")

ZONES = ("az-a", "az-b")
COLLECTIONS = ("realms", "hardware_profiles", "images", "instances", "keys", "quotas")


def sdk(name: str):
    import openstack.config

    file = Path(os.environ.get("OSLAB_STATE", "/var/tmp/oslab")) / "clouds.yaml"
    config = openstack.config.OpenStackConfig(config_files=[str(file)], load_envvars=False)
    region = config.get_one(name, compute_default_microversion="2.46")
    return openstack.connection.Connection(config=region)


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


def theirs():
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


async def test_as_openstacksdk_sees_it(openstack, unique):
    async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
        image = next(i.id for i in await broker.images.list() if i.name == "tiny-linux")
        spec = InstanceSpec(image_id=image, name=unique)
        made = await broker.instances.create_many("oslab", spec, 2)
        try:
            for instance in made:
                await broker.instances.wait(instance.qualified_id, InstanceState.RUNNING)
            await broker.instances.stop(made[0].qualified_id, wait=60)
            for _ in range(3):  # others may be at work in the same project
                expected, found = await anyio.to_thread.run_sync(theirs), await ours(broker)
                if expected == found:
                    break
            assert found == expected
            assert {i.id for i in made} <= {i[0] for i in found["instances"]}
        finally:
            for instance in made:
                await broker.instances.destroy(instance.qualified_id)


async def test_pages(openstack):
    """The images of the lab, one a page."""
    async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
        whole = {i.id for i in await broker.images.list(require="all")}
        profiles = [p.id for p in await broker.hardware_profiles.list(require="all")]

    def paged():
        return openstack("oslab", page_size=1)

    async with await anyio.to_thread.run_sync(paged) as broker:
        found = [i.id for i in await broker.images.list(require="all")]
        assert sorted(found) == sorted(whole)
        assert [p.id for p in await broker.hardware_profiles.list(require="all")] == profiles
