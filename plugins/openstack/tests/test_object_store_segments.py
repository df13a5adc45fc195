"""Blobs that are sent in segments."""

import hashlib

import pytest

from anabranch.errors import (
    CloudUnavailable,
    InvalidRequest,
    NotFound,
)
from anabranch.models import BlobSegment, BlobSpec, BucketSpec
from anabranch_openstack import driver

from .test_collections import costs
from .test_object_store import all_names, bucket, fetch, segments_in, source, store


async def upload(cloud, spec, *parts):
    upload_id = await driver.begin_blob_upload(cloud, spec)
    segments = [
        await driver.upload_blob_segment(cloud, spec, upload_id, order, source(part))
        for order, part in enumerate(parts, start=1)
    ]
    return upload_id, segments


SPEC = BlobSpec(bucket_id="photos", name="big/é", content_type="text/x", metadata={"a": "é"})


async def test_an_upload_in_segments(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        with costs(
            simulated,
            *("HEAD /photos", "HEAD /photos_segments", "PUT /photos_segments", f"PUT /{0:08}"),
        ):
            upload_id = await driver.begin_blob_upload(cloud, SPEC)
        segments = {}
        for order, part in ((3, b"cc"), (1, b"x"), (2, b""), (1, b"aaa")):
            with costs(simulated, f"HEAD /{0:08}", f"PUT /{order:08}"):
                segments[order] = await driver.upload_blob_segment(
                    cloud, SPEC, upload_id, order, source(part)
                )
        assert segments[1] == BlobSegment(
            order=1, etag=hashlib.md5(b"aaa").hexdigest(), size_bytes=3
        )
        await driver.upload_blob_segment(cloud, SPEC, upload_id, 9, source(b"not wanted"))
        blob = await driver.complete_blob_upload(cloud, SPEC, upload_id, list(segments.values()))
        assert (blob.id, blob.content_length, blob.content_type) == ("big/é", 5, "text/x")
        assert dict(blob.metadata) == {"a": "é"}
        assert await fetch(cloud, "big/é") == b"aaacc"
        found = await driver.get_blob(cloud, "photos", "big/é")
        assert (found.etag, found.content_length) == (blob.etag, 5)
        [listed] = (await driver.list_blobs(cloud, None, "photos")).items
        assert (listed.etag, listed.content_length) == (blob.etag, 5)
        assert segments_in(simulated) == [f"big/é/{upload_id}/{n:08}" for n in (1, 3)]
        for act in (
            driver.complete_blob_upload(cloud, SPEC, upload_id, list(segments.values())),
            driver.upload_blob_segment(cloud, SPEC, upload_id, 1, source(b"late")),
            driver.abort_blob_upload(cloud, SPEC, upload_id),
        ):
            with pytest.raises(NotFound, match=f"no upload '{upload_id}'"):
                await act
        described = await driver.set_blob_metadata(cloud, "photos", "big/é", {"b": "2"})
        assert (dict(described.metadata), described.etag) == ({"b": "2"}, blob.etag)
        assert await fetch(cloud, "big/é") == b"aaacc"
        await driver.destroy_blob(cloud, "photos", "big/é")
        assert segments_in(simulated) == []
        assert await all_names(cloud) == []


async def test_an_upload_that_is_given_up(served):
    async with served(instances=0, entry={"page_size": 2}) as (simulated, cloud, _):
        await bucket(cloud)
        other_id, _ = await upload(cloud, SPEC, b"x")
        upload_id, _ = await upload(cloud, SPEC, b"a", b"b", b"c", b"d")
        await driver.abort_blob_upload(cloud, SPEC, upload_id)
        assert [n for n in segments_in(simulated) if other_id not in n] == []
        assert len(segments_in(simulated)) == 2
        with pytest.raises(NotFound):
            await driver.abort_blob_upload(cloud, SPEC, upload_id)
        with pytest.raises(NotFound):
            await driver.upload_blob_segment(cloud, SPEC, upload_id, 1, source(b"late"))
        with pytest.raises(NotFound):
            await driver.abort_blob_upload(cloud, BlobSpec(bucket_id="none", name="x"), "id")


async def test_the_bucket_for_segments_goes_with_the_last_of_them(served):
    async with served(instances=0) as (_, cloud, _url):
        await driver.create_bucket(cloud, BucketSpec(name="photos", location="nearline"))
        upload_id, _ = await upload(cloud, SPEC, b"a")
        made = await driver.get_bucket(cloud, "photos_segments")
        assert made.location == "nearline"
        await driver.destroy_bucket(cloud, "photos")
        assert (await driver.get_bucket(cloud, "photos_segments")).blob_count == 2
        await bucket(cloud)
        await driver.abort_blob_upload(cloud, SPEC, upload_id)
        await driver.destroy_bucket(cloud, "photos")
        assert not (await driver.list_buckets(cloud, None)).items


async def test_a_bucket_that_only_looks_as_if_it_were_for_segments_stays(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        await bucket(cloud, "photos_segments")
        upload_id, _ = await upload(cloud, SPEC, b"a")
        await driver.abort_blob_upload(cloud, SPEC, upload_id)
        await driver.destroy_bucket(cloud, "photos")
        assert [b.id for b in (await driver.list_buckets(cloud, None)).items] == ["photos_segments"]


async def test_segments_that_are_missing_or_others(served):
    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        upload_id, segments = await upload(cloud, SPEC, b"a", b"b")
        never = BlobSegment(order=3, etag="0" * 32, size_bytes=4)
        other = BlobSegment(order=2, etag="0" * 32, size_bytes=1)
        for wrong, words in (
            (segments[1:], "segment 1 is missing"),
            ([segments[0], segments[0]], "segment 2 is missing"),
            ([*segments, never], "404 Not Found"),
            ([segments[0], other], "Etag Mismatch"),
        ):
            with pytest.raises(InvalidRequest, match=words):
                await driver.complete_blob_upload(cloud, SPEC, upload_id, wrong)
        assert await all_names(cloud) == []
        with pytest.raises(InvalidRequest, match="counted from 1"):
            await driver.upload_blob_segment(cloud, SPEC, upload_id, 0, source(b"x"))
        await driver.complete_blob_upload(cloud, SPEC, upload_id, segments)
        assert await fetch(cloud, SPEC.name) == b"ab"


async def test_giving_up_what_was_completed_unseen_does_it_no_harm(served):
    async with served(instances=0, entry={"retries": 0}) as (simulated, cloud, _):
        await bucket(cloud)
        upload_id, segments = await upload(cloud, SPEC, b"a", b"b")
        simulated.behaviour.break_with(["lostx1:PUT /photos/big"])
        with pytest.raises(CloudUnavailable):
            await driver.complete_blob_upload(cloud, SPEC, upload_id, segments)
        await driver.abort_blob_upload(cloud, SPEC, upload_id)
        assert await fetch(cloud, SPEC.name) == b"ab"
        assert len(segments_in(simulated)) == 2


async def test_completing_again_what_was_completed_unseen_does_it_no_harm(served):
    async with served(instances=0, entry={"retries": 0}) as (simulated, cloud, _):
        await bucket(cloud)
        upload_id, segments = await upload(cloud, SPEC, b"a", b"b")
        simulated.behaviour.break_with(["lostx1:PUT /photos/big"])
        with pytest.raises(CloudUnavailable):
            await driver.complete_blob_upload(cloud, SPEC, upload_id, segments)
        await driver.complete_blob_upload(cloud, SPEC, upload_id, segments)
        assert await fetch(cloud, SPEC.name) == b"ab"
        assert segments_in(simulated) == [f"big/é/{upload_id}/{n:08}" for n in (1, 2)]


async def test_replacing_a_segmented_blob_frees_its_segments(served):
    async with served(instances=0) as (simulated, cloud, _):
        await bucket(cloud)
        for _ in range(2):
            upload_id, segments = await upload(cloud, SPEC, b"a", b"b")
            await driver.complete_blob_upload(cloud, SPEC, upload_id, segments)
            assert segments_in(simulated) == [f"big/é/{upload_id}/{n:08}" for n in (1, 2)]
        await store(cloud, SPEC.name, b"small")
        assert segments_in(simulated) == []
        assert await fetch(cloud, SPEC.name) == b"small"


async def test_a_failed_replacement_leaves_the_segmented_blob_as_it_was(served):
    async def failing():
        yield b"1" * 500_000
        raise OSError("the disk is gone")

    async with served(instances=0) as (_, cloud, _url):
        await bucket(cloud)
        upload_id, segments = await upload(cloud, SPEC, b"a", b"b")
        await driver.complete_blob_upload(cloud, SPEC, upload_id, segments)
        with pytest.raises(OSError, match="the disk is gone"):
            await driver.create_blob(cloud, SPEC, failing())
        assert await fetch(cloud, SPEC.name) == b"ab"
