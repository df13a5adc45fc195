"""Buckets and blobs over the wire, with the requests that they cost."""

import hashlib
from contextlib import aclosing, asynccontextmanager

import anyio
import anyio.abc
import pytest

from anabranch.errors import (
    CloudUnavailable,
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
)
from anabranch.models import BlobSpec, BucketSpec
from anabranch_openstack import driver
from anabranch_openstack.simulator import app
from anabranch_openstack.simulator.object_store.records import Stored

from .test_collections import costs, ready

NAMES = ("a/b/c.txt", "/lead//double/", "%41 100%", "é 🚀 中", "..", "a/../b", "?x=1&y#z", '"<b>"')


async def source(*chunks):
    for chunk in chunks:
        await anyio.lowlevel.checkpoint()
        yield chunk


async def bucket(cloud, name="photos"):
    return await driver.create_bucket(cloud, BucketSpec(name=name))


async def store(cloud, name, *chunks, bucket_id="photos", **fields):
    spec = BlobSpec(bucket_id=bucket_id, name=name, **fields)
    async with aclosing(source(*chunks)) as content:
        return await driver.create_blob(cloud, spec, content)


async def fetch(cloud, name, bucket_id="photos"):
    async with await driver.open_blob(cloud, bucket_id, name) as content:
        return b"".join([chunk async for chunk in content])


async def all_names(cloud, bucket_id="photos"):
    names, cursor = [], None
    while True:
        page = await driver.list_blobs(cloud, cursor, bucket_id)
        names += [b.name for b in page.items]
        cursor = page.cursor
        if cursor is None:
            return names


def demo(simulated):
    return next(p for p in simulated.state.identity.projects.values() if p.name == "demo")


def segments_in(simulated, name="photos_segments"):
    found = simulated.state.regions["RegionOne"].objects.account(demo(simulated).id)
    return sorted(found[name].objects) if name in found else []


# ---------------------------------------------------------------------------------------- buckets


async def test_the_life_of_a_bucket(served):
    async with served(instances=0) as (simulated, cloud, _):
        await ready(cloud)
        with costs(simulated, "PUT /photos", "HEAD /photos"):
            made = await driver.create_bucket(cloud, BucketSpec(name="photos", location="nearline"))
        assert (made.id, made.name, made.location) == ("photos", "photos", "nearline")
        assert (made.blob_count, made.size_bytes) == (0, 0)
        assert made.created_at is not None
        await store(cloud, "x", b"12345")
        with costs(simulated, "HEAD /photos"):
            found = await driver.get_bucket(cloud, "photos")
        assert (found.blob_count, found.size_bytes) == (1, 5)
        with costs(simulated, f"GET /AUTH_{demo(simulated).id}"):
            [listed] = (await driver.list_buckets(cloud, None)).items
        assert (listed.id, listed.location, listed.blob_count) == ("photos", "nearline", 1)
        assert abs(listed.created_at - found.created_at).total_seconds() < 0.001
        with pytest.raises(Conflict, match="'photos' is not empty"):
            await driver.destroy_bucket(cloud, "photos")
        await driver.destroy_blob(cloud, "photos", "x")
        with costs(simulated, "DELETE /photos", "HEAD /photos_segments"):
            await driver.destroy_bucket(cloud, "photos")
        for act in (driver.get_bucket, driver.destroy_bucket):
            with pytest.raises(NotFound, match="no bucket 'photos'"):
                await act(cloud, "photos")
        assert not (await driver.list_buckets(cloud, None)).items


async def test_buckets_that_cannot_be_made(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        with pytest.raises(Conflict, match="there is a bucket 'photos' already"):
            await bucket(cloud)
        for name in ("", "a/b"):
            with pytest.raises(InvalidRequest, match="cannot be a bucket"):
                await bucket(cloud, name)
        with pytest.raises(InvalidRequest, match="longer than 256"):
            await bucket(cloud, "x" * 257)
        with pytest.raises(InvalidRequest, match="Invalid X-Storage-Policy 'gold'"):
            await driver.create_bucket(cloud, BucketSpec(name="b", location="gold"))


async def test_a_bucket_whose_answer_is_lost_is_in_doubt(served):
    async with served(instances=0) as (simulated, cloud, _):
        simulated.behaviour.break_with(["lostx1:PUT /photos"])
        with pytest.raises(OutcomeUnknown):
            await bucket(cloud)


async def test_buckets_come_page_by_page(served):
    async with served(instances=0, entry={"page_size": 2}) as (_, cloud, _url):
        for name in ("..", "a b", "c%2F", "é", "🚀"):
            await bucket(cloud, name)
        names, cursor, pages = [], None, 0
        while True:
            page = await driver.list_buckets(cloud, cursor)
            names += [b.id for b in page.items]
            cursor, pages = page.cursor, pages + 1
            if cursor is None:
                break
        assert names == ["..", "a b", "c%2F", "é", "🚀"]
        assert pages == 3
        for name in names:
            assert (await driver.get_bucket(cloud, name)).id == name
            await driver.destroy_bucket(cloud, name)


# ------------------------------------------------------------------------------------------ blobs


async def test_the_life_of_a_blob(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        with costs(simulated, "HEAD /photos/x", "PUT /photos/x"):
            made = await store(
                cloud,
                "x",
                b"hel",
                b"",
                b"lo",
                content_type="text/plain",
                metadata={"Colour": "red"},
            )
        assert (made.id, made.name, made.bucket_id) == ("x", "x", "photos")
        assert (made.content_length, made.content_type) == (5, "text/plain")
        assert made.etag == hashlib.md5(b"hello").hexdigest()
        assert dict(made.metadata) == {"colour": "red"}
        with costs(simulated, "HEAD /photos/x"):
            found = await driver.get_blob(cloud, "photos", "x")
        assert (found.content_length, found.content_type, found.etag) == (
            5,
            "text/plain",
            made.etag,
        )
        assert dict(found.metadata) == {"colour": "red"}
        with costs(simulated, "GET /photos"):
            [listed] = (await driver.list_blobs(cloud, None, "photos")).items
        assert (listed.id, listed.content_length, listed.etag) == ("x", 5, made.etag)
        assert abs(listed.last_modified - found.last_modified).total_seconds() < 0.001
        with costs(simulated, "GET /photos/x"):
            async with await driver.open_blob(cloud, "photos", "x") as content:
                assert (content.blob.content_length, content.blob.content_type) == (5, "text/plain")
                assert dict(content.blob.metadata) == {"colour": "red"}
                assert [chunk async for chunk in content] == [b"hello"]
        with costs(simulated, "HEAD /photos/x", "POST /photos/x", "HEAD /photos/x"):
            changed = await driver.set_blob_metadata(cloud, "photos", "x", {"Size": "big"})
        assert dict(changed.metadata) == {"size": "big"}
        assert (changed.content_type, changed.etag) == ("text/plain", made.etag)
        assert not (await driver.set_blob_metadata(cloud, "photos", "x", {})).metadata
        with costs(simulated, "HEAD /photos/x", "DELETE /photos/x"):
            await driver.destroy_blob(cloud, "photos", "x")
        for act in (driver.get_blob, driver.open_blob, driver.destroy_blob):
            for bucket_id in ("photos", "nowhere"):
                with pytest.raises(NotFound, match=f"no blob 'x' in the bucket '{bucket_id}'"):
                    await act(cloud, bucket_id, "x")
        with pytest.raises(NotFound):
            await driver.set_blob_metadata(cloud, "photos", "x", {})


async def test_blobs_of_buckets_that_are_not_there(served):
    async with served(instances=0) as (_, cloud, _url):
        with pytest.raises(NotFound, match="no bucket 'photos'"):
            await driver.list_blobs(cloud, None, "photos")
        with pytest.raises(NotFound, match="no bucket 'photos'"):
            await store(cloud, "x", b"1")
        with pytest.raises(NotFound, match="no bucket 'photos'"):
            await driver.begin_blob_upload(cloud, BlobSpec(bucket_id="photos", name="x"))
        with pytest.raises(InvalidRequest, match="a blob needs a name"):
            await store(cloud, "", b"1")


async def test_names_are_what_they_are(served):
    async with served(instances=0, entry={"page_size": 3}) as (_, cloud, _url):
        await bucket(cloud)
        for name in NAMES:
            await store(cloud, name, name.encode())
        assert await all_names(cloud) == sorted(NAMES, key=str.encode)
        for name in NAMES:
            assert (await driver.get_blob(cloud, "photos", name)).content_length
            assert await fetch(cloud, name) == name.encode()
            await driver.destroy_blob(cloud, "photos", name)
        assert await all_names(cloud) == []


async def test_large_listings_cost_a_request_per_page(served):
    async with served(instances=0, entry={"page_size": 50}) as (simulated, cloud, _):
        await bucket(cloud)
        for number in range(100):
            await store(cloud, f"blob {number:03}", b"x")
        with costs(
            simulated, *["GET /photos"] * 3
        ):  # a full page does not tell that it is the last
            assert len(await all_names(cloud)) == 100


async def test_metadata_that_would_not_come_back(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        await store(cloud, "x", b"1")
        for metadata in ({"a_b": "1"}, {"a b": "1"}, {"": "1"}, {"é": "1"}, {"a:": "1"}):
            with pytest.raises(InvalidRequest, match="cannot be a name of metadata"):
                await driver.set_blob_metadata(cloud, "photos", "x", metadata)
        for value in ("a\nb", " a", "a\x00"):
            with pytest.raises(InvalidRequest, match="the value of the metadata 'a'"):
                await store(cloud, "y", b"1", metadata={"a": value})
        assert await all_names(cloud) == ["x"]


async def test_a_change_of_metadata_keeps_the_rest(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        await store(cloud, "x", b"1", content_type="text/css")
        objects = simulated.state.regions["RegionOne"].objects
        stored = objects.find(demo(simulated).id, "/photos/x")
        kept = {
            "content-disposition": "attachment",
            "x-delete-at": "2000000000",
            "cache-control": "no-store",
            "content-language": "de",
            "x-robots-tag": "noindex",
            "expires": "Thu, 01 Dec 2033 16:00:00 GMT",
        }
        stored.described = dict(kept)
        blob = await driver.set_blob_metadata(cloud, "photos", "x", {"a": "1"})
        assert stored.described == kept
        assert blob.content_type == "text/css"
        assert {n: blob.extra[n] for n in kept} == kept


# ---------------------------------------------------------------------------------------- content


async def test_content_goes_through_in_pieces(served):
    size, piece = 8 * 1024 * 1024, bytes(range(256)) * 1024
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        made = await store(cloud, "x", *[piece] * (size // len(piece)), content_length=size)
        assert made.content_length == size
        seen = hashlib.md5()
        largest = total = 0
        async with await driver.open_blob(cloud, "photos", "x") as content:
            async for chunk in content:
                seen.update(chunk)
                total, largest = total + len(chunk), max(largest, len(chunk))
        assert (total, seen.hexdigest()) == (size, made.etag)
        assert largest <= 1024 * 1024


async def test_a_blob_without_content(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        assert (await store(cloud, "x")).content_length == 0
        assert (await store(cloud, "y", content_length=0)).content_length == 0
        assert await fetch(cloud, "x") == b""


async def test_a_download_can_be_left(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        await store(cloud, "x", b"1" * 4_000_000)
        async with await driver.open_blob(cloud, "photos", "x") as content:
            async for chunk in content:
                assert chunk
                break
        assert await fetch(cloud, "x") == b"1" * 4_000_000


@pytest.mark.parametrize("length", [None, 10_000_000])
async def test_a_source_that_fails_leaves_nothing(served, length):
    async def failing():
        yield b"1" * 500_000
        raise ValueError("the disk is gone")

    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        spec = BlobSpec(bucket_id="photos", name="x", content_length=length)
        with pytest.raises(ValueError, match="the disk is gone"):
            await driver.create_blob(cloud, spec, failing())
        assert await all_names(cloud) == []
        await store(cloud, "x", b"1")  # the connections are as good as before
        assert await all_names(cloud) == ["x"]


async def test_a_cancelled_upload_leaves_nothing(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        with anyio.CancelScope() as scope:

            async def endless():
                yield b"1" * 500_000
                scope.cancel()
                await anyio.sleep_forever()

            await driver.create_blob(cloud, BlobSpec(bucket_id="photos", name="x"), endless())
        assert scope.cancelled_caught
        assert await all_names(cloud) == []


@pytest.mark.parametrize(
    ("chunks", "words"), [((b"123",), "has 3 bytes and not 4"), ((b"123", b"45"), "longer than 4")]
)
async def test_content_of_another_length_than_told(served, chunks, words):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        with pytest.raises(InvalidRequest, match=words):
            await store(cloud, "x", *chunks, content_length=4)
        assert await all_names(cloud) == []


async def test_a_blob_that_is_too_large_is_to_come_in_segments(served, monkeypatch):
    monkeypatch.setattr(app, "_LARGEST_BODY", 1000)
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        with pytest.raises(InvalidRequest, match="too large") as caught:
            await store(cloud, "x", b"1" * 1001)
        assert caught.value.remedy == "Upload it in segments"


async def test_a_source_may_take_longer_than_a_request(served):
    async def slow():
        for _ in range(4):
            await anyio.sleep(0.3)
            yield b"1"

    async with served(instances=0, entry={"request_timeout": 0.5}) as (_, cloud, _url):
        await bucket(cloud)
        spec = BlobSpec(bucket_id="photos", name="x")
        assert (await driver.create_blob(cloud, spec, slow())).content_length == 4


async def test_an_answer_that_is_lost_leaves_the_upload_in_doubt(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        await store(cloud, "w", b"1")
        simulated.behaviour.break_with(["lostx1:PUT /photos/x"])
        with pytest.raises(OutcomeUnknown):
            await store(cloud, "x", b"1", content_length=1)


@asynccontextmanager
async def deaf():
    """A swift that says 404 to HEAD, and reads nothing of what is PUT."""

    async def handle(stream):
        async with stream:
            while (await stream.receive()).startswith(b"HEAD"):
                await stream.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            await anyio.sleep_forever()

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}/v1/AUTH_x"
        tasks.cancel_scope.cancel()


async def test_a_cloud_that_takes_no_more_is_not_waited_for(served):
    async with deaf() as url, served(instances=0) as there:
        cloud = there.again(request_timeout=0.3, object_store_endpoint_override=url)
        with pytest.raises(DeadlineExceeded, match=r"did not go on for .* s: nothing is stored"):
            await store(cloud, "x", *[b"1" * 1_000_000] * 50)
        with pytest.raises(OutcomeUnknown, match="all of which was sent"):
            await store(cloud, "x", b"1")
        await cloud.aclose()


async def test_a_connection_that_breaks_in_mid_upload_leaves_nothing(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        simulated.behaviour.break_with(["resetx1:PUT /photos/x"])
        with pytest.raises(CloudUnavailable, match="in mid upload: nothing is stored"):
            await store(cloud, "x", *[b"1" * 1_000_000] * 50)
        assert await all_names(cloud) == []


async def test_what_is_stored_otherwise_is_told(served, monkeypatch):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        monkeypatch.setattr(Stored, "hash", "0" * 32)
        with pytest.raises(ProtocolError, match="is not what was sent"):
            await store(cloud, "x", b"1")


# ----------------------------------------------------------------------------------------- tokens


async def test_a_refused_token_is_renewed_before_the_content_is_sent(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        await store(cloud, "x", b"1")
        for act in (
            lambda: store(cloud, "y", b"2"),
            lambda: fetch(cloud, "x"),
            lambda: all_names(cloud),
        ):
            simulated.state.identity.revoke_all()
            await act()
        assert simulated.logins == 4


async def test_a_reader_may_do_nothing(served):
    async with served(instances=0) as (simulated, cloud, url):
        entry = simulated.settings(url, user="auditor")
        reader = type(cloud)("lisbon", driver.configure("lisbon", entry, {}))
        try:
            with pytest.raises(PermissionDenied):
                await driver.list_buckets(reader, None)
        finally:
            await reader.aclose()
