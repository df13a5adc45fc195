"""Buckets and blobs through the API, on the mock cloud and on swift's simulator."""

import json
from urllib.parse import quote

import pytest
from lxml import etree

from .blob_apis import FORM, JSON, MULTIPART, XML, multipart, on_mock, on_swift, serving


@pytest.fixture(params=[on_mock, on_swift], ids=["mock", "swift"])
def made(request):
    return request.param


async def test_a_blob_comes_back_as_it_was_put(made):
    content = bytes(range(256)) * 1000
    async with made() as api:
        put = await api(
            "PUT",
            "/buckets/photos/summer",
            {"Content-Type": "image/x; a=b", "X-Deltacloud-Blobmeta-Place": "Malmö", **XML},
            content,
        )
        assert put.status == 200
        blob = etree.fromstring(put.body)
        assert (blob.tag, blob.get("id")) == ("blob", "summer")
        assert blob.findtext("content_length") == "256000"
        assert blob.find("content").get("href").endswith("/api/buckets/photos/summer/content")
        shown = json.loads((await api("GET", "/buckets/photos/summer", JSON)).body)["blob"]
        assert (shown["content_type"], shown["content_length"]) == ("image/x; a=b", 256_000)
        assert shown["user_metadata"] == {"place": "Malmö"}
        assert shown["content"] is None
        got = await api("GET", "/buckets/photos/summer/content")
        assert got.whole
        assert got.body == content
        assert got.headers["content-type"] == "image/x; a=b"
        assert got.headers["content-length"] == "256000"
        assert got.headers["content-disposition"] == "attachment; filename=summer"
        head = await api("HEAD", "/buckets/photos/summer/content")
        assert head.body == b""
        assert head.headers["content-length"] == "256000"


async def test_a_body_of_unknown_length_that_may_be_empty(made):
    async with made() as api:
        for pieces in ([b"ab", b"c" * 70_000, b"d"], []):
            put = await api("PUT", "/buckets/photos/x", XML, pieces)
            assert put.status == 200
            got = await api("GET", "/buckets/photos/x/content")
            assert got.body == b"".join(pieces)
            assert got.headers["content-type"] == "application/octet-stream"


async def test_metadata_by_head_and_post(made):
    async with made() as api:
        meta = {"X-Deltacloud-Blobmeta-SomeKey": "1", "X-Deltacloud-Blobmeta-b": "2"}
        await api("PUT", "/buckets/photos/x", meta, b"1")
        told = await api("HEAD", "/buckets/photos/x", JSON)
        assert (told.status, told.body) == (204, b"")
        found = {k: v for k, v in told.headers.items() if k.startswith("x-deltacloud-blobmeta-")}
        assert found == {"x-deltacloud-blobmeta-somekey": "1", "x-deltacloud-blobmeta-b": "2"}
        changed = await api("POST", "/buckets/photos/x", {"X-Deltacloud-Blobmeta-c": "3"})
        assert (changed.status, changed.headers["x-deltacloud-blobmeta-c"]) == (204, "3")
        shown = json.loads((await api("GET", "/buckets/photos/x", JSON)).body)["blob"]
        assert shown["user_metadata"] == {"c": "3"}
        assert (await api("HEAD", "/buckets/photos/none", XML)).status == 404
        assert (await api("POST", "/buckets/photos/none", XML)).status == 404


async def test_a_bucket_shows_its_blobs_with_two_calls(made):
    async with made() as api:
        for name in ("a", "b/c", "ü &<"):
            assert (await api("PUT", f"/buckets/photos/{_quoted(name)}", XML, b"x")).status == 200
        before = api.requests()
        bucket = etree.fromstring((await api("GET", "/buckets/photos", XML)).body)
        assert bucket.findtext("size") == "3"
        hrefs = {blob.get("id"): blob.get("href") for blob in bucket.iter("blob")}
        assert hrefs.keys() == {"a", "b/c", "ü &<"}
        shown = json.loads((await api("GET", "/buckets/photos", JSON)).body)["bucket"]
        assert {blob["id"]: blob["href"] for blob in shown["blob_list"]} == hrefs
        if api.fleet:
            assert api.requests() - before == 4  # two documents, two calls each
        for href in hrefs.values():
            path = href.removeprefix("http://broker.test/api")
            assert (await api("GET", f"{path}/content")).body == b"x"
        assert (await api("GET", "/buckets/nope", XML)).status == 404


def _quoted(name):
    return quote(name, safe="")


async def test_destroying_what_is_there_and_what_is_not(made):
    async with made() as api:
        await api("PUT", "/buckets/photos/x", XML, b"1")
        gone = await api("DELETE", "/buckets/photos/x", XML)
        assert (gone.status, gone.body) == (204, b"")
        again = await api("DELETE", "/buckets/photos/x", XML)
        assert (again.status, etree.fromstring(again.body).tag) == (404, "error")
        await api("PUT", "/buckets/photos/x", XML, b"1")
        assert (await api("POST", "/buckets/photos/x", FORM, b"_method=delete")).status == 204
        assert (await api("GET", "/buckets/photos/x", XML)).status == 404
        assert (await api("DELETE", "/buckets/photos", XML)).status == 204


async def test_slashes_in_ids_encoded_and_bare(made):
    async with made() as api:
        assert (await api("PUT", "/buckets/photos/a/b/c", XML, b"1")).status == 200
        assert (await api("GET", "/buckets/photos/a%2Fb%2Fc/content")).body == b"1"
        assert (await api("GET", "/buckets/photos/a/b/c/content")).body == b"1"
        # A name that ends with /content is reached only in one way, so that nothing is mistaken.
        assert (await api("PUT", "/buckets/photos/a%2Fcontent", XML, b"2")).status == 200
        assert (await api("GET", "/buckets/photos/a%2Fcontent/content")).body == b"2"
        for method in ("PUT", "DELETE", "POST"):
            assert (await api(method, "/buckets/photos/a/content", XML)).status == 404
        assert (await api("GET", "/buckets/photos/a%2Fcontent", XML)).status == 200


async def test_a_form_with_a_file(made):
    async with made() as api:
        sent = multipart(
            ("blob_id", "fö/1.png".encode(), None),
            ("meta_params", b"1", None),
            ("meta_name1", b"Color", None),
            ("meta_value1", b"red", None),
            ("blob_data", b"\x89PNG" * 50_000, "1.png"),
        )
        made_it = await api("POST", "/buckets/photos", MULTIPART, sent)
        assert made_it.status == 201
        place = "http://broker.test/api/buckets/photos/f%C3%B6%2F1.png"
        assert made_it.headers["location"] == place
        shown = json.loads((await api("GET", "/buckets/photos/f%C3%B6%2F1.png", JSON)).body)["blob"]
        assert (shown["content_type"], shown["content_length"]) == ("image/png", 200_000)
        assert shown["user_metadata"] == {"color": "red"}
        assert (
            await api("GET", "/buckets/photos/f%C3%B6%2F1.png/content")
        ).body == b"\x89PNG" * 50_000


@pytest.mark.parametrize("name_first", [True, False])
async def test_a_form_whose_file_does_not_come_last(made, name_first):
    async with made() as api:
        parts = [
            ("blob_id", b"x", None),
            ("blob_data", b"content", "f"),
            ("meta_name1", b"a", None),
            ("meta_value1", b"b", None),
        ]
        if not name_first:
            parts = [*parts[1:], parts[0]]
        assert (await api("POST", "/buckets/photos", MULTIPART, multipart(*parts))).status == 201
        shown = json.loads((await api("GET", "/buckets/photos/x", JSON)).body)["blob"]
        assert (shown["content_length"], shown["user_metadata"]) == (7, {"a": "b"})


async def test_a_form_that_is_not_complete_stores_nothing(made):
    async with made() as api:
        whole = multipart(
            ("blob_id", b"x", None), ("blob_data", b"c" * 100, "f"), ("z", b"1", None)
        )
        for sent, leaves, status in (
            (whole[:-60], False, 400),
            (whole[:-20], True, 400),
            (multipart(("blob_id", b"x", None)), False, 400),
            (multipart(("blob_data", b"c", "f")), False, 400),
        ):
            answer = await api(
                "POST", "/buckets/photos", MULTIPART, [sent[:90], sent[90:]], leaves=leaves
            )
            assert answer.status == status
            assert (await api("GET", "/buckets/photos/x", XML)).status == 404


async def test_text_is_a_blob_too_in_a_json_body_or_in_the_query_as_the_ruby_client_sends_it():
    async with on_mock() as api:
        sent = json.dumps({"blob_id": "note", "blob_data": "héllo", "meta_name1": "k"}).encode()
        made_it = await api(
            "POST", "/buckets/photos", {"Content-Type": "application/json", **JSON}, sent
        )
        assert made_it.status == 201
        shown = json.loads((await api("GET", "/buckets/photos/note", JSON)).body)["blob"]
        assert (shown["content"], shown["user_metadata"]) == ("héllo", {"k": ""})
        query = "?blob_id=other&blob_data=a%26b&meta_params=1&meta_name1=k&meta_value1=v"
        assert (await api("POST", f"/buckets/photos{query}", XML)).status == 201
        shown = json.loads((await api("GET", "/buckets/photos/other", JSON)).body)["blob"]
        assert (shown["content"], shown["user_metadata"]) == ("a&b", {"k": "v"})
        assert shown["content_type"] == "text/plain"


async def test_a_form_may_have_its_metadata_in_headers():
    async with on_mock() as api:
        sent = multipart(
            ("blob_id", b"x", None), ("blob_data", b"c", "f"), ("meta_name1", b"b", None)
        )
        headers = {"X-Deltacloud-Blobmeta-A": "1", "X-Deltacloud-Blobmeta-B": "2", **MULTIPART}
        assert (await api("POST", "/buckets/photos", headers, sent)).status == 201
        shown = json.loads((await api("GET", "/buckets/photos/x", JSON)).body)["blob"]
        assert shown["user_metadata"] == {"a": "1", "b": ""}


async def test_json_holds_a_small_text_and_never_a_large_one_or_what_is_none():
    async with on_mock() as api:
        for content, kind, inlined in (
            (b"x" * 65_536, "text/plain", "x" * 65_536),
            (b"x" * 65_537, "text/plain", None),
            (b"\xff", "text/plain", None),
            (b"x", "image/png", None),
        ):
            await api("PUT", "/buckets/photos/x", {"Content-Type": kind}, content)
            shown = json.loads((await api("GET", "/buckets/photos/x", JSON)).body)["blob"]
            assert shown["content"] == inlined
            assert shown["content_href"].endswith("/photos/x/content")


async def test_an_upload_whose_client_leaves_changes_nothing(made):
    async with made() as api:
        await api("PUT", "/buckets/photos/x", XML, b"before")
        for headers in ({}, {"Content-Length": "100000"}):
            answer = await api(
                "PUT", "/buckets/photos/x", {**XML, **headers}, [b"y" * 50_000], leaves=True
            )
            assert answer.status == 400
            assert (await api("GET", "/buckets/photos/x/content")).body == b"before"


async def test_what_leads_nowhere(made):
    async with made() as api:
        for method, path in (
            ("PATCH", "/buckets/photos/x"),
            ("PUT", "/buckets/photos"),
            ("GET", "/buckets/pho%2Ftos/x"),
            ("GET", "/buckets/photos/none/content"),
            ("PUT", "/buckets/none/x"),
        ):
            assert (await api(method, path, XML, b"")).status == 404, (method, path)
        # A form cannot be the content of a PUT: it has been read, and is none.
        answer = await api("POST", "/buckets/photos/x", FORM, b"_method=put&blob_data=1")
        assert answer.status == 404
        assert (await api("GET", "/buckets/photos/x", XML)).status == 404


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("blob1.txt", "attachment; filename=blob1.txt"),
        ("a/b/c d", 'attachment; filename="c d"'),
        ('q"uote', "attachment; filename=\"q_uote\"; filename*=UTF-8''q%22uote"),
        ("é€;x", "attachment; filename=\"__;x\"; filename*=UTF-8''%C3%A9%E2%82%AC%3Bx"),
        ("100%", "attachment; filename=\"100_\"; filename*=UTF-8''100%25"),
        (
            "a\r\nSet-Cookie: b",
            "attachment; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b",
        ),
    ],
)
async def test_the_name_of_the_file_to_save(name, disposition):
    async with on_swift() as api:
        await api("PUT", f"/buckets/photos/{_quoted(name)}", XML, b"1")
        got = await api("GET", f"/buckets/photos/{_quoted(name)}/content")
        assert got.headers["content-disposition"] == disposition


async def test_several_clouds_have_qualified_buckets():
    async with serving(lisbon={"driver": "mock"}, porto={"driver": "mock"}) as api:
        assert (await api("PUT", "/buckets/porto/bucket1/a%2Fb", XML, b"1")).status == 200
        got = await api("GET", "/buckets/porto/bucket1/a%2Fb/content")
        assert got.body == b"1"
        assert (await api("GET", "/buckets/porto%2Fbucket1/a/b/content")).body == b"1"
        assert (await api("GET", "/buckets/lisbon/bucket1/a%2Fb", XML)).status == 404
        blob = json.loads((await api("GET", "/buckets/porto/bucket1/a%2Fb", JSON)).body)["blob"]
        assert blob["bucket"]["id"] == "porto/bucket1"
        bucket = json.loads((await api("GET", "/buckets/porto/bucket1", JSON)).body)["bucket"]
        assert bucket["id"] == "porto/bucket1"
        assert (await api("GET", "/buckets/bucket1", XML)).status == 404
        sent = multipart(("blob_id", b"f", None), ("blob_data", b"c", "f"))
        made_it = await api("POST", "/buckets/porto/bucket1", MULTIPART, sent)
        assert made_it.headers["location"].endswith("/api/buckets/porto/bucket1/f")


async def test_pages_lead_from_the_bucket_to_the_upload_the_blob_and_away():
    html = {"Accept": "text/html"}
    async with on_mock() as api:
        bucket = await api("GET", "/buckets/photos", html)
        [form] = [a for a in _hrefs(bucket) if a.endswith("/photos/new_blob_form_d15cfd90")]
        page = _page(await api("GET", form.removeprefix("http://broker.test/api"), html))
        [form] = [f for f in page.iter("form") if f.get("enctype") == "multipart/form-data"]
        assert form.get("action") == "http://broker.test/api/buckets/photos"
        fields = {field.get("name"): field.get("type") for field in form.iter("input")}
        assert fields["blob_data"] == "file"
        assert {"blob_id", "meta_name1", "meta_value1"} <= fields.keys()
        hostile = b"<b>&\"'"
        sent = multipart(("blob_id", hostile, None), ("blob_data", b"c", "f"))
        made_it = await api("POST", "/buckets/photos", {**MULTIPART, **html}, sent)
        assert made_it.status == 303
        place = made_it.headers["location"].removeprefix("http://broker.test/api")
        blob = await api("GET", place, html)
        assert f"http://broker.test/api{place}/content" in _hrefs(blob)
        assert f"http://broker.test/api{place}" in _hrefs(await api("GET", "/buckets/photos", html))
        assert hostile not in blob.body
        asked = await api("GET", f"{place}?confirm=destroy", html)
        assert f"http://broker.test/api{place}?confirm=destroy" in _hrefs(blob)
        [delete] = [f for f in _page(asked).iter("form") if f.get("method") == "post"]
        assert delete.get("action") == f"http://broker.test/api{place}"
        gone = await api("POST", place, {**FORM, **html}, b"_method=delete")
        assert (gone.status, gone.headers["location"]) == (
            303,
            "http://broker.test/api/buckets/photos",
        )
        assert (await api("GET", place, XML)).status == 404


def _page(answer):
    assert answer.headers["content-type"].startswith("text/html")
    return etree.HTML(answer.body)


def _hrefs(answer):
    return [a.get("href") for a in _page(answer).iter("a")]


async def test_metadata_in_any_script_comes_back_in_the_headers(made):
    async with made() as api:
        await api("PUT", "/buckets/photos/x", {"X-Deltacloud-Blobmeta-By": "Åsa Ωmega"}, b"1")
        told = await api("HEAD", "/buckets/photos/x", XML)
        assert told.headers["x-deltacloud-blobmeta-by"] == "Åsa Ωmega"


async def test_a_bucket_shows_its_blobs_part_by_part():
    async with serving(cloud={"driver": "mock", "page_size": 2, "dataset": "empty"}) as api:
        for bucket in ("photos", "other"):
            await api("POST", "/buckets", FORM, f"name={bucket}".encode())
        for name in "abcde":
            await api("PUT", f"/buckets/photos/{name}", XML, b"x")
        seen, target = [], "/buckets/photos?limit=2"
        while target:
            part = await api("GET", target, JSON)
            bucket = json.loads(part.body)["bucket"]
            assert bucket["size"] == 5
            seen.append([blob["id"] for blob in bucket["blob_list"]])
            first = part.headers["link"].partition(", ")[0]
            href, _, rel = first.partition("; ")
            page = target
            target = href[1:-1].removeprefix("http://broker.test/api") if "next" in rel else None
        assert seen == [["a", "b"], ["c", "d"], ["e"]]
        assert (await api("GET", page, JSON)).status == 200
        for wrong in (page[:-1], page.replace("photos", "other"), "/buckets/photos?limit=0"):
            assert (await api("GET", wrong, JSON)).status == 400
