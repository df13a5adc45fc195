"""What both Ruby clients read of every platform, odd data and all, tried on the simulators.

They read without asking whether it is there: the first makes a member of each child of a list's
root, the second a method of each element, and its console prints four elements of every image.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import anyio.to_thread
import httpx
import pytest

from anabranch import Broker
from anabranch.testing.fleet import simulated_kinds
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

from .asking import parsed

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(params=simulated_kinds())
async def api(request: Any, simulated_fleet: Any) -> AsyncIterator[httpx.AsyncClient]:
    fleet = simulated_fleet(**{request.param: 1}, instances=3, odd=True)
    configuration = fleet.configuration(timeout=30)
    async with AsyncExitStack() as stack:
        broker = await anyio.to_thread.run_sync(Broker, configuration)
        await stack.enter_async_context(broker)
        transport = httpx.ASGITransport(app=Deltacloud(Configured(broker)))
        yield await stack.enter_async_context(
            httpx.AsyncClient(
                transport=transport,
                base_url="http://broker.test",
                headers={"Accept": "application/xml"},
            )
        )


async def test_lists_have_members_alone_and_each_is_found_by_its_url(api):
    for href in parsed(await api.get("/api")).xpath("link/@href"):
        if href.endswith("/instance_states"):
            continue
        for member in parsed(await api.get(href)).xpath("*"):
            assert member.get("id")
            assert member.get("href").startswith(f"{href}/")
            assert len(member.xpath(".//state")) <= 1
            reply = await api.get(member.get("href"))
            if reply.status_code == 200:
                alone = parsed(reply)
                assert (alone.tag, alone.get("id")) == (member.tag, member.get("id"))
            else:  # it is listed, and gone at each look
                assert "vanish" in member.get("id")


async def test_an_image_tells_four_things_and_the_profiles_to_launch_it_with(api):
    images = parsed(await api.get("/api/images")).xpath("image")

    assert images
    for image in images:
        for name in ("name", "description", "owner_id", "architecture"):
            assert image.find(name) is not None
        profiles = image.xpath("hardware_profiles/hardware_profile")
        assert profiles
        for profile in profiles:
            assert profile.get("rel") == "hardware_profile"
            assert (await api.get(profile.get("href"))).status_code == 200


async def test_addresses_of_instances_have_types(api):
    instances = parsed(await api.get("/api/instances")).xpath("instance")

    assert instances
    for instance in instances:
        for name in ("public_addresses", "private_addresses", "storage_volumes", "actions"):
            assert len(instance.xpath(name)) == 1
        assert all(address.get("type") for address in instance.iter("address"))
        for link in instance.xpath("actions/link"):
            assert link.get("method") in {"get", "post", "delete"}
            assert link.get("href").startswith("http://")


async def test_a_mount_has_an_instance_and_a_device(api):
    reply = await api.get("/api/storage_volumes")

    if reply.status_code == 412:
        pytest.skip("has no volumes")
    for mount in parsed(reply).iter("mount"):
        assert mount.xpath("instance/@id")
        assert mount.xpath("device/@name")
