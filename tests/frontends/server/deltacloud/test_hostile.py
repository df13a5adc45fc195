"""Requests that are meant to do harm: to the daemon, to who looks at its pages, to its clouds."""

import time

import anyio
import pytest

from anabranch_server.deltacloud import body
from anabranch_server.deltacloud.body import Body
from anabranch_server.problems import Problem

from .asking import HTML, JSON, parsed
from .exchange import ask

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def quick():
    """Measures that what is inside takes a blink of an eye: nobody else is served meanwhile."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 2


# -------------------------------------------------------------------------- what costs much time


@pytest.mark.parametrize(
    "options",
    [
        'a="' + ";" * 50_000,
        ";" * 50_000,
        "boundary*=idna''%ff%fe",
        "boundary*=punycode''" + "a-" * 10_000,
        'boundary="' + '\\"' * 20_000,
        "boundary=",
        "boundary=é",
    ],
)
async def test_a_boundary_is_read_at_once_or_refused(serve, quick, options):
    kind = f"multipart/form-data; {options}".encode("latin-1")
    reply = await serve().post("/api/instances", content=b"--x--", headers={"Content-Type": kind})
    assert reply.status_code == 400


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("application/x-www-form-urlencoded", b"a&" * 1_000_000),
        ("application/x-www-form-urlencoded", b"&" * 4_000_000),
        ("application/json", b"{%s}" % b",".join(b'"%d":1' % n for n in range(1001))),
        ("application/json", b'{"a":[%s]}' % b",".join([b"1"] * 1_000_000)),
        ("application/json", b'{"a":[%s],"b":[%s]}' % ((b",".join([b"1"] * 600),) * 2)),
        ("application/json", b'{"a":' + b"[" * 1_000_000),
        ("application/json", b'{"a":' + b"1" * 1_000_000 + b"}"),
    ],
)
async def test_a_body_of_too_many_parameters_is_refused_at_once(serve, quick, kind, sent):
    reply = await serve().post("/api/instances", content=sent, headers={"Content-Type": kind})
    assert reply.status_code == 400
    assert "bug" not in parsed(reply).findtext("message")


async def test_a_form_that_takes_long_to_decode_is_refused_or_decoded_elsewhere(
    serve, quick, monkeypatch
):
    threads = []
    aside = anyio.to_thread.run_sync

    async def noted(function, *args, **options):
        threads.append(function)
        return await aside(function, *args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", noted)
    client, sent = serve(), b"image_id=img1&name=%61"
    for size, status, count in ((0, 201, 0), (70_000, 201, 1), (1_100_000, 400, 0)):
        threads.clear()
        rest = b"&user_data=" + b"%41" * (size // 12 * 4) if size else b""
        reply = await client.post("/api/instances", content=sent + rest, headers=FORM)
        assert (reply.status_code, len(threads)) == (status, count), reply.text


async def test_a_body_that_drips_is_not_waited_for_for_ever(monkeypatch):
    monkeypatch.setattr(body, "_PATIENCE", 0.2)

    async def drop():
        await anyio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    class Call:
        receive = staticmethod(drop)

    with anyio.fail_after(5), pytest.raises(Problem) as caught:
        async for _ in Body(Call):
            pass
    assert caught.value.status == 408


async def test_a_body_that_comes_steadily_may_take_its_time(monkeypatch):
    monkeypatch.setattr(body, "_PATIENCE", 0.05)
    left = 30

    async def steady():
        nonlocal left
        left -= 1
        await anyio.sleep(0.01)
        return {"type": "http.request", "body": bytes(512), "more_body": left > 0}

    class Call:
        receive = staticmethod(steady)

    assert sum([len(part) async for part in Body(Call)]) == 30 * 512


# ------------------------------------------------------------------------------------- browsers


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/instances",
        "/api/instances/nothing",
        "/api/instances/inst1",
        "/api/instances/inst1/destroy",
        "/api/instances/new?name=%22%3E%3Cscript%3E",
        "/api/instances?id=%22%3E%3Cscript%3E",
        "/api/%22%3E%3Cscript%3E",
        "/api/buckets/bucket1",
        "/api/buckets/bucket1/blob1",
        "/api/buckets/bucket1/new_blob_form_d15cfd90",
        "/api/docs/images",
        "/api/drivers",
        "/api/instance_states",
        "/api/style.css",
    ],
)
async def test_every_page_is_guarded(serve, path):
    reply = await serve().get(path, headers=HTML)
    assert reply.headers.get_list("x-content-type-options") == ["nosniff"]
    if not path.endswith("css"):
        assert reply.headers["content-security-policy"].startswith("default-src 'none';")
        assert reply.headers["referrer-policy"] == "same-origin"
        assert "<script" not in reply.text


async def test_no_document_is_taken_for_something_else(serve):
    client = serve()
    for path in ("/api", "/api/instances", "/api/nothing", "/api/buckets/bucket1/blob1/content"):
        for headers in ({}, JSON):
            reply = await client.get(path, headers=headers)
            assert reply.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_a_page_in_a_bucket_is_no_page_of_ours(serve):
    client = serve()
    page = {"Content-Type": "text/html"}
    await client.put("/api/buckets/bucket1/evil.html", content=b"<script>1</script>", headers=page)
    reply = await client.get("/api/buckets/bucket1/evil.html/content", headers=HTML)
    assert reply.headers["content-disposition"] == "attachment; filename=evil.html"
    assert "sandbox" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["href", "actions", "address", "items", "id"])
async def test_metadata_is_no_link(serve, name):
    client = serve()
    said = {"X-Deltacloud-Blobmeta-href": "javascript:x", f"X-Deltacloud-Blobmeta-{name}": "java:x"}
    await client.put("/api/buckets/bucket1/evil", content=b"x", headers=said)
    reply = await client.get("/api/buckets/bucket1/evil", headers=HTML)
    assert reply.status_code == 200
    assert f"<li>{name}: java:x</li>" in reply.text
    assert 'href="java' not in reply.text


@pytest.mark.parametrize("path", ["", ";password=xyzzy", "/new", "/new;password=xyzzy"])
async def test_no_page_repeats_a_secret(serve, path):
    for query in ("password=xyzzy&limit=1&id=x", "user_data=xyzzy"):
        reply = await serve().get(f"/api/instances{path}?{query}", headers=HTML)
        assert reply.status_code == 200
        told = reply.text.partition("<textarea")[0] + str(reply.headers)
        assert "xyzzy" not in told


async def test_an_error_page_leads_to_no_other_host(serve):
    app = serve()._transport.app
    reply = await ask(app, "GET", "//evil.example/x", HTML)
    assert reply.status == 404
    assert b'href="//' not in reply.body
    assert b'href="/evil.example/x?format=xml"' in reply.body


async def test_what_may_have_a_secret_in_it_is_stored_nowhere(serve):
    client = serve()
    for headers in ({}, JSON, HTML):
        made = await client.post(
            "/api/keys", data={"name": f"k{len(headers.get('Accept', ''))}"}, headers=headers
        )
        assert made.status_code == 201
        assert made.headers["cache-control"] == "no-store"
