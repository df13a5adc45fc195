"""What stands around the API, and the application in programs of others."""

import json
import logging
import subprocess
import sys
from contextlib import asynccontextmanager
from urllib.parse import quote

import anyio
import httpx
import pytest
from litestar import Litestar, asgi
from lxml import etree
from starlette.applications import Starlette
from starlette.routing import Mount
from structlog.testing import capture_logs

from anabranch import Broker, Configuration
from anabranch_server import Application
from anabranch_server.application import logged

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def lisbon() -> Broker:
    return Broker(Configuration(clouds={"lisbon": {"driver": "mock"}}))


async def test_the_index_tells_what_is_served_in_every_format(lisbon, client):
    api = client(lisbon)
    where = {"api": "/api", "docs": "/api/docs", "health": "/health"}
    expected = {rel: f"http://localhost:3000{path}" for rel, path in where.items()}
    document = etree.fromstring((await api.get("/")).content)
    assert document.tag == "index"
    assert {link.get("rel"): link.get("href") for link in document} == expected
    for path, headers in (("/", {"Accept": "application/json"}), ("/?format=json", {})):
        reply = await api.get(path, headers=headers)
        assert reply.headers["content-type"] == "application/json"
        links = json.loads(reply.content)["links"]
        assert {link["rel"]: link["href"] for link in links} == expected
    page = await api.get("/", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for href in expected.values():
        assert f'href="{href}"' in page.text


async def test_the_links_of_the_index_lead_somewhere(lisbon, client):
    api = client(lisbon)
    for link in etree.fromstring((await api.get("/")).content):
        assert (await api.get(link.get("href"))).status_code == 200


async def test_links_begin_as_clients_know_the_server(lisbon, client):
    api = client(lisbon, public_url="https://clouds.example/broker/")
    for path in ("/", "/api"):
        text = (await api.get(path)).text
        assert "https://clouds.example/broker/api" in text
        assert "localhost" not in text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/apis"),
        ("GET", "/nothing;driver=mock/realms"),
        ("GET", "/health/x"),
        ("POST", "/health"),
        ("DELETE", "/"),
        ("GET", "/%2e%2e/etc"),
        ("GET", "/<script>"),
    ],
)
async def test_where_nothing_is_that_is_told_in_every_format(lisbon, client, method, path):
    api = client(lisbon)
    for accept, check in (
        ("application/xml", lambda body: etree.fromstring(body).findtext("code") == "404"),
        ("application/json", lambda body: json.loads(body)["code"] == 404),
        ("text/html", lambda body: b"<!DOCTYPE html>" in body),
    ):
        reply = await api.request(method, path, headers={"Accept": accept})
        assert reply.status_code == 404
        assert check(reply.content), reply.text
        assert "<script>" not in reply.text
        assert "Traceback" not in reply.text


async def test_no_format_that_there_is(lisbon, client):
    assert (await client(lisbon).get("/?format=yaml")).status_code == 406


async def test_every_reply_says_what_it_is_of_and_when_it_was(lisbon, client):
    api = client(lisbon)
    for path in ("/", "/health", "/robots.txt", "/nothing", "/api", "/api/nothing"):
        for method in ("GET", "HEAD"):
            reply = await api.request(method, path)
            assert reply.status_code == (404 if "nothing" in path else 200)
            names = [name for name, _ in reply.headers.raw]
            assert (names.count(b"server"), names.count(b"date")) == (1, 1), (method, path)
            assert reply.headers["server"] == "Apache-Deltacloud/1.1.3"
            assert reply.headers.get_list("x-content-type-options") == ["nosniff"]


async def test_health_and_robots(lisbon, client):
    api = client(lisbon)
    assert (await api.get("/health")).json() == {"status": "ok"}
    robots = await api.get("/robots.txt")
    assert robots.text == "User-agent: *\nDisallow: /\n"
    assert robots.headers["content-type"].startswith("text/plain")


async def test_a_bug_beside_the_api_is_told_without_its_traces(lisbon, client, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the secret of /home/me")

    monkeypatch.setattr("anabranch_server.deltacloud.call.Call.root", broken)
    with capture_logs() as events:
        reply = await client(lisbon).get("/?format=json")
    assert reply.status_code == 500
    assert "secret" not in reply.text
    assert [event["event"] for event in events] == ["bug"]


# ------------------------------------------------------------------------------- in other programs


async def test_it_is_mounted_in_another_application(lisbon):
    app = Application(lisbon)

    @asynccontextmanager
    async def lifespan(_):
        async with app:
            yield

    outer = Starlette(routes=[Mount("/clouds", app)], lifespan=lifespan)
    async with (
        outer.router.lifespan_context(outer),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(outer),
            base_url="http://host.test",
            headers={"Accept": "application/xml"},
        ) as api,
    ):
        index = etree.fromstring((await api.get("/clouds/")).content)
        hrefs = [link.get("href") for link in index]
        assert hrefs[0] == "http://host.test/clouds/api"
        entry = etree.fromstring((await api.get(hrefs[0])).content)
        (realms,) = (link.get("href") for link in entry if link.get("rel") == "realms")
        assert realms == "http://host.test/clouds/api/realms"
        listed = etree.fromstring((await api.get(realms)).content)
        assert (await api.get(listed[0].get("href"))).status_code == 200
        chosen = await api.get("/clouds/api;driver=mock/realms")
        assert chosen.status_code == 200
        assert (await api.get("/clouds/nothing")).status_code == 404
        assert (await api.get("/clouds/health")).json() == {"status": "ok"}


def _stripping(root):
    """What takes the place where it is mounted off both paths."""

    def mounted(app):
        async def outer(scope, receive, send):
            path = scope["path"].removeprefix(root)
            await app(
                {**scope, "root_path": root, "path": path, "raw_path": path.encode()}, receive, send
            )

        return outer

    return mounted


def _litestar(root):
    return lambda app: Litestar(
        [asgi(root, is_mount=True, copy_scope=True)(app)], openapi_config=None, logging_config=None
    )


def _starlette(root):
    return lambda app: Starlette(routes=[Mount(root, app)])


@pytest.mark.parametrize("root", ["/a", "/clouds", "/my clouds/of"])
@pytest.mark.parametrize("mounted", [_starlette, _litestar, _stripping])
async def test_however_it_is_mounted_its_links_lead_somewhere(lisbon, mounted, root):
    app = Application(lisbon)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(mounted(root)(app)),
        base_url="http://host.test",
        headers={"Accept": "application/xml"},
    ) as api:
        index = etree.fromstring((await api.get(f"{root}/")).content)
        for link in index:
            assert link.get("href").startswith(f"http://host.test{quote(root)}/")
            assert (await api.get(link.get("href"))).status_code == 200
        entry = etree.fromstring((await api.get(f"{root}/api")).content)
        (buckets,) = (link.get("href") for link in entry if link.get("rel") == "buckets")
        assert buckets == f"http://host.test{quote(root)}/api/buckets"
        stored = await api.put(f"{buckets}/bucket1/a%2Fb%20c", content=b"here")
        assert stored.status_code == 200
        (content,) = etree.fromstring(stored.content).iter("content")
        assert (await api.get(content.get("href"))).content == b"here"
        assert (await api.get(f"{root}/nothing")).status_code == 404
        assert (await api.get(f"{root}/api/instances/")).status_code == 404
        assert (await api.get(f"{root}/health")).json() == {"status": "ok"}
    await app.aclose()


async def test_its_lifespan_closes_the_broker(lisbon, monkeypatch):
    closed = []

    async def aclose(self):
        closed.append(self)

    monkeypatch.setattr(Broker, "aclose", aclose)
    app = Application(lisbon)
    to_app, for_app = anyio.create_memory_object_stream(2)
    to_us, for_us = anyio.create_memory_object_stream(2)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group, to_app, for_app, to_us, for_us:
            group.start_soon(app, {"type": "lifespan"}, for_app.receive, to_us.send)
            await to_app.send({"type": "lifespan.startup"})
            assert (await for_us.receive())["type"] == "lifespan.startup.complete"
            assert not closed
            await to_app.send({"type": "lifespan.shutdown"})
            assert (await for_us.receive())["type"] == "lifespan.shutdown.complete"
    assert closed == [lisbon]


def test_what_is_public_is_imported_when_it_is_asked_for():
    code = (
        "import sys, anabranch_server as a; assert 'litestar' not in sys.modules;"
        "assert 'anabranch' not in sys.modules; print(a.Access, a.Application, a.Credentials);"
        "assert 'litestar' in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_there_is_no_other_name():
    import anabranch_server

    with pytest.raises(AttributeError, match="nonsense"):
        anabranch_server.nonsense  # noqa: B018


# ------------------------------------------------------------------------------------------ logs


async def test_requests_are_logged_without_what_may_be_secret(broker, caplog):
    caplog.set_level(logging.INFO, "anabranch")
    app = logged(Application(broker, driver="mock"))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost"
    ) as api:
        with capture_logs() as events:
            await api.get(
                "/api;driver=mock/realms;id=x%2Fs3cret1?id=s3cret2",
                auth=("mockuser", "mockpassword"),
                headers={"X-Deltacloud-Blobmeta-K": "s3cret3"},
            )
            await api.post("/api/keys", data={"password": "s3cret4"})
    requests = [event for event in events if event["event"] == "http.request"]
    assert [(e["method"], e["path"], e["status"]) for e in requests] == [
        ("GET", "/api/realms", 200),
        ("POST", "/api/keys", 401),
    ]
    assert all(0 <= event["elapsed_ms"] < 10_000 for event in requests)
    assert "s3cret" not in str(events)
    assert "mockpassword" not in str(events)
    await broker.aclose()
