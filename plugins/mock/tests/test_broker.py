"""The driver behind a broker."""

import pytest

from anabranch import (
    Broker,
    Configuration,
    FeatureNotSupported,
    InstanceState,
    OperationNotSupported,
    Ops,
    PluginRegistry,
)
from anabranch.errors import DriverFault, OutcomeUnknown, QuotaExceeded
from anabranch.models import InstanceSpec


@pytest.fixture
async def make_broker(driver):
    made = []

    def make(**clouds):
        entries = {name: {"driver": "mock", **entry} for name, entry in clouds.items()}
        registry = PluginRegistry(drivers={"mock": driver}, points=())
        made.append(Broker(Configuration(clouds=entries), registry=registry))
        return made[-1]

    yield make
    for broker in made:
        await broker.aclose()


async def test_all_clouds_in_one_answer(make_broker):
    broker = make_broker(
        good={},
        paged={"dataset": "generated", "instances": 25, "page_size": 10},
        down={"faults": [{"kind": "forbidden"}]},
        broken={"faults": [{"kind": "crash"}]},
        odd={"faults": [{"kind": "odd_item", "times": 1}]},
    )
    answer = await broker.list_all(Ops.list_instances, timeout=5)
    assert {name: answer.cloud(name).status for name in broker.clouds} == {
        "good": "ok",
        "paged": "ok",
        "down": "failed",
        "broken": "failed",
        "odd": "partial",
    }
    assert len(answer) == 4 + 25 + 3


async def test_calls_and_errors(make_broker):
    broker = make_broker(here={"quotas": {"instances": 5}}, broken={"faults": [{"kind": "crash"}]})
    made = await broker.call("here", Ops.create_instance, InstanceSpec(image_id="img1"))
    assert str(made.qualified_id) == "here/inst4"
    with pytest.raises(QuotaExceeded, match="here: create_instance"):
        await broker.call("here", Ops.create_instance, spec=InstanceSpec(image_id="img1"))
    with pytest.raises(DriverFault):
        await broker.call("broken", Ops.get_realm, "us")


async def test_what_a_cloud_lacks(make_broker):
    broker = make_broker(here={"lacks": ["list_keys", "create_instance:user_data"]})
    capabilities = await broker.probe("here")
    assert "list_keys" not in capabilities
    with pytest.raises(OperationNotSupported, match="set to lack it"):
        await broker.call("here", Ops.list_keys, None)
    with pytest.raises(FeatureNotSupported, match="user_data"):
        await broker.call(
            "here", Ops.create_instance, InstanceSpec(image_id="img1", user_data=b"x")
        )


async def test_a_hanging_change_has_an_unknown_outcome(make_broker):
    broker = make_broker(here={"faults": [{"kind": "hang"}]})
    arguments = {"spec": InstanceSpec(image_id="img1")}
    with pytest.raises(OutcomeUnknown):
        await broker.invoke("here", "create_instance", arguments, timeout=0.05)


async def test_a_lost_answer_is_made_good(make_broker):
    fault = {"kind": "reset", "operations": ["create_instance"], "times": 1}
    broker = make_broker(here={"faults": [fault], "delays": {"pending": 0.05}})
    made = await broker.instances.create("here", InstanceSpec(image_id="img1"), wait=5)
    assert (made.id, made.state) == ("inst4", InstanceState.RUNNING)
    assert len(await broker.instances.list()) == 5


async def test_waiting_for_the_end(make_broker):
    broker = make_broker(here={"delays": {"stopping": 0.05, "finish": 0.05}})
    assert (await broker.instances.stop("here/inst0", wait=5)).state == "STOPPED"
    assert await broker.instances.destroy("here/inst0", wait=5)
    assert not await broker.instances.destroy("here/inst0")
