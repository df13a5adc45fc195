"""`owner_id=self`, which Deltacloud's mock driver knew: the images of the account itself."""

from contextlib import AsyncExitStack

import anyio.to_thread
import httpx
import pytest

from anabranch import Broker, InstanceState
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

from .asking import JSON, Serve, mock

SELF = {"owner_id": "self"}


@pytest.fixture
def api(serve: Serve):
    return serve({"lisbon": mock(), "porto": mock()})


async def test_own_images_of_several_clouds(api):
    for cloud in ("lisbon", "porto"):
        made = await api.post("/api/images", data={"instance_id": f"{cloud}/inst1"})
        assert made.status_code == 201, made.text
    found = await api.get("/api/images", params=SELF, headers=JSON)
    own = [one["id"] for one in found.json()["images"]]
    assert own == ["lisbon/img3", "lisbon/img4", "porto/img3", "porto/img4"]


async def test_a_cloud_that_cannot_tell_who_one_is_does_not_seem_to_have_none(serve):
    faults = [{"kind": "unavailable", "operations": ["check"]}]
    api = serve({"lisbon": mock(faults=faults)})
    refused = await api.get("/api/images", params=SELF)
    assert refused.status_code == 502


@pytest.mark.parametrize("kind", ["cloudstack", "opennebula", "openstack", "paci"])
async def test_own_images_of_a_platform(simulated_fleet, kind):
    configuration = simulated_fleet(**{kind: 1}, instances=3).configuration(timeout=30)
    async with AsyncExitStack() as stack:
        broker = await anyio.to_thread.run_sync(Broker, configuration)
        await stack.enter_async_context(broker)
        api = await stack.enter_async_context(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=Deltacloud(Configured(broker))),
                base_url="http://broker.test",
                headers=JSON,
            )
        )
        if kind == "paci":
            refused = await api.get("/api/images", params=SELF)
            assert refused.status_code == 400
            assert "paci-1: list_images: owner_id" in refused.json()["message"]
            return
        instances = (await broker.instances.list()).items
        running = next(one for one in instances if one.state is InstanceState.RUNNING)
        await broker.instances.stop(running.qualified_id, wait=30)
        given = {"instance_id": running.id, "name": "mine"}
        made = await api.post("/api/images", data=given)
        assert made.status_code == 201, made.text
        own = (await api.get("/api/images", params=SELF)).json()["images"]
        every = (await api.get("/api/images")).json()["images"]
        assert made.json()["image"]["id"] in [one["id"] for one in own]
        assert {one["owner_id"] for one in own} == {made.json()["image"]["owner_id"]}
        others = [one for one in every if one not in own]
        assert own[0]["owner_id"] not in [one["owner_id"] for one in others]


async def test_a_cloud_that_cannot_tell_who_one_is_does_not_spoil_the_others(serve):
    faults = [{"kind": "unavailable", "operations": ["check"]}]
    api = serve({"lisbon": mock(), "faro": mock(faults=faults), "porto": mock()})
    found = await api.get("/api/images", params=SELF, headers=JSON)
    assert [one["id"] for one in found.json()["images"]] == ["lisbon/img3", "porto/img3"]
    told = [(one["name"], one["status"], one["count"]) for one in found.json()["clouds"]]
    assert told == [("lisbon", "ok", 1), ("faro", "failed", 0), ("porto", "ok", 1)]
    assert found.headers["X-Anabranch-Clouds"] == '"faro";status=failed;error=CloudUnavailable'


async def test_nobody_can_tell_who_one_is(serve):
    faults = [{"kind": "unavailable", "operations": ["check"]}]
    api = serve({"lisbon": mock(faults=faults), "porto": mock(faults=faults)})
    refused = await api.get("/api/images", params=SELF, headers=JSON)
    assert refused.status_code == 502
    assert "lisbon: check:" in refused.json()["message"]
    assert "porto: check:" in refused.json()["message"]
