"""Volumes and snapshots on the real cinder and nova."""

from __future__ import annotations

import anyio
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.models import (
    StorageSnapshotSpec,
    StorageSnapshotState,
    StorageVolumeSpec,
    StorageVolumeState,
)
from anabranch_openstack import driver

from .pages import everything

pytestmark = pytest.mark.filterwarnings("ignore::Warning:openstack")

NOBODY = "00000000-0000-0000-0000-000000000000"


async def gone(destroy, get, cloud, ident):
    """Destroy a thing, and wait until it is gone."""
    await destroy(cloud, ident)
    while True:
        await get(cloud, ident)
        await anyio.sleep(0.1)


async def volume_gone(cloud, ident):
    await driver.detach_storage_volume(cloud, ident)
    await gone(driver.destroy_storage_volume, driver.get_storage_volume, cloud, ident)


async def snapshot_gone(cloud, ident):
    await gone(driver.destroy_storage_snapshot, driver.get_storage_snapshot, cloud, ident)


async def ready(get, cloud, ident):
    with anyio.fail_after(30):
        while True:
            found = await get(cloud, ident)
            if found.state == "AVAILABLE":
                return found
            await anyio.sleep(0.1)


async def volume(lab, **fields):
    spec = StorageVolumeSpec(name=lab.name, **fields)
    made = await driver.create_storage_volume(lab.cloud, spec)
    assert made.state is StorageVolumeState.CREATING
    lab.later(volume_gone, made.id)
    return await ready(driver.get_storage_volume, lab.cloud, made.id)


async def instance(lab):
    networks = (await driver.list_networks(lab.cloud, None)).items
    return await lab.instance(network_ids=[n.id for n in networks if n.name == "private"])


async def test_volumes_and_snapshots(lab, sdk):
    async with lab() as found:
        cloud = found.cloud
        # cinder's database, as the lab has it, takes no character beyond U+FFFF.
        fields = {"capacity_gb": 2, "description": "<i> 'of' & ☃", "kind": "fast"}
        tags = {"team": "é", "a b:/": ""}
        made = await volume(found, realm_id="nova", tags=tags, **fields)
        assert {name: getattr(made, name) for name in fields} == fields
        assert (dict(made.tags), made.realm_id, made.bootable) == (tags, "nova", False)
        assert (made.instance_id, made.device, made.snapshot_id) == (None, None, None)
        assert made.created_at.tzinfo is not None

        spec = StorageSnapshotSpec(storage_volume_id=made.id, name=found.name, description="d")
        snapshot = await driver.create_storage_snapshot(cloud, spec)
        found.later(snapshot_gone, snapshot.id)
        snapshot = await ready(driver.get_storage_snapshot, cloud, snapshot.id)
        assert (snapshot.storage_volume_id, snapshot.size_gb) == (made.id, 2)
        assert (snapshot.name, snapshot.description) == (found.name, "d")

        copy = await volume(found, snapshot_id=snapshot.id)
        assert (copy.snapshot_id, copy.capacity_gb) == (snapshot.id, 2)
        with pytest.raises(Conflict, match="have snapshots"):
            await driver.destroy_storage_volume(cloud, made.id)

        volumes = await everything(driver.list_storage_volumes, cloud)
        theirs = await sdk(lambda c: list(c.block_storage.volumes()))
        mine = {made.id, copy.id}
        assert {
            (v.id, v.name, v.capacity_gb, v.platform_state, v.kind, v.realm_id)
            for v in volumes
            if v.id in mine
        } == {
            (v.id, v.name, v.size, v.status, v.volume_type, v.availability_zone)
            for v in theirs
            if v.id in mine
        }
        snapshots = await everything(driver.list_storage_snapshots, cloud)
        theirs = await sdk(lambda c: list(c.block_storage.snapshots()))
        assert [(s.id, s.name, s.storage_volume_id) for s in snapshots if s.id == snapshot.id] == [
            (s.id, s.name, s.volume_id) for s in theirs if s.id == snapshot.id
        ]

        for _ in range(2):  # the second one meets it on its way out, or gone
            try:
                await driver.destroy_storage_snapshot(cloud, snapshot.id)
            except NotFound:
                break
        with anyio.fail_after(30):
            try:
                while True:
                    left = await driver.get_storage_snapshot(cloud, snapshot.id)
                    assert left.state is StorageSnapshotState.DELETING
                    await anyio.sleep(0.1)
            except NotFound:
                pass


async def test_volumes_come_page_by_page(lab):
    async with lab(page_size=1) as found:
        mine = {(await volume(found)).id for _ in range(3)}
        listed = [v.id for v in await everything(driver.list_storage_volumes, found.cloud)]
        assert mine <= set(listed)
        assert len(listed) == len(set(listed))


async def test_attach_and_detach(lab):
    async with lab() as found:
        cloud = found.cloud
        one, other = await instance(found), await instance(found)
        made = await volume(found)
        attached = await driver.attach_storage_volume(cloud, made.id, one, "/dev/vdq")
        assert attached.state is StorageVolumeState.IN_USE
        assert attached.instance_id == one
        assert attached.device.startswith("/dev/")
        server = await driver.get_instance(cloud, one)
        assert [v.storage_volume_id for v in server.storage_volumes] == [made.id]

        again = await driver.attach_storage_volume(cloud, made.id, one, None)
        assert (again.state, again.instance_id) == (StorageVolumeState.IN_USE, one)
        with pytest.raises(Conflict, match="already attached"):
            await driver.attach_storage_volume(cloud, made.id, other, None)
        with pytest.raises(Conflict, match="attached"):
            await driver.destroy_storage_volume(cloud, made.id)

        spec = StorageSnapshotSpec(storage_volume_id=made.id, name=found.name)
        snapshot = await driver.create_storage_snapshot(cloud, spec)
        found.later(snapshot_gone, snapshot.id)
        await ready(driver.get_storage_snapshot, cloud, snapshot.id)

        for _ in range(2):
            detached = await driver.detach_storage_volume(cloud, made.id)
            assert (detached.state, detached.instance_id) == (StorageVolumeState.AVAILABLE, None)
        moved = await driver.attach_storage_volume(cloud, made.id, other, None)
        assert moved.instance_id == other


async def test_several_who_attach_and_detach_at_once(lab):
    async with lab() as found:
        cloud, there = found.cloud, await instance(found)
        made = await volume(found)
        states = []

        async def attach():
            seen = await driver.attach_storage_volume(cloud, made.id, there, None)
            states.append(seen.state)

        async def detach():
            states.append((await driver.detach_storage_volume(cloud, made.id)).state)

        for act, state in ((attach, "IN-USE"), (detach, "AVAILABLE")):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(act)
            assert states == [state] * 3
            states.clear()


async def test_what_is_not_there_or_not_right(lab):
    async with lab() as found:
        cloud = found.cloud
        made = await volume(found)
        for ident in (NOBODY, "no uuid", "a/../b"):
            for act in (
                driver.get_storage_volume,
                driver.destroy_storage_volume,
                driver.detach_storage_volume,
                driver.get_storage_snapshot,
                driver.destroy_storage_snapshot,
            ):
                with pytest.raises(NotFound):
                    await act(cloud, ident)
            with pytest.raises(NotFound):
                await driver.attach_storage_volume(cloud, made.id, ident, None)
        with pytest.raises(NotFound):
            await driver.create_storage_snapshot(
                cloud, StorageSnapshotSpec(storage_volume_id=NOBODY)
            )
        for spec, error in (
            (StorageVolumeSpec(realm_id="az-q"), InvalidRequest),
            (StorageVolumeSpec(name="x" * 256), InvalidRequest),
            (StorageVolumeSpec(tags={"é": ""}), InvalidRequest),
            (StorageVolumeSpec(kind="gold"), NotFound),
            (StorageVolumeSpec(snapshot_id=NOBODY), NotFound),
        ):
            with pytest.raises(error):
                await driver.create_storage_volume(cloud, spec)
        there = await instance(found)
        for ident in (NOBODY, "no uuid"):
            with pytest.raises(NotFound):
                await driver.attach_storage_volume(cloud, ident, there, None)


async def test_quotas_tell_of_volumes(lab):
    async with lab() as found:
        await volume(found, capacity_gb=3)
        quotas = {q.id: q for q in (await driver.list_quotas(found.cloud, None)).items}
        assert quotas["volumes"].limit >= quotas["volumes"].used >= 1
        assert quotas["volume_storage"].used >= 3
        assert {"snapshots", "backups", "instances"} <= quotas.keys()
        assert (quotas["volumes"].unit, quotas["volume_storage"].unit) == ("count", "GiB")
