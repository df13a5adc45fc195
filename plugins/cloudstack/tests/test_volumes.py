"""Volumes and snapshots over the wire."""

import pytest

from anabranch.errors import Conflict, InvalidRequest, InvalidState, NotFound
from anabranch.models import (
    StorageSnapshotSpec,
    StorageVolumeSpec,
)
from anabranch_cloudstack import driver

NOBODY = "00000000-0000-0000-0000-000000000000"


async def test_a_volume_from_its_making_to_its_end(served):
    async with served(instances=8) as world:
        cloud = world.cloud
        it = await world.machine(cloud)
        wanted = StorageVolumeSpec(capacity_gb=7, name="data", tags={"a": "b"})
        with world.costs("listZones", "listDiskOfferings", "createVolume", "createTags"):
            made = await driver.create_storage_volume(cloud, wanted)
        found = await driver.get_storage_volume(cloud, made.id)
        assert (found.name, found.capacity_gb, found.tags) == ("data", 7, {"a": "b"})
        assert (found.state, found.bootable, found.kind) == ("AVAILABLE", False, made.kind)
        with world.costs("listVolumes", "attachVolume"):
            attached = await driver.attach_storage_volume(cloud, made.id, it.id, "/dev/vdc")
        assert (attached.state, attached.instance_id, attached.device) == ("IN-USE", it.id, "2")
        with world.costs("listVolumes"):
            again = await driver.attach_storage_volume(cloud, made.id, it.id, None)
        assert again.instance_id == it.id
        other = await world.machine(cloud, "STOPPED")
        with pytest.raises(Conflict):
            await driver.attach_storage_volume(cloud, made.id, other.id, None)
        with pytest.raises(Conflict):
            await driver.destroy_storage_volume(cloud, made.id)
        with world.costs("listVolumes", "detachVolume"):
            detached = await driver.detach_storage_volume(cloud, made.id)
        assert (detached.state, detached.instance_id) == ("AVAILABLE", None)
        with world.costs("listVolumes"):
            await driver.detach_storage_volume(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.attach_storage_volume(cloud, made.id, NOBODY, None)
        with pytest.raises(InvalidRequest, match="/dev/vdb"):
            await driver.attach_storage_volume(cloud, made.id, it.id, "/dev/vda")
        with world.costs("deleteVolume"):
            await driver.destroy_storage_volume(cloud, made.id)
        for act in (driver.destroy_storage_volume, driver.detach_storage_volume):
            with pytest.raises(NotFound):
                await act(cloud, made.id)


async def test_the_disk_offering_that_is_meant(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        fits = await driver.create_storage_volume(cloud, StorageVolumeSpec(capacity_gb=20))
        kinds = {fits.kind}
        free = await driver.create_storage_volume(cloud, StorageVolumeSpec())
        assert (await driver.get_storage_volume(cloud, free.id)).capacity_gb == 1
        kinds.add(free.kind)
        named_one = await driver.create_storage_volume(cloud, StorageVolumeSpec(kind=fits.kind))
        assert (await driver.get_storage_volume(cloud, named_one.id)).capacity_gb == 20
        assert len(kinds) == 2
        with pytest.raises(InvalidRequest, match="20"):
            await driver.create_storage_volume(
                cloud, StorageVolumeSpec(kind=fits.kind, capacity_gb=3)
            )
        configured = world.again(disk_offering=fits.kind)
        made = await driver.create_storage_volume(configured, StorageVolumeSpec())
        assert made.kind == fits.kind
        await configured.aclose()


async def test_root_disks_are_volumes_too(served):
    async with served(instances=2) as world:
        volumes = await world.everything(world.cloud, "storage_volumes")
        assert [v.bootable for v in volumes] == [True, True]
        with pytest.raises(Conflict):
            await driver.destroy_storage_volume(world.cloud, volumes[0].id)


async def test_a_snapshot_and_a_volume_of_it(served):
    async with served(instances=2) as world:
        cloud = world.cloud
        root = (await world.everything(cloud, "storage_volumes"))[0]
        with world.costs("createSnapshot"):
            made = await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id=root.id, name="s1")
            )
        assert made.state == "CREATING"
        found = await driver.get_storage_snapshot(cloud, made.id)
        assert (found.name, found.state, found.storage_volume_id) == ("s1", "AVAILABLE", root.id)
        (listed,) = await world.everything(cloud, "storage_snapshots")
        assert listed.id == made.id
        spec = StorageVolumeSpec(snapshot_id=made.id, name="again", realm_id=root.realm_id)
        with world.costs("createVolume"):
            volume = await driver.create_storage_volume(cloud, spec)
        again = await driver.get_storage_volume(cloud, volume.id)
        assert (again.capacity_gb, again.snapshot_id) == (root.capacity_gb, made.id)
        with world.costs("deleteSnapshot"):
            await driver.destroy_storage_snapshot(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_storage_snapshot(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_storage_snapshot(cloud, NOBODY)
        with pytest.raises(InvalidRequest):
            await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id=NOBODY)
            )


async def test_a_volume_that_was_never_attached_has_nothing_to_snapshot(served):
    async with served(instances=0) as world:
        made = await driver.create_storage_volume(world.cloud, StorageVolumeSpec())
        with pytest.raises(InvalidState, match="not in Ready state"):
            await driver.create_storage_snapshot(
                world.cloud, StorageSnapshotSpec(storage_volume_id=made.id)
            )


async def test_a_volume_of_a_snapshot_that_is_not_there(served):
    async with served(instances=0) as world:
        spec = StorageVolumeSpec(snapshot_id=NOBODY, capacity_gb=5)
        with pytest.raises(InvalidRequest):
            await driver.create_storage_volume(world.cloud, spec)
