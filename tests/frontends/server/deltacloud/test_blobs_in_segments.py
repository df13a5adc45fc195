"""Blobs that are sent in segments, as Deltacloud's clients send them."""

import json

import pytest

from anabranch_server.deltacloud import segments

from .blob_apis import FORM, JSON, XML, on_mock, on_swift


@pytest.fixture(params=[on_mock, on_swift], ids=["mock", "swift"])
def made(request):
    return request.param


BEGIN = {"X-Deltacloud-BlobType": "segmented"}


async def begin(api, blob="/buckets/photos/film", **more):
    headers = {"Content-Type": "video/x", "X-Deltacloud-Blobmeta-By": "Åsa", **BEGIN, **more}
    answer = await api("PUT", blob, headers)
    assert (answer.status, answer.body) == (204, b"")
    return answer.headers["x-deltacloud-segmentedblob"]


async def send(api, upload, order, content, blob="/buckets/photos/film"):
    headers = {
        **BEGIN,
        "X-Deltacloud-SegmentedBlob": upload,
        "X-Deltacloud-SegmentOrder": str(order),
        "Content-Type": "application/whatever",
    }
    answer = await api("PUT", blob, headers, content)
    assert (answer.status, answer.body) == (204, b"")
    return answer.headers["x-deltacloud-blobsegmentid"]


async def end(api, upload, manifest, blob="/buckets/photos/film", **more):
    headers = {**BEGIN, "X-Deltacloud-SegmentedBlob": upload, **JSON, **more}
    return await api("PUT", blob, {**headers, **FORM, **JSON}, manifest.encode())


async def test_the_segments_become_one_blob_with_the_type_and_metadata_of_the_beginning(made):
    async with made() as api:
        upload = await begin(api)
        parts = {1: b"a" * 100_000, 2: [b"b" * 70_000, b"b"], 3: b"c"}
        ids = {order: await send(api, upload, order, parts[order]) for order in (3, 1, 2)}
        assert (await api("GET", "/buckets/photos/film", XML)).status == 404
        manifest = f"3={ids[3]} , 1={ids[1]},2={ids[2]}"
        ended = await end(api, upload, manifest, **{"X-Deltacloud-Blobmeta-Late": "1"})
        assert ended.status == 200
        assert json.loads(ended.body)["blob"]["content_length"] == 170_002
        shown = json.loads((await api("GET", "/buckets/photos/film", JSON)).body)["blob"]
        assert (shown["content_type"], shown["content_length"]) == ("video/x", 170_002)
        assert shown["user_metadata"] == {"by": "Åsa", "late": "1"}
        got = await api("GET", "/buckets/photos/film/content")
        assert got.body == b"a" * 100_000 + b"b" * 70_001 + b"c"


async def test_everything_can_be_told_in_the_query(made):
    async with made() as api:
        blob = "/buckets/photos/a%2Ffilm"
        begun = await api("PUT", f"{blob}?blob_type=segmented", XML)
        upload = begun.headers["x-deltacloud-segmentedblob"]
        assert upload.replace("-", "").replace("_", "").isalnum()
        query = f"?blob_type=segmented&segmented_blob={upload}"
        stored = await api("PUT", f"{blob}{query}&segment_order=1", XML, b"abc")
        ident = stored.headers["x-deltacloud-blobsegmentid"]
        assert (await api("PUT", blob + query, XML, f"1={ident}".encode())).status == 200
        assert (await api("GET", f"{blob}/content")).body == b"abc"


async def test_a_segment_that_is_sent_again_counts_once(made):
    async with made() as api:
        upload = await begin(api)
        await send(api, upload, 1, b"wrong")
        ident = await send(api, upload, 1, b"right")
        assert (await end(api, upload, f"1={ident}")).status == 200
        assert (await api("GET", "/buckets/photos/film/content")).body == b"right"


async def test_what_is_not_ours_is_refused_and_nothing_is_stored(made):
    async with made() as api:
        upload, other = await begin(api), await begin(api, "/buckets/photos/other")
        one, two = await send(api, upload, 1, b"1"), await send(api, upload, 2, b"2")
        stranger = await send(api, other, 1, b"1", "/buckets/photos/other")
        for ident, manifest in (
            (upload, f"1={two}, 2={one}"),
            (upload, f"1={one}, 2={stranger}"),
            (upload, f"1={one}, 2={two}x"),
            (upload, f"1={one}, x={two}"),
            (upload, ""),
            (upload, "nonsense\xff"),
            (upload, f"1={one}, 3={two}"),
            (upload, f"2={two}"),
            (other, f"1={stranger}"),
            (upload[:-2], f"1={one}, 2={two}"),
            ("../../secrets", f"1={one}, 2={two}"),
        ):
            answer = await end(api, ident, manifest)
            assert answer.status == 400, manifest
            assert (await api("GET", "/buckets/photos/film", XML)).status == 404
        assert (await end(api, upload, f"1={one}, 2={two}")).status == 200
        for order in ("0", "x", "-1", "", "1" * 30):
            query = f"?segmented_blob={other}&segment_order={order}"
            answer = await api("PUT", f"/buckets/photos/other{query}", XML, b"1")
            assert answer.status == 400, order


async def test_an_upload_does_not_outlive_its_week(made, monkeypatch):
    async with made() as api:
        upload = await begin(api)
        ident = await send(api, upload, 1, b"1")
        monkeypatch.setattr(segments, "_LIFE", -1)
        assert (await end(api, upload, f"1={ident}")).status == 400


async def test_a_segment_whose_client_leaves_is_not_there(made):
    async with made() as api:
        upload = await begin(api)
        await send(api, upload, 1, b"1")
        query = f"?segmented_blob={upload}&segment_order=2"
        answer = await api("PUT", f"/buckets/photos/film{query}", XML, [b"2"], leaves=True)
        assert answer.status == 400
        ident = await send(api, upload, 1, b"whole")
        assert (await end(api, upload, f"1={ident}")).status == 200
        assert (await api("GET", "/buckets/photos/film/content")).body == b"whole"


async def test_an_upload_can_be_given_up(made):
    async with made() as api:
        upload = await begin(api)
        ident = await send(api, upload, 1, b"1")
        gone = await api("DELETE", f"/buckets/photos/film?segmented_blob={upload}", XML)
        assert gone.status == 204
        assert (await end(api, upload, f"1={ident}")).status == 404
        assert (await api("GET", "/buckets/photos/film", XML)).status == 404
