"""Volumes and snapshots."""

import pytest

from anabranch.errors import Conflict, InvalidRequest, InvalidState, NotFound, OutcomeUnknown
from anabranch.models import StorageSnapshotSpec, StorageVolumeSpec, StorageVolumeState
from anabranch.testing.simulation import Behaviour
from anabranch_opennebula import driver
from anabranch_opennebula.client import session
from anabranch_opennebula.templates import template

ODD = "say \"hi\" & <b>bye</b> 'é' 🚀"


async def a_volume(there, **fields):
    return await driver.create_storage_volume(there.cloud, StorageVolumeSpec(**fields))


async def test_a_volume_and_its_end(served):
    async with served(instances=0) as there:
        with there.costs("datastorepool.info", "image.allocate", "image.info"):
            made = await a_volume(
                there,
                capacity_gb=3,
                name="data",
                description=ODD,
                tags={"a b": ODD},
                kind="default",
                realm_id="0",
            )
        assert (made.name, made.capacity_gb, made.kind) == ("data", 3, "default")
        assert (made.description, made.tags) == (ODD, {"a b": ODD})
        (listed,) = (await driver.list_storage_volumes(there.cloud, None)).items
        assert listed == await driver.get_storage_volume(there.cloud, made.id)
        assert made.id not in [
            i.id for i in (await driver.list_images(there.cloud, None, {})).items
        ]
        assert listed.extra["PERSISTENT"] == "1"
        with pytest.raises(Conflict, match="taken"):
            await a_volume(there, name="data")
        unnamed = await a_volume(there)
        assert (unnamed.name[:10], unnamed.capacity_gb) == ("anabranch-", 1)
        with there.costs("image.info", "image.delete"):
            await driver.destroy_storage_volume(there.cloud, made.id)
        for ident in (made.id, "0"):
            with pytest.raises(NotFound):
                await driver.destroy_storage_volume(there.cloud, ident)


async def test_a_data_disk_that_is_copied_is_no_volume(served):
    """What an instance writes to its copy is lost when that is detached."""
    async with served(instances=1) as there:
        body = [("NAME", "copied"), ("TYPE", "DATABLOCK"), ("SIZE", "100")]
        made = str(await session(there.cloud).change("image.allocate", template(body), 1))
        assert not (await driver.list_storage_volumes(there.cloud, None)).items
        with pytest.raises(NotFound, match="no persistent data disk"):
            await driver.attach_storage_volume(there.cloud, made, "0", None)
        assert not there.asked("vm.attach")


async def test_what_is_refused(served):
    refused = (
        ({"kind": "none"}, NotFound),
        ({"kind": "system"}, NotFound),
        ({"realm_id": "7"}, InvalidRequest),
        ({"snapshot_id": "volume.1.0"}, InvalidRequest),
        ({"name": "<b>"}, InvalidRequest),
    )
    async with served(instances=0) as there:
        for fields, kind in refused:
            with pytest.raises(kind):
                await a_volume(there, **fields)
        assert not (await driver.list_storage_volumes(there.cloud, None)).items


async def test_the_configured_datastore(served):
    async with served({"datastore_id": "1"}, instances=0) as there:
        assert (await a_volume(there)).kind == "default"
        with pytest.raises(NotFound):
            await driver.create_storage_volume(
                there.again(datastore_id="0"), StorageVolumeSpec(name="x")
            )


async def test_an_answer_that_is_lost(served):
    async with served(instances=0) as there:
        there.simulated.behaviour.break_with(["lost:image.allocate"])
        with pytest.raises(OutcomeUnknown):
            await a_volume(there, name="data")
        assert there.asked("image.allocate") == 1
        assert len((await driver.list_storage_volumes(there.cloud, None)).items) == 1


@pytest.mark.parametrize("state_delay", [0.0, 0.1])
async def test_attaching_and_detaching(served, state_delay):
    async with served(instances=2, behaviour=Behaviour(state_delay=state_delay)) as there:
        cloud = there.cloud
        volume = await a_volume(there)
        while volume.state is StorageVolumeState.CREATING:
            volume = await driver.get_storage_volume(cloud, volume.id)
        attached = await driver.attach_storage_volume(cloud, volume.id, "0", "/dev/sdc")
        assert (attached.state, attached.instance_id) == (StorageVolumeState.IN_USE, "0")
        assert attached.device == "/dev/sdc"
        instance = await driver.get_instance(cloud, "0")
        assert [v.storage_volume_id for v in instance.storage_volumes] == [volume.id]
        assert not instance.busy
        with there.costs("image.info", "vm.info", "image.info"):
            await driver.attach_storage_volume(cloud, volume.id, "0", None)
        with there.costs("image.info"), pytest.raises(Conflict, match="instance 0"):
            await driver.attach_storage_volume(cloud, volume.id, "1", None)
        with pytest.raises(Conflict):
            await driver.destroy_storage_volume(cloud, volume.id)
        detached = await driver.detach_storage_volume(cloud, volume.id)
        assert (detached.state, detached.instance_id) == (StorageVolumeState.AVAILABLE, None)
        with there.costs("image.info"):
            await driver.detach_storage_volume(cloud, volume.id)
        assert not (await driver.get_instance(cloud, "0")).storage_volumes


async def test_what_it_costs(served):
    async with served(instances=1) as there:
        volume = await a_volume(there)
        with there.costs("image.info", "vm.attach", "vm.info", "image.info"):
            await driver.attach_storage_volume(there.cloud, volume.id, "0", None)
        with there.costs("image.info", "vm.info", "vm.detach", "vm.info", "image.info"):
            await driver.detach_storage_volume(there.cloud, volume.id)


async def test_an_attachment_that_fails_in_silence(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.1)) as there:
        volume = await a_volume(there)
        while volume.state is StorageVolumeState.CREATING:
            volume = await driver.get_storage_volume(there.cloud, volume.id)
        there.simulated.hypervisor.attach_fails = True
        with pytest.raises(Conflict, match="tried, and failed"):
            await driver.attach_storage_volume(there.cloud, volume.id, "0", None)


async def test_a_snapshot_that_is_accepted_and_then_out_of_sight(served):
    of_it = StorageSnapshotSpec(storage_volume_id="", instance_id="0", name="s")
    async with served({"retries": 0, "change_timeout": 0.3}, instances=1) as there:
        there.simulated.behaviour.break_with(["503x1:vm.info"])
        made = await driver.create_storage_snapshot(there.cloud, of_it)
        assert made.id == "instance.0.0"
        for fault, text in (("503", "within 0.3 s"), ("403", "not seen to be so")):
            there.simulated.behaviour.break_with([f"{fault}:vm.info"])
            with pytest.raises(OutcomeUnknown, match=f"accepted, but.*{text}.*snapshot") as caught:
                await driver.create_storage_snapshot(there.cloud, of_it)
            assert caught.value.remedy == "Look before you try again"
        assert there.asked("vm.snapshotcreate") == 3


async def test_attaching_to_what_cannot_have_it(served):
    async with served(instances=1) as there:
        volume = await a_volume(there)
        with pytest.raises(NotFound):
            await driver.attach_storage_volume(there.cloud, volume.id, "7", None)
        with pytest.raises(NotFound):
            await driver.attach_storage_volume(there.cloud, "77", "0", None)
        await driver.stop_instance(there.cloud, "0")
        attached = await driver.attach_storage_volume(there.cloud, volume.id, "0", None)
        assert attached.instance_id == "0"
        (machine,) = there.simulated.machines
        machine.state = 5
        machine.changed()
        with pytest.raises(InvalidState):
            await driver.detach_storage_volume(there.cloud, volume.id)


async def all_snapshots(cloud):
    found, cursor = [], None
    while True:
        page = await driver.list_storage_snapshots(cloud, cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


async def test_snapshots_of_volumes(served):
    async with served({"page_size": 2}, instances=3) as there:
        cloud = there.cloud
        volume = await a_volume(there, capacity_gb=2)
        of_it = StorageSnapshotSpec(storage_volume_id=volume.id, name="first")
        with pytest.raises(InvalidState) as caught:
            await driver.create_storage_snapshot(cloud, of_it)
        assert caught.value.remedy == "Attach it"
        await driver.attach_storage_volume(cloud, volume.id, "1", None)
        with there.costs("image.info", "vm.info", "vm.disksnapshotcreate", "vm.info"):
            made = await driver.create_storage_snapshot(cloud, of_it)
        assert made.id == f"volume.{volume.id}.0"
        assert (made.name, made.storage_volume_id, made.instance_id) == ("first", volume.id, "1")
        assert made.size_gb == 2
        assert await all_snapshots(cloud) == [made]
        assert await driver.get_storage_snapshot(cloud, made.id) == made
        with pytest.raises(Conflict) as caught:
            await driver.destroy_storage_snapshot(cloud, made.id)
        assert "until the volume is destroyed" in caught.value.remedy
        await driver.detach_storage_volume(cloud, volume.id)
        (kept,) = await all_snapshots(cloud)
        assert (kept.id, kept.instance_id) == (made.id, None)
        assert await driver.get_storage_snapshot(cloud, made.id) == kept


async def test_snapshots_of_instances(served):
    async with served({"page_size": 2}, instances=3) as there:
        cloud = there.cloud
        with there.costs("vm.snapshotcreate", "vm.info"):
            made = await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id="", instance_id="2", name=ODD[:5])
            )
        assert (made.id, made.instance_id, made.storage_volume_id) == ("instance.2.0", "2", None)
        assert await all_snapshots(cloud) == [made]
        with there.costs("vm.info", "vm.snapshotdelete", "vm.info"):
            await driver.destroy_storage_snapshot(cloud, made.id)
        assert await all_snapshots(cloud) == []
        with pytest.raises(NotFound):
            await driver.destroy_storage_snapshot(cloud, made.id)
        await driver.stop_instance(cloud, "2")
        with pytest.raises(InvalidState):
            await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id="", instance_id="2")
            )
