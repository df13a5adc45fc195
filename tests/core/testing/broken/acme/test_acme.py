"""The reference driver does what a driver should, without the kit."""

import pytest

from anabranch import Broker, Configuration, NotFound, PluginRegistry
from anabranch.models import InstanceSpec
from anabranch.testing import Behaviour, serve
from anabranch.testing.walk import Walk

from .driver import driver
from .simulator import simulator


@pytest.fixture
def served():
    """Serves a cloud of these options."""
    simulated = simulator.cloud("desert", instances=7, odd=True, behaviour=Behaviour(page_size=3))
    with serve([simulated]) as urls:
        yield simulated, simulated.settings(urls["desert"])


@pytest.fixture
async def broker(served):
    _, entry = served
    registry = PluginRegistry(drivers={"acme": driver}, points=())
    async with Broker(Configuration(clouds={"desert": entry}), registry=registry) as made:
        yield made


async def test_everything_is_listed_and_what_is_unreadable_is_told(broker, served):
    simulated, _ = served
    answer = await broker.instances.list()
    readable = [machine for machine in simulated.machines if machine["id"]]
    assert [item.id for item in answer] == [machine["id"] for machine in readable]
    (report,) = answer.clouds
    assert (report.status, len(report.problems)) == ("partial", 1)
    for item in answer:
        assert await broker.instances.get(item.qualified_id) == item


async def test_a_machine_is_made_found_and_destroyed(broker):
    made = await broker.instances.create(
        "desert", InstanceSpec(image_id="i-1", name="anvil"), wait=5
    )
    assert (made.name, made.state) == ("anvil", "RUNNING")
    assert (await broker.instances.stop(made.qualified_id, wait=5)).state == "STOPPED"
    assert await broker.instances.destroy(made.qualified_id)
    assert not await broker.instances.destroy(made.qualified_id)
    with pytest.raises(NotFound, match="desert: get_instance: there is no m-"):
        await broker.instances.get(made.qualified_id)


async def test_a_walk_uses_all_that_it_offers(broker, served):
    simulated, _ = served

    async def the_broker():
        return broker

    offered = broker.capabilities("desert")
    walk = Walk(the_broker, "desert", offered, lambda: simulated.requests.total)
    assert set(await walk.go()) == set(offered)
    assert len(simulated.keys) == 1
