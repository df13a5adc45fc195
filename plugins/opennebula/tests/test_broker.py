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
from anabranch.models import (
    AddressSpec,
    FirewallSpec,
    ImageSpec,
    InstanceSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    StorageVolumeSpec,
    SubnetSpec,
)
from anabranch.testing.simulation import Behaviour, serve
from anabranch_opennebula import driver
from anabranch_opennebula.simulator import app, simulator
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.refusals import Code, Refusal

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


@pytest.mark.parametrize("fault", ["reset", "lost", "hang", "garbage"])
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


@pytest.mark.parametrize(
    ("operation", "arguments", "method", "done"),
    [
        (Ops.create_address, {"spec": AddressSpec()}, "vn.info", "address 2 was made"),
        (Ops.create_network, {"spec": NetworkSpec(name="x")}, "vn.info", "network 2 was made"),
        (
            *(Ops.create_firewall, {"spec": FirewallSpec(name="x")}),
            *("secgroup.info", "firewall 101 was made"),
        ),
        (
            *(Ops.create_storage_volume, {"spec": StorageVolumeSpec(name="x")}),
            *("image.info", "volume 3 was made"),
        ),
        (
            *(Ops.create_image, {"spec": ImageSpec(instance_id="0", name="x", description="y")}),
            *("image.update", "image 3 was made"),
        ),
        (
            *(Ops.resize_instance, {"instance_id": "3", "hardware_profile_id": "2"}),
            *("vm.update", "instance 3 has its new size"),
        ),
    ],
)
async def test_what_is_done_is_told_when_the_rest_fails(
    make_broker, operation, arguments, method, done
):
    cloud = simulator.cloud("here", instances=4)
    with serve([cloud]) as urls:
        broker = make_broker({"here": {**cloud.settings(urls["here"]), "retries": 0}})
        cloud.behaviour.break_with([f"503:{method}"])
        with pytest.raises(CloudUnavailable, match=f"{done}, and after that: "):
            await broker.call("here", operation, **arguments)


def first_only(method, times):
    """A method that answers so many times, and then no more."""
    left = iter(range(times))

    def answer(call, *arguments):
        if next(left, None) is None:
            raise Refusal(Code.INTERNAL, "Database is gone")
        return method(call, arguments)

    return Method(method.parameters[1:], answer)


async def test_ranges_and_interfaces_are_told_when_they_cannot_be_shown(make_broker, monkeypatch):
    cloud = simulator.cloud("here", instances=1)
    with serve([cloud]) as urls:
        broker = make_broker({"here": {**cloud.settings(urls["here"]), "retries": 0}})
        mine = await broker.call("here", Ops.create_network, NetworkSpec(name="mine"))
        subnet = SubnetSpec(network_id=mine.id, address_block="10.0.8.0/26")
        interface = NetworkInterfaceSpec(instance_id="0", network_id="0")
        for operation, spec, method, reads, done in (
            (Ops.create_subnet, subnet, "vn.info", 2, "10.0.8.0/26 were added to network 2"),
            (Ops.create_network_interface, interface, "vm.info", 2, "interface 0.1 was made"),
        ):
            name = f"one.{method}"
            with monkeypatch.context() as patch:
                patch.setitem(app.METHODS, name, first_only(app.METHODS[name], reads))
                with pytest.raises(CloudError, match=f"{done}, and after that: Database is gone"):
                    await broker.call("here", operation, spec)


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


async def test_a_proxy_that_quotes_the_request(make_broker):
    async def quoting(scope, receive, send):
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 500, "headers": []})
        await send({"type": "http.response.body", "body": b"<p>cannot serve</p>" + body})

    cloud = simulator.cloud("here", instances=0)
    cloud.app = quoting
    with serve([cloud]) as urls:
        for password in ("hunter2", "a&b<c"):
            entry = {**cloud.settings(urls["here"]), "password": password, "retries": 0}
            with pytest.raises(CloudUnavailable, match=r"cannot serve.*tenant") as caught:
                await make_broker({"here": entry}).call("here", Ops.get_instance, "0")
            assert password not in str(caught.value)
            assert "a&amp;b" not in str(caught.value)


async def test_a_document_without_an_id_is_no_bug_of_the_driver(make_broker, monkeypatch):
    cloud = simulator.cloud("here", instances=1)
    with serve([cloud]) as urls:
        broker = make_broker({"here": cloud.settings(urls["here"])})
        monkeypatch.setitem(app.METHODS, "one.vm.info", Method("i", lambda call, number: "<VM/>"))
        with pytest.raises(ProtocolError, match=r"one\.vm\.info answered a VM without an id"):
            await broker.call("here", Ops.get_instance, "0")


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
