"""Volumes and their snapshots over the wire, with the requests that they cost."""

import anyio
import pytest

from anabranch.errors import (
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
)
from anabranch.models import (
    StorageSnapshotSpec,
    StorageSnapshotState,
    StorageVolumeSpec,
    StorageVolumeState,
)
from anabranch.testing.simulation import Behaviour
from anabranch_openstack import driver

from .test_collections import costs, ready

NOBODY = "00000000-0000-0000-0000-000000000000"
SPEC = StorageVolumeSpec(name="data", capacity_gb=2)


async def running(cloud, count=1):
    page = await driver.list_instances(cloud, None, {})
    return [i.id for i in page.items if i.state == "RUNNING"][:count]


async def made(cloud, spec=SPEC):
    """A volume, as soon as it is there."""
    volume = await driver.create_storage_volume(cloud, spec)
    return await eventually(cloud, volume.id, StorageVolumeState.AVAILABLE)


async def eventually(cloud, volume_id, state):
    with anyio.fail_after(5):
        while True:
            volume = await driver.get_storage_volume(cloud, volume_id)
            if volume.state is state:
                return volume
            await anyio.sleep(0.01)


async def test_a_volume_with_all_that_can_be_asked_for(served):
    async with served(instances=0) as (simulated, cloud, _):
        await ready(cloud)
        spec = StorageVolumeSpec(
            capacity_gb=3,
            realm_id="nova",
            name="<data> & 🚀",
            description="of the team",
            kind="fast",
            tags={"team": "é", "a b:/": ""},
        )
        with costs(simulated, "POST /v3/volumes"):
            volume = await driver.create_storage_volume(cloud, spec)
        assert volume.state is StorageVolumeState.CREATING
        with costs(simulated, "GET /volumes/" + volume.id):
            volume = await driver.get_storage_volume(cloud, volume.id)
        assert (volume.name, volume.description) == (spec.name, spec.description)
        assert (volume.capacity_gb, volume.realm_id, volume.kind) == (3, "nova", "fast")
        assert dict(volume.tags) == dict(spec.tags)
        assert (volume.bootable, volume.instance_id, volume.device) == (False, None, None)
        assert volume.created_at.tzinfo is not None
        with costs(simulated, "GET /volumes/detail"):
            page = await driver.list_storage_volumes(cloud, None)
        assert [v.id for v in page.items] == [volume.id]
        assert page.items[0] == volume
        with costs(simulated, "DELETE /volumes/" + volume.id):
            await driver.destroy_storage_volume(cloud, volume.id)
        with pytest.raises(NotFound):
            await driver.get_storage_volume(cloud, volume.id)
        with pytest.raises(NotFound):
            await driver.destroy_storage_volume(cloud, volume.id)


async def test_a_volume_that_nobody_says_anything_about_has_one_gib(served):
    async with served(instances=0) as (_, cloud, _url):
        volume = await driver.create_storage_volume(cloud, StorageVolumeSpec())
        assert (volume.capacity_gb, volume.name, volume.description) == (1, "", "")


async def test_volumes_come_page_by_page(served):
    async with served(instances=0, entry={"page_size": 2}) as (simulated, cloud, _):
        ids = {(await driver.create_storage_volume(cloud, SPEC)).id for _ in range(5)}
        found, cursor = [], None
        with costs(simulated, *["GET /volumes/detail"] * 3):
            while True:
                page = await driver.list_storage_volumes(cloud, cursor)
                found += [v.id for v in page.items]
                cursor = page.cursor
                if cursor is None:
                    break
        assert len(found) == 5
        assert set(found) == ids


async def test_what_cinder_refuses(served):
    async with served(instances=0) as (simulated, cloud, _url):
        with pytest.raises(InvalidRequest, match="Availability zone 'az-q' is invalid"):
            await driver.create_storage_volume(cloud, StorageVolumeSpec(realm_id="az-q"))
        with pytest.raises(InvalidRequest, match="does not match any of the regexes"):
            await driver.create_storage_volume(cloud, StorageVolumeSpec(tags={"é": ""}))
        with pytest.raises(NotFound, match="Volume type with name gold"):
            await driver.create_storage_volume(cloud, StorageVolumeSpec(kind="gold"))
        with pytest.raises(NotFound, match="Snapshot"):
            await driver.create_storage_volume(cloud, StorageVolumeSpec(snapshot_id=NOBODY))
        with pytest.raises(InvalidRequest, match="more than 255"):
            await driver.create_storage_volume(cloud, StorageVolumeSpec(name="x" * 256))
        simulated.state.regions["RegionOne"].volumes.limit = 0
        with pytest.raises(QuotaExceeded):
            await driver.create_storage_volume(cloud, SPEC)


async def test_attach_and_detach(served):
    async with served(instances=2) as (simulated, cloud, _):
        one, other = await running(cloud, 2)
        volume = await made(cloud)
        attachments = f"/{one}/os-volume_attachments"
        with costs(simulated, f"POST {attachments}", f"GET /volumes/{volume.id}"):
            volume = await driver.attach_storage_volume(cloud, volume.id, one, "/dev/vdq")
        assert volume.state is StorageVolumeState.IN_USE
        assert (volume.instance_id, volume.device) == (one, "/dev/vdq")
        assert (await driver.get_instance(cloud, one)).storage_volumes[
            0
        ].storage_volume_id == volume.id

        again = await driver.attach_storage_volume(cloud, volume.id, one, None)
        assert again.instance_id == one
        with pytest.raises(Conflict, match="already attached"):
            await driver.attach_storage_volume(cloud, volume.id, other, None)
        with pytest.raises(Conflict, match="must be available"):
            await driver.destroy_storage_volume(cloud, volume.id)

        with costs(
            simulated,
            f"GET /volumes/{volume.id}",
            f"DELETE {attachments}/{volume.id}",
            f"GET /volumes/{volume.id}",
        ):
            volume = await driver.detach_storage_volume(cloud, volume.id)
        assert volume.state is StorageVolumeState.AVAILABLE
        assert volume.instance_id is None
        with costs(simulated, f"GET /volumes/{volume.id}"):
            volume = await driver.detach_storage_volume(cloud, volume.id)
        assert volume.state is StorageVolumeState.AVAILABLE
        await driver.destroy_storage_volume(cloud, volume.id)


async def test_attach_and_detach_wait(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.2)) as (_, cloud, _url):
        [instance] = await running(cloud)
        volume = await made(cloud)
        volume = await driver.attach_storage_volume(cloud, volume.id, instance, None)
        assert (volume.state, volume.instance_id) == (StorageVolumeState.IN_USE, instance)
        assert volume.device
        volume = await driver.detach_storage_volume(cloud, volume.id)
        assert (volume.state, volume.instance_id) == (StorageVolumeState.AVAILABLE, None)


async def test_an_attachment_whose_answer_is_lost_is_found_out_about(served):
    async with served(instances=1) as (simulated, cloud, _):
        [instance] = await running(cloud)
        volume = await made(cloud)
        simulated.behaviour.break_with(["lostx1:POST /os-volume_attachments"])
        volume = await driver.attach_storage_volume(cloud, volume.id, instance, None)
        assert (volume.state, volume.instance_id) == (StorageVolumeState.IN_USE, instance)


async def test_two_who_attach_and_two_who_detach_at_once_all_succeed(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.2)) as (_, cloud, _url):
        [instance] = await running(cloud)
        volume = await made(cloud)
        found = []

        async def attach():
            found.append(await driver.attach_storage_volume(cloud, volume.id, instance, None))

        async def detach():
            found.append(await driver.detach_storage_volume(cloud, volume.id))

        for act, state in ((attach, "IN-USE"), (detach, "AVAILABLE")):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(act)
                tasks.start_soon(act)
            assert [v.state for v in found] == [state, state]
            found.clear()


async def test_what_is_being_attached_elsewhere_is_a_conflict(served):
    async with served(instances=2) as there:
        one, other = await running(there.cloud, 2)
        volume = await made(there.cloud)
        there.simulated.behaviour = Behaviour(state_delay=60)
        hasty = there.again(attach_timeout=0.2)
        for _ in range(2):
            with pytest.raises(DeadlineExceeded, match="not ready within"):
                await driver.attach_storage_volume(hasty, volume.id, one, None)
        with pytest.raises(Conflict, match="current status is attaching"):
            await driver.attach_storage_volume(hasty, volume.id, other, None)
        await hasty.aclose()


async def test_attaching_what_is_not_there(served):
    async with served(instances=1) as (_, cloud, _url):
        [instance] = await running(cloud)
        volume = await made(cloud)
        for volume_id, instance_id in (
            (NOBODY, instance),
            ("no uuid", instance),
            (volume.id, NOBODY),
        ):
            with pytest.raises(NotFound):
                await driver.attach_storage_volume(cloud, volume_id, instance_id, None)
        for volume_id in (NOBODY, "no/uuid"):
            with pytest.raises(NotFound):
                await driver.detach_storage_volume(cloud, volume_id)


async def test_an_attachment_that_fails_is_told(served):
    async with served(instances=1) as (simulated, cloud, _):
        [instance] = await running(cloud)
        volume = await made(cloud)
        simulated.behaviour = Behaviour(state_delay=60)
        store = simulated.state.regions["RegionOne"].volumes

        async def give_up():
            while True:
                if store.volumes[volume.id].status == "attaching":
                    next(s for s in simulated.servers if s.id == instance).volumes = []
                    return store.release(instance)
                await anyio.sleep(0.01)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(give_up)
            with pytest.raises(Conflict, match="gave the attachment up, the volume is available"):
                await driver.attach_storage_volume(cloud, volume.id, instance, None)


async def test_a_snapshot(served):
    async with served(instances=1) as (simulated, cloud, _):
        [instance] = await running(cloud)
        volume = await made(cloud)
        await driver.attach_storage_volume(cloud, volume.id, instance, None)
        wanted = StorageSnapshotSpec(storage_volume_id=volume.id, name="s & t", description="d")
        with costs(simulated, "POST /v3/snapshots"):
            snapshot = await driver.create_storage_snapshot(cloud, wanted)
        assert snapshot.state is StorageSnapshotState.CREATING
        with costs(simulated, f"GET /snapshots/{snapshot.id}"):
            snapshot = await driver.get_storage_snapshot(cloud, snapshot.id)
        assert snapshot.state is StorageSnapshotState.AVAILABLE
        assert (snapshot.name, snapshot.description) == ("s & t", "d")
        assert (snapshot.storage_volume_id, snapshot.size_gb) == (volume.id, 2)
        with costs(simulated, "GET /snapshots/detail"):
            page = await driver.list_storage_snapshots(cloud, None)
        assert page.items == [snapshot]
        copy = await made(cloud, StorageVolumeSpec(snapshot_id=snapshot.id))
        assert (copy.snapshot_id, copy.capacity_gb) == (snapshot.id, 2)
        await driver.detach_storage_volume(cloud, volume.id)
        with pytest.raises(Conflict, match="have snapshots"):
            await driver.destroy_storage_volume(cloud, volume.id)
        with costs(simulated, f"DELETE /snapshots/{snapshot.id}"):
            await driver.destroy_storage_snapshot(cloud, snapshot.id)
        for act in (driver.get_storage_snapshot, driver.destroy_storage_snapshot):
            with pytest.raises(NotFound):
                await act(cloud, snapshot.id)


async def test_destroying_twice_is_no_conflict(served):
    async with served(instances=0) as (simulated, cloud, _):
        volume = await made(cloud)
        snapshot = await driver.create_storage_snapshot(
            cloud, StorageSnapshotSpec(storage_volume_id=volume.id)
        )
        await driver.get_storage_snapshot(cloud, snapshot.id)
        simulated.behaviour = Behaviour(state_delay=60)
        for _ in range(2):
            await driver.destroy_storage_snapshot(cloud, snapshot.id)
        simulated.state.regions["RegionOne"].volumes.snapshots.clear()
        for _ in range(2):
            await driver.destroy_storage_volume(cloud, volume.id)
        volume = await driver.get_storage_volume(cloud, volume.id)
        assert volume.state is StorageVolumeState.DELETING


async def test_snapshots_of_what_is_busy_or_not_there(served):
    async with served(instances=0, behaviour=Behaviour(state_delay=60)) as (_, cloud, _url):
        volume = await driver.create_storage_volume(cloud, SPEC)
        with pytest.raises(Conflict, match="current status is: creating"):
            await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id=volume.id)
            )
        with pytest.raises(NotFound):
            await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id=NOBODY)
            )


async def test_a_volume_of_a_snapshot_that_is_not_ready(served):
    async with served(instances=0) as (simulated, cloud, _):
        volume = await made(cloud)
        simulated.behaviour = Behaviour(state_delay=60)
        snapshot = await driver.create_storage_snapshot(
            cloud, StorageSnapshotSpec(storage_volume_id=volume.id)
        )
        with pytest.raises(Conflict, match="Originating snapshot status"):
            await driver.create_storage_volume(cloud, StorageVolumeSpec(snapshot_id=snapshot.id))


async def test_a_reader_changes_nothing(served):
    async with served(instances=0) as (simulated, cloud, url):
        entry = simulated.settings(url, user="auditor")
        reader = type(cloud)("lisbon", driver.configure("lisbon", entry, {}))
        try:
            with pytest.raises(PermissionDenied):
                await driver.create_storage_volume(reader, SPEC)
        finally:
            await reader.aclose()
