"""The driver behind a broker."""

import anyio
import anyio.to_thread
import pytest

from anabranch import Broker, Configuration, InstanceState, PluginRegistry
from anabranch.errors import FeatureNotSupported, NotFound, OperationNotSupported
from anabranch.models import InstanceSpec
from anabranch.redaction import SecretStr
from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack import driver


@pytest.fixture
async def broker_of():
    made = []

    async def make(world, **entry):
        fields = {**world.simulated.settings(world.url), "job_first_pause": 0.01, **entry}
        registry = PluginRegistry(drivers={"cloudstack": driver}, points=())
        configuration = Configuration(clouds={"lisbon": fields})
        made.append(
            await anyio.to_thread.run_sync(lambda: Broker(configuration, registry=registry))
        )
        return made[-1]

    yield make
    for broker in made:
        await broker.aclose()


async def spec(broker, **fields):
    image = next(iter(await broker.images.list()))
    return InstanceSpec(**{"image_id": image.id, "name": "web", **fields})


async def test_a_thousand_machines_come_whole_and_in_pages(served, broker_of):
    async with served(instances=1000) as world:
        broker = await broker_of(world)
        world.simulated.requests.reset()
        answer = await broker.instances.list(timeout=30, require="all")
        assert len({item.id for item in answer}) == 1000
        assert world.simulated.requests.count("listVirtualMachines") == 2
        assert world.simulated.requests.total == 2


async def test_a_life(served, broker_of):
    async with served(instances=0, behaviour=Behaviour(state_delay=0.02)) as world:
        broker = await broker_of(world)
        made = await broker.instances.create("lisbon", await spec(broker), wait=10)
        assert made.state is InstanceState.RUNNING
        assert made.client_token
        it = made.qualified_id
        assert (await broker.instances.stop(it, wait=10)).state is InstanceState.STOPPED
        assert (await broker.instances.start(it, wait=10)).state is InstanceState.RUNNING
        assert (await broker.instances.reboot(it, wait=10)).state is InstanceState.RUNNING
        assert await broker.instances.destroy(it, wait=10)
        assert not await broker.instances.destroy(it)


async def test_a_failure_is_told_to_who_waits(served, broker_of):
    async with served(instances=0, behaviour=Behaviour(state_delay=0.02)) as world:
        broker = await broker_of(world)
        profiles = await broker.hardware_profiles.list()
        big = next(p for p in profiles if p.name == "Gigantic")
        with pytest.raises(Exception, match="No destination found"):
            await broker.instances.create(
                "lisbon", await spec(broker, hardware_profile_id=big.id), wait=10
            )


async def test_a_lost_answer_is_made_good_by_the_token(served, broker_of):
    async with served(instances=2) as world:
        broker = await broker_of(world)
        wanted = await spec(broker)
        world.simulated.requests.reset()
        world.simulated.behaviour.break_with(["lostx1:deployVirtualMachine"])
        made = await broker.instances.create("lisbon", wanted)
        assert made.name == "web"
        assert world.simulated.requests.count("deployVirtualMachine") == 1


async def test_what_is_not_offered_is_refused_before_the_wire(served, broker_of):
    async with served(instances=0) as world:
        broker = await broker_of(world)
        wanted = await spec(broker)
        world.simulated.requests.reset()
        with pytest.raises(OperationNotSupported):
            await broker.instances.create_many("lisbon", wanted, 2)
        secret = InstanceSpec(image_id=wanted.image_id, password=SecretStr("x"))
        with pytest.raises(FeatureNotSupported):
            await broker.instances.create("lisbon", secret)
        assert world.simulated.requests.total == 0
        with pytest.raises(NotFound):
            await broker.instances.get("lisbon/00000000-0000-0000-0000-000000000000")
