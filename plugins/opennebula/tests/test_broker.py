"""The driver behind a broker: faults, lost answers, secrets, speed of the loop."""

import logging

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
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    DeadlineExceeded,
    OutcomeUnknown,
    PermissionDenied,
    ProtocolError,
    RateLimited,
)
from anabranch.models import InstanceSpec, NetworkSpec
from anabranch.testing.simulation import Behaviour, serve
from anabranch_opennebula import driver
from anabranch_opennebula.simulator import app, simulator
from anabranch_opennebula.simulator.methods import Method

SPEC = InstanceSpec(image_id="0", hardware_profile_id="0", name="web")


@pytest.fixture
async def make_broker():
    made = []

    def make(entries):
        registry = PluginRegistry(drivers={"opennebula": driver}, points=())
        made.append(Broker(Configuration(clouds=entries), registry=registry))
        return made[-1]

    yield make
    for broker in made:
        await broker.aclose()


async def test_clouds_side_by_side(make_broker):
    good = simulator.cloud("good", instances=25)
    odd = simulator.cloud("odd", instances=2, odd=["no-id", "emoji"])
    with serve([good, odd]) as urls:
        broker = make_broker(
            {
                "good": {**good.settings(urls["good"]), "page_size": 10},
                "odd": odd.settings(urls["odd"]),
                "wrong": {**good.settings(urls["good"]), "password": "hunter2"},
                "lost": {**good.settings(urls["good"]), "endpoint": f"{urls['good']}/nowhere"},
            }
        )
        answer = await broker.list_all(Ops.list_instances, timeout=10)
        assert {name: answer.cloud(name).status for name in broker.clouds} == {
            "good": "ok",
            "odd": "partial",
            "wrong": "failed",
            "lost": "failed",
        }
        assert len([i for i in answer if i.cloud == "good"]) == 25
        with pytest.raises(AuthenticationError, match="wrong: get_instance") as caught:
            await broker.call("wrong", Ops.get_instance, "0")
        assert "hunter2" not in str(caught.value)
        with pytest.raises(ProtocolError, match="no XML-RPC at"):
            await broker.call("lost", Ops.get_instance, "0")


async def test_what_there_is_not(make_broker):
    cloud = simulator.cloud("here", instances=1)
    with serve([cloud]) as urls:
        broker = make_broker({"here": cloud.settings(urls["here"])})
        offered = await broker.probe("here")
        for operation in ("list_load_balancers", "list_buckets", "create_instances"):
            assert operation not in offered
        assert "create_storage_snapshot" in offered
        with pytest.raises(OperationNotSupported):
            await broker.call("here", Ops.list_buckets, None)
        with pytest.raises(FeatureNotSupported, match="user_files"):
            await broker.call(
                "here", Ops.create_instance, InstanceSpec(image_id="0", user_files={"/a": b"b"})
            )


async def test_what_a_cloud_lacks(make_broker, monkeypatch):
    cloud = simulator.cloud("here", instances=0)
    with serve([cloud]) as urls:
        entry = cloud.settings(urls["here"])
        assert "create_storage_volume" in await make_broker({"here": entry}).probe("here")
        nothing = Method("", lambda call: "<DATASTORE_POOL/>")
        monkeypatch.setitem(app.METHODS, "one.datastorepool.info", nothing)
        cloud.state.version = "5.8.1"
        broker = make_broker({"here": entry})
        offered = await broker.probe("here")
        assert "create_storage_volume" not in offered
        assert "get_instance" in offered
        with pytest.raises(OperationNotSupported, match=r"OpenNebula 5\.8\.1 is too old"):
            await broker.call("here", Ops.list_instances, None, {})


@pytest.mark.parametrize("fault", ["reset", "lost", "503"])
async def test_reads_are_tried_again(make_broker, fault):
    cloud = simulator.cloud("here", instances=3)
    with serve([cloud]) as urls:
        broker = make_broker({"here": cloud.settings(urls["here"])})
        cloud.behaviour.break_with([f"{fault}x1"])
        assert len(await broker.instances.list()) == 3
        assert cloud.requests.total == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", CloudUnavailable),
        ("503", CloudUnavailable),
        ("401", AuthenticationError),
        ("429", RateLimited),
        ("garbage", ProtocolError),
        ("hang", DeadlineExceeded),
    ],
)
async def test_faults_of_reads(make_broker, fault, kind):
    cloud = simulator.cloud("here", instances=3)
    with serve([cloud]) as urls:
        entry = {**cloud.settings(urls["here"]), "retries": 0, "request_timeout": 0.3}
        broker = make_broker({"here": entry})
        cloud.behaviour.break_with([fault])
        with pytest.raises(kind) as caught:
            await broker.call("here", Ops.get_instance, "0")
        assert "sim:secret" not in str(caught.value)


@pytest.mark.parametrize("fault", ["reset", "lost", "hang"])
async def test_changes_whose_answer_is_lost_are_not_repeated(make_broker, fault):
    cloud = simulator.cloud("here", instances=1)
    with serve([cloud]) as urls:
        entry = {**cloud.settings(urls["here"]), "request_timeout": 0.3}
        broker = make_broker({"here": entry})
        for method, operation, arguments in (
            ("template.instantiate", Ops.create_instance, {"spec": SPEC}),
            ("vn.reserve", Ops.create_network, {"spec": NetworkSpec(name="mine")}),
            ("vm.action", Ops.reboot_instance, {"instance_id": "0", "hard": False}),
        ):
            cloud.requests.reset()
            cloud.behaviour.break_with([f"{fault}:{method}"])
            with pytest.raises(OutcomeUnknown):
                await broker.call("here", operation, **arguments)
            assert sum(r.path.endswith(method) for r in cloud.requests) == 1


async def test_a_machine_whose_create_was_not_answered_is_found(make_broker):
    cloud = simulator.cloud("here", instances=3)
    with serve([cloud]) as urls:
        broker = make_broker({"here": cloud.settings(urls["here"])})
        cloud.behaviour.break_with(["lost:template.instantiate"])
        made = await broker.instances.create("here", SPEC, wait=10)
        assert (made.name, made.state) == ("web", InstanceState.RUNNING)
        assert len(cloud.machines) == 4


async def test_a_life(make_broker):
    cloud = simulator.cloud("here", instances=0, behaviour=Behaviour(state_delay=0.05))
    with serve([cloud]) as urls:
        broker = make_broker({"here": cloud.settings(urls["here"])})
        made = await broker.instances.create("here", SPEC, wait=20)
        target = str(made.qualified_id)
        assert (await broker.instances.stop(target, wait=10)).state is InstanceState.STOPPED
        assert (await broker.instances.start(target, wait=10)).state is InstanceState.RUNNING
        assert (await broker.instances.reboot(target, wait=10)).state is InstanceState.RUNNING
        assert await broker.instances.destroy(target, wait=10)
        assert not await broker.instances.destroy(target)


async def test_rights_are_told(make_broker):
    cloud = simulator.cloud("here", instances=1)
    with serve([cloud]) as urls:
        broker = make_broker({"here": cloud.settings(urls["here"], user="neighbour")})
        with pytest.raises(PermissionDenied, match="Not authorized"):
            await broker.call("here", Ops.stop_instance, "0")


async def test_no_secret_is_shown_anywhere(make_broker, caplog):
    caplog.set_level(logging.DEBUG)
    cloud = simulator.cloud("here", instances=1)
    with serve([cloud]) as urls:
        entry = {**cloud.settings(urls["here"]), "retries": 1, "request_timeout": 0.1}
        broker = make_broker({"here": entry})
        shown = [repr(broker), str(await broker.check("here"))]
        shown += [repr(k) for k in (await broker.call("here", Ops.list_keys, None)).items]
        shown += [repr(q) for q in (await broker.call("here", Ops.list_quotas, None)).items]
        for fault in ("401", "reset", "garbage", "hang", "503"):
            cloud.behaviour.break_with([fault])
            for operation, arguments in (
                (Ops.get_instance, {"instance_id": "0"}),
                (Ops.create_instance, {"spec": SPEC}),
            ):
                with pytest.raises(CloudError) as caught:
                    await broker.call("here", operation, **arguments)
                shown += [str(caught.value), repr(caught.value), repr(caught.value.__cause__)]
        text = "\n".join([*shown, caplog.text])
        password = str(entry["password"])
        user = cloud.state.users[2]
        for secret in (password, user.password, user.template.text("TOKEN_PASSWORD")):
            assert secret
            assert secret not in text
