"""Many creates at once make as many machines; Deltacloud's mock driver lost one of forty."""

from contextlib import AsyncExitStack

import anyio
import anyio.to_thread
import httpx
import pytest

from anabranch import Broker, Configuration
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

from .asking import JSON

MANY = 40


@pytest.mark.parametrize("kind", ["mock", "openstack"])
async def test_forty_creates_at_once_make_forty_machines(simulated_fleet, kind):
    if kind == "mock":
        configuration = Configuration(clouds={"lisbon": {"driver": "mock"}})
    else:
        fleet = simulated_fleet(openstack=1, instances=0)
        configuration = fleet.configuration(timeout=30)
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
        before = (await api.get("/api/instances")).json()["instances"]
        image = (await api.get("/api/images")).json()["images"][0]["id"]
        made: dict[str, str] = {}

        async def create(number: int) -> None:
            given = {"image_id": image, "name": f"machine-{number}"}
            reply = await api.post("/api/instances", data=given)
            assert reply.status_code == 201, reply.text
            made[reply.json()["instance"]["id"]] = given["name"]

        async with anyio.create_task_group() as group:
            for number in range(MANY):
                group.start_soon(create, number)
        assert len(made) == MANY
        listed = (await api.get("/api/instances")).json()["instances"]
        names = {one["id"]: one["name"] for one in listed}
        assert len(listed) == MANY + len(before)
        assert made.items() <= names.items()
