"""A pass-through daemon in front of a real OpenStack: what Deltacloud's clients would do there."""

from xml.etree import ElementTree

import anyio
import httpx
import pytest

from anabranch import Broker, Configuration
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import PassThrough

USER = ("demo+demo", "demo-secret")


@pytest.fixture
async def daemon(auth_url):
    """A client of a daemon that has no credentials and knows one provider."""
    broker = await anyio.to_thread.run_sync(Broker, Configuration(clouds={}))
    backend = PassThrough(broker, "openstack", provider=f"{auth_url};RegionOne")
    transport = httpx.ASGITransport(app=Deltacloud(backend))
    client = httpx.AsyncClient(
        transport=transport,
        base_url="http://broker.test/api",
        auth=USER,
        headers={"Accept": "application/xml"},
        timeout=120,
    )
    async with client:
        yield client
    await backend.aclose()
    await broker.aclose()


def document(answer, status=200):
    assert answer.status_code == status, answer.text
    return ElementTree.fromstring(answer.content)


async def ids(client, collection):
    return {e.findtext("name"): e.get("id") for e in document(await client.get(f"/{collection}"))}


async def until(client, path, state):
    with anyio.fail_after(90):
        while True:
            found = document(await client.get(path))
            if found.findtext("state") == state:
                return found
            await anyio.sleep(0.5)


async def test_life_of_a_machine(daemon, unique, private_network):
    images, profiles = await ids(daemon, "images"), await ids(daemon, "hardware_profiles")
    wanted = {
        "image_id": images["tiny-linux"],
        "hwp_id": profiles["m1.nano"],
        "name": unique,
        "networks1": private_network,
    }
    # As the Ruby client does: parameters of a POST in the query string.
    answer = await daemon.post("/instances", params=wanted)
    made = document(answer, 201)
    path = f"/instances/{made.get('id')}"
    try:
        assert answer.headers["Location"] == f"http://broker.test/api{path}"
        running = await until(daemon, path, "RUNNING")
        assert running.find("private_addresses/address") is not None
        links = {link.get("rel"): link for link in running.iter("link")}
        stopping = await daemon.post(links["stop"].get("href"))
        assert document(stopping, 202).findtext("state") in ("STOPPING", "STOPPED")
        stopped = await until(daemon, path, "STOPPED")
        assert stopped.findtext("name") == unique  # stop stops: it is still there
        assert {link.get("rel") for link in stopped.iter("link")} >= {"start", "destroy"}
        document(await daemon.post(f"{path}/start"), 202)
        await until(daemon, path, "RUNNING")
    finally:
        with anyio.CancelScope(shield=True), anyio.fail_after(90):
            assert (await daemon.delete(path)).status_code == 204
            while True:
                if (await daemon.get(path)).status_code == 404:
                    break
                await anyio.sleep(0.5)


async def test_a_list_has_what_the_platforms_own_client_sees(daemon, sdk):
    found = await ids(daemon, "images")

    def own():
        with sdk("oslab") as connection:
            return {image.name: image.id for image in connection.image.images()}

    assert found == await anyio.to_thread.run_sync(own)


async def test_a_blob_goes_up_and_comes_down(daemon, unique):
    document(await daemon.post("/buckets", data={"name": unique}), 201)
    path = f"/buckets/{unique}/notes"
    content = b"what is worth keeping" * 1000
    try:
        headers = {"Content-Type": "text/plain", "X-Deltacloud-Blobmeta-Owner": "me"}
        document(await daemon.put(path, content=content, headers=headers))
        assert (await daemon.get(f"{path}/content")).content == content
        about = await daemon.head(path)
        assert (about.status_code, about.headers["X-Deltacloud-Blobmeta-owner"]) == (204, "me")
    finally:
        with anyio.CancelScope(shield=True), anyio.fail_after(60):
            await daemon.delete(path)
            assert (await daemon.delete(f"/buckets/{unique}")).status_code == 204


@pytest.mark.parametrize("user", ["demo+demo", "demo+other", "nobody+demo", "demo"])
async def test_wrong_credentials_are_refused(daemon, user):
    password = "demo-secret" if user == "demo+other" else "Falsch-9"
    refused = await daemon.get("/instances", auth=(user, password))
    assert refused.status_code == 401
    assert password not in refused.text
    assert "www-authenticate" not in refused.headers


async def test_nobody_asks_without_credentials(daemon):
    refused = await daemon.get("/instances", auth=httpx.BasicAuth("", ""))
    assert refused.status_code == 401
