"""Storage and metrics through the broker, as a program uses them."""

import anyio
import pytest

from anabranch.errors import (
    Conflict,
    NotFound,
    OperationNotSupported,
    OutcomeUnknown,
)
from anabranch.models import (
    BlobSpec,
    BucketSpec,
    StorageSnapshotSpec,
    StorageVolumeSpec,
    to_builtins,
)
from anabranch_openstack.simulator.identity import catalog


async def source(*chunks):
    for chunk in chunks:
        await anyio.lowlevel.checkpoint()
        yield chunk


async def test_a_volume_at_an_instance_and_its_snapshot(served, brokers):
    async with served(instances=1) as lisbon:
        broker = brokers(lisbon)
        [instance] = await broker.instances.list(require="all")
        spec = StorageVolumeSpec(name="data", kind="fast", tags={"team": "a"}, description="d")
        volume = await broker.storage_volumes.create("lisbon", spec)
        volume = await broker.storage_volumes.get(volume.qualified_id)
        assert volume.state == "AVAILABLE"
        volume = await broker.storage_volumes.attach(volume.qualified_id, instance.qualified_id)
        assert (volume.state, volume.instance_id) == ("IN-USE", instance.id)
        with pytest.raises(Conflict, match=r"^lisbon: destroy_storage_volume: "):
            await broker.storage_volumes.destroy(volume.qualified_id)
        wanted = StorageSnapshotSpec(storage_volume_id=volume.id, name="s", description="d")
        snapshot = await broker.storage_snapshots.create("lisbon", wanted)
        [listed] = await broker.storage_snapshots.list(require="all")
        assert (listed.id, listed.storage_volume_id) == (snapshot.id, volume.id)
        assert await broker.storage_snapshots.destroy(snapshot.qualified_id)
        volume = await broker.storage_volumes.detach(volume.qualified_id)
        assert await broker.storage_volumes.destroy(volume.qualified_id)
        assert not await broker.storage_volumes.destroy(volume.qualified_id)
        assert len(await broker.storage_volumes.list(require="all")) == 0


async def test_blobs_with_slashes_in_their_names(served, brokers):
    async with served(instances=0) as lisbon:
        broker = brokers(lisbon)
        bucket = await broker.buckets.create("lisbon", BucketSpec(name="photos"))
        spec = BlobSpec(bucket_id="photos", name="a/é 🚀/%41", metadata={"Colour": "red"})
        blob = await broker.blobs.create("lisbon", spec, source(b"hel", b"lo"))
        target = f"lisbon/photos/{blob.id}"
        assert dict((await broker.blobs.get(target)).metadata) == {"colour": "red"}
        async with broker.blobs.open(target) as content:
            assert b"".join([chunk async for chunk in content]) == b"hello"
        [listed] = await broker.blobs.list(bucket.qualified_id)
        assert to_builtins(listed)["id"] == spec.name
        with pytest.raises(Conflict, match="not empty"):
            await broker.buckets.destroy(bucket.qualified_id)
        assert await broker.blobs.destroy(target)
        assert not await broker.blobs.destroy(target)
        assert await broker.buckets.destroy(bucket.qualified_id)


async def test_an_upload_in_segments(served, brokers):
    async with served(instances=0) as lisbon:
        broker = brokers(lisbon)
        await broker.buckets.create("lisbon", BucketSpec(name="photos"))
        spec = BlobSpec(bucket_id="photos", name="big")
        upload_id = await broker.blobs.begin_upload("lisbon", spec)
        segments = [
            await broker.blobs.upload_segment("lisbon", spec, upload_id, order, source(part))
            for order, part in enumerate((b"aa", b"b"), start=1)
        ]
        blob = await broker.blobs.complete_upload("lisbon", spec, upload_id, segments)
        assert blob.content_length == 3
        with pytest.raises(NotFound, match="no upload"):
            await broker.blobs.abort_upload("lisbon", spec, upload_id)


async def test_metrics_and_quotas(served, brokers):
    async with served(instances=2) as lisbon:
        broker = brokers(lisbon)
        listed = await broker.metrics.list(require="all")
        assert len(listed) == 2
        metric = await broker.metrics.get(next(iter(listed)).qualified_id)
        assert any(series.samples for series in metric.series)
        quotas = {quota.id for quota in await broker.quotas.list(require="all")}
        assert {"volumes", "volume_storage", "snapshots", "instances"} <= quotas


async def test_a_volume_whose_answer_is_lost_is_in_doubt_and_made_once(served, brokers):
    async with served(instances=0) as lisbon:
        broker = brokers(lisbon)
        lisbon.simulated.behaviour.break_with(["lostx1:POST /volumes"])
        with pytest.raises(OutcomeUnknown):
            await broker.storage_volumes.create("lisbon", StorageVolumeSpec())
        assert len(await broker.storage_volumes.list(require="all")) == 1


async def test_a_cloud_without_storage(served, brokers, monkeypatch):
    kept = [s for s in catalog._SERVICES if s[0] in ("identity", "compute")]
    monkeypatch.setattr(catalog, "_SERVICES", kept)
    async with served(instances=0) as lisbon:
        broker = brokers(lisbon)
        capabilities = await broker.probe("lisbon")
        for operation in ("list_storage_volumes", "list_buckets", "list_blobs", "list_metrics"):
            assert operation not in capabilities
            assert "no service of type" in capabilities.why_not(operation)
        assert "list_instances" in capabilities
        with pytest.raises(OperationNotSupported, match="object-store"):
            await broker.buckets.create("lisbon", BucketSpec(name="photos"))
