"""Jobs and lost answers: polled again, never submitted again, and told when nothing is known."""

import logging
from contextlib import suppress

import anyio
import msgspec
import pytest
import structlog

from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    DeadlineExceeded,
    OperationNotSupported,
    OutcomeUnknown,
    ProtocolError,
    RateLimited,
)
from anabranch.models import (
    AddressSpec,
    InstanceSpec,
    KeySpec,
    Listener,
    LoadBalancerSpec,
    StorageVolumeSpec,
)
from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack import driver
from anabranch_cloudstack.client import Accepted

BALANCER = LoadBalancerSpec(
    name="web", listeners=(Listener(protocol="TCP", load_balancer_port=80, instance_port=80),)
)


async def spec(cloud, **fields):
    image = next(i for i in (await driver.list_images(cloud, None, {})).items)
    return InstanceSpec(**{"image_id": image.id, "name": "web", **fields})


async def attachable(cloud):
    volume = await driver.create_storage_volume(cloud, StorageVolumeSpec())
    page = await driver.list_instances(cloud, None, {})
    return volume.id, page.items[0].id


async def test_a_job_is_looked_at_until_it_has_ended(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.1)) as world:
        volume, instance = await attachable(world.cloud)
        world.simulated.requests.reset()
        attached = await driver.attach_storage_volume(world.cloud, volume, instance, None)
        assert attached.state == "IN-USE"
        assert world.simulated.requests.count("attachVolume") == 1
        assert world.simulated.requests.count("queryAsyncJobResult") > 2


@pytest.mark.parametrize("fault", ["resetx2", "503x2", "429x2", "garbagex2", "lostx2"])
async def test_a_look_that_is_lost_is_repeated_and_the_command_is_not(served, fault):
    async with served({"retries": 0}, instances=1) as world:
        volume, instance = await attachable(world.cloud)
        world.simulated.requests.reset()
        world.simulated.behaviour.break_with([f"{fault}:queryAsyncJobResult"])
        attached = await driver.attach_storage_volume(world.cloud, volume, instance, None)
        assert attached.instance_id == instance
        assert world.simulated.requests.count("attachVolume") == 1
        assert world.simulated.requests.count("queryAsyncJobResult") >= 3


async def test_a_job_that_does_not_end_in_time_is_told_by_its_id(served):
    async with served(
        {"job_timeout": 0.05}, instances=1, behaviour=Behaviour(state_delay=30)
    ) as world:
        with pytest.raises(OutcomeUnknown, match=r"accepted as job \S+, which did not end"):
            await driver.create_address(world.cloud, AddressSpec())
        assert world.simulated.requests.count("associateIpAddress") == 1


async def test_a_job_that_nobody_knows_any_more(served):
    async with served(instances=1) as world:
        volume, instance = await attachable(world.cloud)
        world.simulated.behaviour.break_with(["401:queryAsyncJobResult"])
        with pytest.raises(OutcomeUnknown, match="of which nothing is told"):
            await driver.attach_storage_volume(world.cloud, volume, instance, None)
        assert world.simulated.requests.count("attachVolume") == 1


async def test_a_job_that_fails_is_the_error_that_it_says(served):
    async with served(instances=2) as world:
        addresses = (await driver.list_addresses(world.cloud, None)).items
        with pytest.raises(Conflict) as caught:
            await driver.destroy_address(world.cloud, addresses[0].id)
        assert caught.value.provider_code == "530"


async def test_who_stops_waiting_leaves_the_job_as_it_is(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.2)) as world:
        volume, instance = await attachable(world.cloud)
        with anyio.move_on_after(0.05) as scope:
            await driver.attach_storage_volume(world.cloud, volume, instance, None)
        assert scope.cancelled_caught
        with anyio.fail_after(5):
            while True:
                found = await driver.get_storage_volume(world.cloud, volume)
                if found.instance_id == instance:
                    break
                await anyio.sleep(0.01)
        assert world.simulated.requests.count("attachVolume") == 1


@pytest.mark.parametrize("fault", ["resetx1", "lostx1", "garbagex1", "hangx1"])
async def test_a_create_that_is_not_answered_is_never_sent_twice(served, fault):
    entry = {"request_timeout": 0.5} if fault.startswith("hang") else {}
    async with served(entry, instances=0) as world:
        wanted = await spec(world.cloud, client_token="tok")
        world.simulated.requests.reset()
        world.simulated.behaviour.break_with([f"{fault}:deployVirtualMachine"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_instance(world.cloud, wanted)
        assert world.simulated.requests.count("deployVirtualMachine") == 1


async def test_a_create_whose_answer_is_lost_is_found_by_its_token(served):
    async with served(instances=3) as world:
        wanted = await spec(world.cloud, client_token="tok")
        world.simulated.behaviour.break_with(["lostx1:deployVirtualMachine"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_instance(world.cloud, wanted)
        page = await driver.list_instances(world.cloud, None, {})
        assert [i.name for i in page.items if i.client_token == "tok"] == ["web"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("reset", CloudUnavailable),
        ("503", CloudUnavailable),
        ("429", RateLimited),
        ("401", AuthenticationError),
        ("garbage", ProtocolError),
    ],
)
async def test_faults_of_reads(served, fault, kind):
    async with served({"retries": 0}, instances=1) as world:
        world.simulated.behaviour.break_with([f"{fault}:listVirtualMachines"])
        with pytest.raises(kind):
            await driver.list_instances(world.cloud, None, {})
        world.simulated.behaviour.break_with(["hang:listVirtualMachines"])
        quick = world.again(request_timeout=0.1, retries=0)
        with pytest.raises(DeadlineExceeded):
            await driver.list_instances(quick, None, {})
        await quick.aclose()


async def test_reads_and_what_can_be_repeated_are_tried_again(served):
    async with served(instances=1) as world:
        cloud = world.cloud
        (it,) = (await driver.list_instances(cloud, None, {})).items
        world.simulated.behaviour.break_with(["resetx1:listVirtualMachines"])
        assert (await driver.list_instances(cloud, None, {})).items
        world.simulated.behaviour.break_with(["lostx1:stopVirtualMachine"])
        await driver.stop_instance(cloud, it.id)
        assert world.simulated.requests.count("stopVirtualMachine") == 2
        assert (await driver.get_instance(cloud, it.id)).state == "STOPPED"
        world.simulated.behaviour.break_with(["lostx1:createSSHKeyPair"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_key(cloud, KeySpec(name="once"))
        assert world.simulated.requests.count("createSSHKeyPair") == 1


async def test_a_reboot_whose_answer_is_lost_is_not_another_one(served):
    async with served(instances=1) as world:
        (it,) = (await driver.list_instances(world.cloud, None, {})).items
        world.simulated.behaviour.break_with(["lostx1:rebootVirtualMachine"])
        with pytest.raises(OutcomeUnknown):
            await driver.reboot_instance(world.cloud, it.id, False)
        assert world.simulated.requests.count("rebootVirtualMachine") == 1


async def test_a_command_that_the_cloud_has_not_is_told_from_a_key_that_it_refuses(served):
    async with served(instances=1, version="4.16.0.0") as world:
        (it,) = (await driver.list_instances(world.cloud, None, {})).items
        with pytest.raises(OperationNotSupported, match="createConsoleEndpoint"):
            await driver.get_instance_console(world.cloud, it.id, None)
        stranger = world.again(secret="wrong-secret")
        with pytest.raises(AuthenticationError, match="clock"):
            await driver.get_instance_console(stranger, it.id, None)
        await stranger.aclose()


async def test_a_balancer_that_is_cancelled_leaves_no_address(served):
    async with served(instances=2) as world:
        cloud = world.cloud
        before = len((await driver.list_addresses(cloud, None)).items)
        world.simulated.behaviour.break_with(["hangx1:createLoadBalancerRule"])
        with anyio.move_on_after(1) as scope, suppress(CloudError):
            await driver.create_load_balancer(cloud, BALANCER)
        assert scope.cancelled_caught
        assert len((await driver.list_addresses(cloud, None)).items) == before


async def test_a_balancer_that_is_cancelled_before_it_has_its_address_gives_it_back(served):
    async with served(instances=2, behaviour=Behaviour(state_delay=30)) as world:
        requests = world.simulated.requests
        async with anyio.create_task_group() as group:
            group.start_soon(driver.create_load_balancer, world.cloud, BALANCER)
            with anyio.fail_after(5):
                while True:
                    if requests.count("queryAsyncJobResult"):
                        break
                    await anyio.sleep(0.01)
            assert requests.count("disassociateIpAddress") == 0
            group.cancel_scope.cancel()
        assert requests.count("disassociateIpAddress") == 1
        assert requests.count("createTags") == 0


async def test_a_balancer_in_doubt_tells_its_address(served):
    async with served(
        {"job_timeout": 0.05}, instances=2, behaviour=Behaviour(state_delay=30)
    ) as world:
        with pytest.raises(OutcomeUnknown, match="the id of its address is") as caught:
            await driver.create_load_balancer(world.cloud, BALANCER)
        address_id = caught.value.message.rpartition(" ")[2]
        assert address_id in world.simulated.state.addresses


async def test_a_machine_whose_job_nobody_knows_any_more_is_shown_as_it_is(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=30)) as world:
        (it,) = (await driver.list_instances(world.cloud, None, {})).items
        await driver.reboot_instance(world.cloud, it.id, False)
        assert (await driver.get_instance(world.cloud, it.id)).busy
        world.simulated.behaviour.break_with(["401x1:queryAsyncJobResult"])
        assert not (await driver.get_instance(world.cloud, it.id)).busy
        with world.costs("listVirtualMachines"):
            await driver.get_instance(world.cloud, it.id)
        assert world.simulated.requests.count("queryAsyncJobResult") == 0


async def test_the_progress_of_a_job_is_told(served, caplog):
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    caplog.set_level(logging.DEBUG)
    async with served(instances=1, behaviour=Behaviour(state_delay=0.05)) as world:
        await driver.create_address(world.cloud, AddressSpec())
    told = [r.getMessage() for r in caplog.records if "cloudstack.job" in r.getMessage()]
    words = [next(w for w in ("accepted", "pending", "ended") if f"job.{w}" in t) for t in told]
    assert words[0] == "accepted"
    assert words[-1] == "ended"
    assert "pending" in words
    assert all("associateIpAddress" in text for text in told)


def test_a_change_that_tells_no_id_is_in_doubt():
    accepted = Accepted(msgspec.Raw(b"{}"))
    with pytest.raises(OutcomeUnknown):
        _ = accepted.made
