"""Buckets and blobs on the real swift."""

from __future__ import annotations

import hashlib
from contextlib import aclosing

import anyio
import pytest

from anabranch.errors import CloudUnavailable, Conflict, InvalidRequest, NotFound
from anabranch.models import BlobSegment, BlobSpec, BucketSpec
from anabranch_openstack import blob_uploads, driver
from anabranch_openstack.client import session
from anabranch_openstack.object_store import ask, blob_path

from .pages import everything

pytestmark = pytest.mark.filterwarnings("ignore::Warning:openstack")

NAMES = ("a/b/c.txt", "/lead//double/", "%41 100%", "é 🚀 中", "..", "a/../b", "?x=1&y#z", '"<b>"')


async def source(*chunks):
    for chunk in chunks:
        await anyio.lowlevel.checkpoint()
        yield chunk


async def broken_off(*_arguments):
    raise CloudUnavailable("in between")


async def bucket_gone(cloud, bucket_id):
    for ident in (bucket_id, f"{bucket_id}_segments"):
        try:
            for blob in await everything(driver.list_blobs, cloud, ident):
                await driver.destroy_blob(cloud, ident, blob.id)
            await driver.destroy_bucket(cloud, ident)
        except NotFound:
            continue


class Store:
    """A bucket of one's own."""

    def __init__(self, cloud, bucket_id):
        self.cloud, self.id = cloud, bucket_id

    async def put(self, name, *chunks, **fields):
        spec = BlobSpec(bucket_id=self.id, name=name, **fields)
        async with aclosing(source(*chunks)) as content:
            return await driver.create_blob(self.cloud, spec, content)

    async def get(self, name):
        async with await driver.open_blob(self.cloud, self.id, name) as content:
            return b"".join([chunk async for chunk in content])

    async def names(self, suffix=""):
        return [b.id for b in await everything(driver.list_blobs, self.cloud, self.id + suffix)]


async def store(lab, **fields):
    lab.later(bucket_gone, lab.name)
    await driver.create_bucket(lab.cloud, BucketSpec(name=lab.name, **fields))
    return Store(lab.cloud, lab.name)


async def test_a_bucket(lab, sdk):
    async with lab() as found:
        cloud, name = found.cloud, found.name
        found.later(bucket_gone, name)
        made = await driver.create_bucket(cloud, BucketSpec(name=name, location="Policy-0"))
        assert (made.id, made.blob_count, made.size_bytes) == (name, 0, 0)
        assert (made.location, made.created_at is not None) == ("Policy-0", True)
        [listed] = [b for b in await everything(driver.list_buckets, cloud) if b.id == name]
        assert (listed.location, listed.blob_count) == ("Policy-0", 0)
        assert abs(listed.created_at - made.created_at).total_seconds() < 5
        theirs = await sdk(lambda c: [b.name for b in c.object_store.containers()])
        ours = [b.id for b in await everything(driver.list_buckets, cloud)]
        assert name in theirs
        assert set(ours) & {name} == set(theirs) & {name}

        with pytest.raises(Conflict, match="already"):
            await driver.create_bucket(cloud, BucketSpec(name=name))
        await Store(cloud, name).put("x", b"12345")
        with pytest.raises(Conflict, match="not empty"):
            await driver.destroy_bucket(cloud, name)
        await driver.destroy_blob(cloud, name, "x")
        await driver.destroy_bucket(cloud, name)
        for act in (driver.get_bucket, driver.destroy_bucket):
            with pytest.raises(NotFound):
                await act(cloud, name)
        for wrong in ("x" * 257, "a/b", ""):
            with pytest.raises(InvalidRequest):
                await driver.create_bucket(cloud, BucketSpec(name=wrong))
        with pytest.raises(InvalidRequest, match="Policy"):
            await driver.create_bucket(cloud, BucketSpec(name=name, location="gold"))


async def test_buckets_with_odd_names_page_by_page(lab):
    async with lab(page_size=2) as found:
        names = [found.name + end for end in (" a&b", ".%2F", "..", "é🚀")]
        for name in names:
            found.later(bucket_gone, name)
            await driver.create_bucket(found.cloud, BucketSpec(name=name))
        ours = [b.id for b in await everything(driver.list_buckets, found.cloud)]
        assert [n for n in ours if n.startswith(found.name)] == sorted(names, key=str.encode)
        assert len(ours) == len(set(ours))


async def test_a_blob(lab, sdk):
    async with lab() as found:
        cloud, here = found.cloud, await store(found)
        fields = {"content_type": "text/plain", "metadata": {"Colour": "red", "a.b-c": ""}}
        made = await here.put("dir/x", b"hel", b"lo", **fields)
        assert made.etag == hashlib.md5(b"hello").hexdigest()
        seen = await driver.get_blob(cloud, here.id, "dir/x")
        for blob in (made, seen):
            assert (blob.id, blob.content_length, blob.content_type) == ("dir/x", 5, "text/plain")
            assert dict(blob.metadata) == {"colour": "red", "a.b-c": ""}
        assert seen.etag == made.etag
        async with await driver.open_blob(cloud, here.id, "dir/x") as content:
            assert dict(content.blob.metadata) == dict(seen.metadata)
            assert b"".join([chunk async for chunk in content]) == b"hello"
        changed = await driver.set_blob_metadata(cloud, here.id, "dir/x", {"Size": "größer"})
        assert (dict(changed.metadata), changed.content_type) == ({"size": "größer"}, "text/plain")
        [listed] = await everything(driver.list_blobs, cloud, here.id)
        theirs = await sdk(lambda c: [(o.name, o.etag) for o in c.object_store.objects(here.id)])
        assert theirs == [(listed.id, listed.etag)]
        assert (listed.content_length, listed.content_type) == (5, "text/plain")
        assert abs(listed.last_modified - changed.last_modified).total_seconds() < 0.001
        replaced = await here.put("dir/x", b"bye", content_length=3)
        assert (replaced.content_length, await here.get("dir/x")) == (3, b"bye")
        await driver.destroy_blob(cloud, here.id, "dir/x")
        for act in (driver.get_blob, driver.open_blob, driver.destroy_blob):
            for bucket_id in (here.id, f"{here.id}-none"):
                with pytest.raises(NotFound):
                    await act(cloud, bucket_id, "dir/x")
        with pytest.raises(NotFound):
            await driver.list_blobs(cloud, None, f"{here.id}-none")


async def test_names_are_what_they_are(lab, sdk):
    async with lab(page_size=3) as found:
        here = await store(found)
        for name in NAMES:
            await here.put(name, name.encode())
        assert await here.names() == sorted(NAMES, key=str.encode)
        theirs = await sdk(lambda c: [o.name for o in c.object_store.objects(here.id)])
        assert await here.names() == theirs
        for name in NAMES:
            assert await here.get(name) == name.encode()
            await driver.destroy_blob(here.cloud, here.id, name)
        assert await here.names() == []


async def test_a_large_listing(lab, sdk):
    async with lab(page_size=50) as found:
        here = await store(found)
        limit = anyio.CapacityLimiter(8)

        async def put(number):
            async with limit:
                await here.put(f"blob {number:04}", b"x")

        async with anyio.create_task_group() as tasks:
            for number in range(120):
                tasks.start_soon(put, number)
        names = await here.names()
        assert names == [f"blob {number:04}" for number in range(120)]
        assert names == await sdk(lambda c: [o.name for o in c.object_store.objects(here.id)])
        limiter = anyio.CapacityLimiter(8)

        async def destroy(name):
            async with limiter:
                await driver.destroy_blob(here.cloud, here.id, name)

        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(destroy, name)


async def test_content_goes_through_in_pieces(lab):
    size, piece = 32 * 1024 * 1024, bytes(range(256)) * 1024
    async with lab() as found:
        here = await store(found)
        for length in (size, None):
            made = await here.put("x", *[piece] * (size // len(piece)), content_length=length)
            assert made.content_length == size
            digest, largest = hashlib.md5(), 0
            async with await driver.open_blob(here.cloud, here.id, "x") as content:
                assert content.blob.content_length == size
                async for chunk in content:
                    digest.update(chunk)
                    largest = max(largest, len(chunk))
            assert digest.hexdigest() == made.etag
            assert largest <= 1024 * 1024
        async with await driver.open_blob(here.cloud, here.id, "x") as content:
            async for _ in content:
                break  # leaving early ends the transfer


@pytest.mark.parametrize("length", [None, 10_000_000])
async def test_what_breaks_off_is_not_stored(lab, length):
    async with lab() as found:
        here = await store(found)

        async def failing():
            yield b"1" * 500_000
            raise ValueError("the disk is gone")

        spec = BlobSpec(bucket_id=here.id, name="x", content_length=length)
        with pytest.raises(ValueError, match="the disk is gone"):
            await driver.create_blob(here.cloud, spec, failing())
        with anyio.CancelScope() as scope:

            async def endless():
                yield b"1" * 500_000
                scope.cancel()
                await anyio.sleep_forever()

            await driver.create_blob(here.cloud, spec, endless())
        assert scope.cancelled_caught
        with pytest.raises(InvalidRequest):
            await here.put("x", b"123", content_length=4)
        await here.put("y", b"1")
        assert await here.names() == ["y"]


async def test_a_large_blob_for_a_bucket_that_is_not_there(lab):
    async with lab() as found:
        here = Store(found.cloud, found.name)
        with pytest.raises(NotFound):
            await here.put("x", *[b"1" * 1_000_000] * 20)


async def test_segments(lab, sdk, monkeypatch):
    async with lab() as found:
        cloud, here = found.cloud, await store(found)
        spec = BlobSpec(bucket_id=here.id, name="big/é", content_type="text/x", metadata={"a": "1"})
        with pytest.raises(NotFound):
            await driver.begin_blob_upload(cloud, BlobSpec(bucket_id="no-such", name="x"))
        upload_id = await driver.begin_blob_upload(cloud, spec)
        segments = {}
        for order, part in ((3, b"cc" * 100_000), (1, b"x"), (2, b""), (1, b"aaa")):
            segments[order] = await driver.upload_blob_segment(
                cloud, spec, upload_id, order, source(part)
            )
        await driver.upload_blob_segment(cloud, spec, upload_id, 9, source(b"not wanted"))
        never = BlobSegment(order=4, etag="0" * 32, size_bytes=4)
        for wrong in ([segments[1], segments[3]], [*segments.values(), never]):
            with pytest.raises(InvalidRequest):
                await driver.complete_blob_upload(cloud, spec, upload_id, wrong)
        blob = await driver.complete_blob_upload(cloud, spec, upload_id, list(segments.values()))
        assert await here.get(spec.name) == b"aaa" + b"cc" * 100_000
        seen = await driver.get_blob(cloud, here.id, spec.name)
        [listed] = await everything(driver.list_blobs, cloud, here.id)
        for other in (blob, seen, listed):
            assert (other.content_length, other.content_type) == (200_003, "text/x")
            assert other.etag == blob.etag
        assert dict(seen.metadata) == {"a": "1"}
        content = await sdk(lambda c: c.object_store.download_object(spec.name, container=here.id))
        assert len(content) == 200_003
        own = [f"{spec.name}/{upload_id}/{n:08}" for n in (1, 3)]
        assert await here.names("_segments") == own
        with pytest.raises(NotFound):
            await driver.abort_blob_upload(cloud, spec, upload_id)
        with pytest.raises(NotFound):
            await driver.upload_blob_segment(cloud, spec, upload_id, 1, source(b"late"))
        changed = await driver.set_blob_metadata(cloud, here.id, spec.name, {"b": "2"})
        assert (dict(changed.metadata), changed.etag) == ({"b": "2"}, blob.etag)
        await here.put(spec.name, b"small")
        assert await here.names("_segments") == []

        upload_id = await driver.begin_blob_upload(cloud, spec)
        part = await driver.upload_blob_segment(cloud, spec, upload_id, 1, source(b"aaa"))
        with monkeypatch.context() as patched:
            patched.setattr(blob_uploads, "names", broken_off)
            with pytest.raises(CloudUnavailable):
                await driver.complete_blob_upload(cloud, spec, upload_id, [part])
        await driver.complete_blob_upload(cloud, spec, upload_id, [part])
        assert await here.get(spec.name) == b"aaa"
        await driver.destroy_blob(cloud, here.id, spec.name)
        assert await here.names() == await here.names("_segments") == []

        upload_id = await driver.begin_blob_upload(cloud, spec)
        await driver.upload_blob_segment(cloud, spec, upload_id, 1, source(b"aaa"))
        await driver.abort_blob_upload(cloud, spec, upload_id)
        assert await here.names("_segments") == []
        with pytest.raises(NotFound):
            await driver.abort_blob_upload(cloud, spec, upload_id)
        await driver.destroy_bucket(cloud, here.id)
        with pytest.raises(NotFound):
            await driver.get_bucket(cloud, f"{here.id}_segments")


async def test_a_change_of_metadata_keeps_the_rest(lab, sdk):
    async with lab() as found:
        here = await store(found)
        await here.put("x", b"1", content_type="text/css")

        described = {
            "content-disposition": "attachment",
            "cache-control": "no-store",
            "content-language": "de",
            "x-robots-tag": "noindex",
            "expires": "Thu, 01 Dec 2033 16:00:00 GMT",
        }

        def describe(connection):
            headers = {"x-delete-after": "86400", **described}
            connection.object_store.post(f"/{here.id}/x", headers=headers).raise_for_status()

        await sdk(describe)
        before = await driver.get_blob(here.cloud, here.id, "x")
        after = await driver.set_blob_metadata(here.cloud, here.id, "x", {"a": "1", "empty": ""})
        for name in ("x-delete-at", *described):
            assert after.extra[name] == before.extra[name]
        assert dict(after.metadata) == {"a": "1", "empty": ""}
        assert after.content_type == "text/css"


async def test_what_lies_there_compressed(lab):
    async with lab() as found:
        here = await store(found)
        await here.put("x", b"no brotli at all")
        path = blob_path(here.id, "x")
        headers = {"content-encoding": "br"}
        await ask(session(here.cloud), "POST", path, missing="x", headers=headers)
        assert (await driver.get_blob(here.cloud, here.id, "x")).extra["content-encoding"] == "br"
        assert await here.get("x") == b"no brotli at all"
