"""Volumes, snapshots, buckets and blobs."""

from contextlib import aclosing

import anyio
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.models import (
    AttachedVolume,
    BlobSegment,
    BlobSpec,
    BucketSpec,
    StorageSnapshotSpec,
    StorageVolumeSpec,
)

BLOB = BlobSpec(bucket_id="bucket1", name="folder/new.txt", content_type="text/plain")


async def _read(driver, cloud, bucket_id, blob_id):
    async with await driver.open_blob(cloud, bucket_id, blob_id) as content:
        return [chunk async for chunk in content]


async def test_a_volume_comes_and_goes(driver, cloud):
    spec = StorageVolumeSpec(
        capacity_gb=5,
        realm_id="eu",
        name="data",
        description="of mine",
        kind="ssd",
        tags={"a": "b"},
    )
    volume = await driver.create_storage_volume(cloud, spec)
    assert (volume.id, volume.name, volume.description) == ("vol4", "data", "of mine")
    assert (volume.state, volume.capacity_gb, volume.kind) == ("AVAILABLE", 5, "ssd")
    assert (volume.realm_id, volume.tags) == ("eu", {"a": "b"})
    attached = await driver.attach_storage_volume(cloud, "vol4", "inst1", None)
    assert (attached.state, attached.device) == ("IN-USE", "/dev/vdb")
    assert await driver.attach_storage_volume(cloud, "vol4", "inst1", None) == attached
    instance = await driver.get_instance(cloud, "inst1")
    assert instance.storage_volumes[-1] == AttachedVolume("vol4", "/dev/vdb")
    with pytest.raises(Conflict, match="attached to instance 'inst1'"):
        await driver.attach_storage_volume(cloud, "vol4", "inst0", None)
    with pytest.raises(Conflict, match="IN-USE, attached to instance 'inst1'"):
        await driver.destroy_storage_volume(cloud, "vol4")
    with pytest.raises(Conflict, match="'/dev/vdb' of instance 'inst1' is taken"):
        await driver.attach_storage_volume(cloud, "vol1", "inst1", "/dev/vdb")
    detached = await driver.detach_storage_volume(cloud, "vol4")
    assert (detached.state, detached.device, detached.instance_id) == ("AVAILABLE", None, None)
    assert await driver.detach_storage_volume(cloud, "vol4") == detached
    await driver.destroy_storage_volume(cloud, "vol4")
    with pytest.raises(NotFound):
        await driver.detach_storage_volume(cloud, "vol4")


async def test_an_instance_has_so_many_devices(driver, cloud):
    for number in range(25):
        volume = await driver.create_storage_volume(cloud, StorageVolumeSpec(name=str(number)))
        await driver.attach_storage_volume(cloud, volume.id, "inst0", None)
    with pytest.raises(Conflict, match="no device left"):
        await driver.attach_storage_volume(cloud, "vol1", "inst0", None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"capacity_gb": 0}, "capacity_gb"),
        ({"capacity_gb": 10**9}, "capacity_gb"),
        ({"realm_id": "x"}, "realm_id"),
        ({"snapshot_id": "x"}, "snapshot_id"),
        ({"kind": "drum"}, "kind"),
        ({"name": "x" * 256}, "name"),
        ({"tags": {"": ""}}, "tags"),
    ],
)
async def test_wrong_volumes(fields, named, driver, cloud):
    with pytest.raises(InvalidRequest, match=named):
        await driver.create_storage_volume(cloud, StorageVolumeSpec(**fields))


async def test_snapshots(driver, make_cloud):
    cloud = make_cloud(delays={"creating": 0.25})
    big = await driver.create_storage_volume(cloud, StorageVolumeSpec(capacity_gb=8))
    assert big.state == "CREATING"
    with pytest.raises(Conflict, match="CREATING"):
        await driver.attach_storage_volume(cloud, big.id, "inst0", None)
    with pytest.raises(Conflict, match="CREATING"):
        await driver.destroy_storage_volume(cloud, big.id)
    spec = StorageSnapshotSpec(storage_volume_id=big.id, name="monday", description="full")
    snapshot = await driver.create_storage_snapshot(cloud, spec)
    assert (snapshot.id, snapshot.name, snapshot.description) == ("snap4", "monday", "full")
    assert (snapshot.state, snapshot.size_gb) == ("CREATING", 8)
    with pytest.raises(Conflict, match="still being made"):
        await driver.destroy_storage_snapshot(cloud, snapshot.id)
    await anyio.sleep(0.3)
    assert (await driver.get_storage_volume(cloud, big.id)).state == "AVAILABLE"
    assert (await driver.get_storage_snapshot(cloud, snapshot.id)).state == "AVAILABLE"
    with pytest.raises(InvalidRequest, match="7 is not within 8"):
        await driver.create_storage_volume(
            cloud, StorageVolumeSpec(snapshot_id=snapshot.id, capacity_gb=7)
        )
    copy = await driver.create_storage_volume(cloud, StorageVolumeSpec(snapshot_id=snapshot.id))
    assert (copy.capacity_gb, copy.snapshot_id) == (8, snapshot.id)
    await driver.destroy_storage_snapshot(cloud, snapshot.id)
    with pytest.raises(NotFound):
        await driver.get_storage_snapshot(cloud, snapshot.id)
    with pytest.raises(InvalidRequest, match="storage_volume_id"):
        await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(storage_volume_id="x"))


async def test_a_snapshot_of_an_instance(driver, cloud):
    spec = StorageSnapshotSpec(instance_id="inst0")
    snapshot = await driver.create_storage_snapshot(cloud, spec)
    assert (snapshot.instance_id, snapshot.storage_volume_id) == ("inst0", None)
    with pytest.raises(InvalidRequest, match="instance_id"):
        await driver.create_storage_snapshot(cloud, StorageSnapshotSpec(instance_id="x"))
    for wrong in ({}, {"instance_id": "inst0", "storage_volume_id": "vol1"}):
        with pytest.raises(ValueError, match="either the volume or the instance"):
            StorageSnapshotSpec(**wrong)


async def test_buckets(driver, cloud):
    bucket = await driver.create_bucket(cloud, BucketSpec(name="mine", location="eu"))
    assert (bucket.id, bucket.location, bucket.blob_count) == ("mine", "eu", 0)
    with pytest.raises(Conflict, match="already"):
        await driver.create_bucket(cloud, BucketSpec(name="mine"))
    for spec, named in [
        (BucketSpec(name="a/b"), "name"),
        (BucketSpec(name=""), "name"),
        (BucketSpec(name="other", location="moon"), "location"),
    ]:
        with pytest.raises(InvalidRequest, match=named):
            await driver.create_bucket(cloud, spec)
    upload = await driver.begin_blob_upload(cloud, BlobSpec(bucket_id="mine", name="x"))
    elsewhere = await driver.begin_blob_upload(cloud, BLOB)
    await driver.destroy_bucket(cloud, "mine")
    await driver.abort_blob_upload(cloud, BLOB, elsewhere)
    with pytest.raises(NotFound):
        await driver.abort_blob_upload(cloud, BlobSpec(bucket_id="mine", name="x"), upload)
    with pytest.raises(NotFound):
        await driver.list_blobs(cloud, None, "mine")
    with pytest.raises(Conflict, match="not empty: it holds 3"):
        await driver.destroy_bucket(cloud, "bucket1")


async def test_a_blob_goes_up_and_down_in_chunks(driver, cloud, content):
    data = bytes(range(256)) * 1000
    spec = BlobSpec(
        bucket_id="bucket1", name="big", content_length=len(data), metadata={"Colour": "Red"}
    )
    blob = await driver.create_blob(cloud, spec, content(data[:1000], data[1000:], b""))
    assert (blob.content_length, blob.metadata) == (256_000, {"colour": "Red"})
    chunks = await _read(driver, cloud, "bucket1", "big")
    assert len(chunks) > 1
    assert b"".join(chunks) == data
    bucket = await driver.get_bucket(cloud, "bucket1")
    assert (bucket.blob_count, bucket.size_bytes) == (4, 256_000 + 3 * 17)

    again = await driver.create_blob(cloud, BLOB, content(b"one"))
    replaced = await driver.create_blob(cloud, BLOB, content(b"two"))
    assert again.etag != replaced.etag
    assert (await driver.get_bucket(cloud, "bucket1")).blob_count == 5
    assert await _read(driver, cloud, "bucket1", BLOB.name) == [b"two"]

    changed = await driver.set_blob_metadata(cloud, "bucket1", "big", {"X": "y"})
    assert changed.metadata == {"x": "y"}
    await driver.destroy_blob(cloud, "bucket1", "big")
    for operation in (driver.get_blob, driver.open_blob, driver.destroy_blob):
        with pytest.raises(NotFound):
            await operation(cloud, "bucket1", "big")


async def test_an_empty_blob(driver, cloud, content):
    assert (await driver.create_blob(cloud, BLOB, content())).content_length == 0
    assert await _read(driver, cloud, "bucket1", BLOB.name) == []


async def test_a_download_may_end_early(driver, cloud, content):
    await driver.create_blob(cloud, BLOB, content(b"x" * 200_000))
    async with await driver.open_blob(cloud, "bucket1", BLOB.name) as download:
        async for _ in download:
            break


async def test_a_blob_that_fails_on_the_way_is_not_stored(driver, cloud):
    async def broken():
        yield b"one"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        await driver.create_blob(cloud, BLOB, broken())
    with pytest.raises(NotFound):
        await driver.get_blob(cloud, "bucket1", BLOB.name)


async def test_wrong_blobs(driver, make_cloud, content):
    cloud = make_cloud(quotas={"blob_bytes": 200, "blobs": 4})
    with pytest.raises(NotFound, match="bucket 'x'"):
        await driver.create_blob(cloud, BlobSpec(bucket_id="x", name="y"), content(b""))
    for fields, named in [
        ({"name": ""}, "name"),
        ({"name": "x", "content_length": 4}, "content_length: 4 were announced, 3 came"),
        ({"name": "x", "metadata": {"": ""}}, "tags"),
    ]:
        with pytest.raises(InvalidRequest, match=named):
            await driver.create_blob(
                cloud, BlobSpec(bucket_id="bucket1", **fields), content(b"abc")
            )
    with pytest.raises(QuotaExceeded, match="of 200 are used"):
        await driver.create_blob(cloud, BLOB, content(b"x" * 150))
    async with aclosing(content(b"x" * 150, b"x" * 150)) as too_much:
        with pytest.raises(QuotaExceeded, match="200 bytes"):
            await driver.create_blob(cloud, BLOB, too_much)
    await driver.create_blob(cloud, BLOB, content(b"x"))
    with pytest.raises(QuotaExceeded, match="4 of 4"):
        await driver.create_blob(cloud, BlobSpec(bucket_id="bucket1", name="fifth"), content(b"x"))


async def test_a_blob_in_segments(driver, cloud, content):
    upload = await driver.begin_blob_upload(cloud, BLOB)

    async def send(order, data):
        return await driver.upload_blob_segment(cloud, BLOB, upload, order, content(data))

    second = await send(2, b"world")
    await send(1, b"goodbye ")
    first = await send(1, b"hello ")
    assert (second.order, second.size_bytes) == (2, 5)
    with pytest.raises(InvalidRequest, match="were named"):
        await driver.complete_blob_upload(cloud, BLOB, upload, [first])
    wrong = BlobSegment(order=2, etag="x", size_bytes=5)
    with pytest.raises(InvalidRequest, match="segment 2 of that hash"):
        await driver.complete_blob_upload(cloud, BLOB, upload, [first, wrong])
    other = BlobSpec(bucket_id="bucket2", name=BLOB.name)
    with pytest.raises(InvalidRequest, match="is an upload of"):
        await driver.complete_blob_upload(cloud, other, upload, [first, second])
    blob = await driver.complete_blob_upload(cloud, BLOB, upload, [second, first])
    assert (blob.content_length, blob.content_type) == (11, "text/plain")
    assert await _read(driver, cloud, "bucket1", BLOB.name) == [b"hello world"]
    with pytest.raises(NotFound, match="no upload"):
        await send(3, b"!")


async def test_uploads_that_cannot_be(driver, make_cloud, content):
    cloud = make_cloud(quotas={"blob_uploads": 1, "blob_bytes": 100, "blobs": 3})
    upload = await driver.begin_blob_upload(cloud, BLOB)
    with pytest.raises(QuotaExceeded, match="as many as may"):
        await driver.begin_blob_upload(cloud, BLOB)
    with pytest.raises(InvalidRequest, match="counted from 1"):
        await driver.upload_blob_segment(cloud, BLOB, upload, 0, content(b""))
    with pytest.raises(QuotaExceeded, match="of 100 are used"):
        await driver.upload_blob_segment(cloud, BLOB, upload, 1, content(b"x" * 50))
    segment = await driver.upload_blob_segment(cloud, BLOB, upload, 1, content(b"x"))
    with pytest.raises(QuotaExceeded, match="3 of 3"):
        await driver.complete_blob_upload(cloud, BLOB, upload, [segment])
    await driver.destroy_blob(cloud, "bucket1", "blob1")
    await driver.complete_blob_upload(cloud, BLOB, upload, [segment])
    upload = await driver.begin_blob_upload(cloud, BLOB)
    await driver.abort_blob_upload(cloud, BLOB, upload)
    with pytest.raises(NotFound, match="no upload"):
        await driver.abort_blob_upload(cloud, BLOB, upload)
