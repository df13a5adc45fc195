"""Instances: making them, their states, and what is done to them."""

import anyio
import pytest

from anabranch.errors import Conflict, InvalidRequest, InvalidState, NotFound, QuotaExceeded
from anabranch.models import (
    AttachedVolume,
    ConsoleKind,
    Hardware,
    ImageSpec,
    InstanceSpec,
    NetworkAddress,
    NetworkAddressKind,
    NetworkSpec,
    SubnetSpec,
    to_builtins,
)
from anabranch.redaction import SecretStr
from anabranch.states import InstanceAction, InstanceState, StateMachine

DELTACLOUDS_ACTIONS = {"create", "start", "stop", "reboot", "destroy", None}


def test_the_machine_is_deltaclouds(driver):
    machine: StateMachine = driver.instance_states
    steps = [(s.source, s.action, s.target) for s in machine.transitions]
    assert [step for step in steps if step[1] in DELTACLOUDS_ACTIONS] == [
        ("START", "create", "PENDING"),
        ("PENDING", None, "RUNNING"),
        ("RUNNING", "reboot", "RUNNING"),
        ("RUNNING", "stop", "STOPPED"),
        ("STOPPED", "start", "RUNNING"),
        ("STOPPED", "destroy", "FINISH"),
    ]
    assert {action for _, action, _ in steps if action} == set(InstanceAction)


async def test_a_bare_one(driver, cloud):
    made = await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    assert (made.id, made.name, made.owner_id) == ("inst4", "inst4", "mockuser")
    assert made.state == "RUNNING"
    assert made.platform_state == "running"
    assert made.actions == driver.instance_states.actions(InstanceState.RUNNING)
    assert (made.realm_id, made.hardware_profile_id) == ("us", "m1-small")
    assert made.hardware == Hardware(cpu=1, memory_mib=1740, storage_gb=160, architecture="i386")
    assert made.public_addresses == (
        NetworkAddress("img1.inst4.public.com", NetworkAddressKind.HOSTNAME),
    )
    assert made.authentication is None
    assert made.created_at is not None
    assert made.launched_at is not None
    assert await driver.get_instance(cloud, "inst4") == made


async def test_one_with_everything(driver, cloud):
    spec = InstanceSpec(
        image_id="img1",
        realm_id="eu",
        hardware_profile_id="m1-large",
        name="foo",
        hardware=Hardware(cpu=2, memory_mib=8192, storage_gb=1024),
        key_id="test-key",
        password=SecretStr("open sesame"),
        user_data=b"#!/bin/sh",
        user_files={"/etc/motd": b"hello"},
        user_iso=b"iso",
        firewall_ids=("fw1",),
        network_ids=("net1", "net2"),
        metrics=True,
        snapshot_id="snap1",
        device_name="/dev/vdz",
        load_balancer_id="lb1",
        sandbox=True,
        tags={"team": "shop"},
        client_token="0123",
    )
    told = await driver.create_instance(cloud, spec)
    kept = await driver.get_instance(cloud, told.id)

    assert told.authentication is not None
    assert told.authentication.password == SecretStr("open sesame")
    assert kept.authentication is None
    assert (kept.name, kept.realm_id, kept.key_id) == ("foo", "eu", "test-key")
    assert kept.hardware == Hardware(cpu=2, memory_mib=8192, storage_gb=1024, architecture="x86_64")
    assert kept.firewall_ids == ("fw1",)
    assert len(kept.network_interface_ids) == 2
    assert [a.address for a in kept.private_addresses][1:] == ["192.168.1.3", "10.1.0.2"]
    assert kept.storage_volumes == (AttachedVolume("vol4", "/dev/vdz"),)
    volume = await driver.get_storage_volume(cloud, "vol4")
    assert (volume.snapshot_id, volume.state, volume.realm_id) == ("snap1", "IN-USE", "eu")
    assert kept.id in (await driver.get_load_balancer(cloud, "lb1")).instance_ids
    assert (kept.tags, kept.client_token) == ({"team": "shop"}, "0123")
    assert kept.extra["sandbox"] is True
    assert kept.extra["metrics"] is True
    assert kept.extra["user_data"] == "IyEvYmluL3No"
    assert kept.extra["user_files"] == {"/etc/motd": 5}
    assert len(kept.extra["user_iso_sha256"]) == 64
    for shown in (repr(told), repr(spec), str(to_builtins(told, extra=True))):
        assert "sesame" not in shown
        assert "IyEvYmluL3No" not in shown


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"image_id": "img9"}, "image_id: there is no image 'img9'"),
        ({"realm_id": "uk"}, "realm_id: there is no realm 'uk'"),
        ({"hardware_profile_id": "m1-smal"}, "Did you mean 'm1-small'"),
        ({"key_id": "x"}, "key_id"),
        ({"firewall_ids": ("x",)}, "firewall_ids"),
        ({"network_ids": ("x",)}, "network_ids|network_id"),
        ({"network_ids": ("net1", "net1")}, "twice"),
        ({"snapshot_id": "x"}, "snapshot_id"),
        ({"device_name": "/dev/vdb"}, "device_name"),
        ({"load_balancer_id": "x"}, "load_balancer_id"),
        ({"name": "x" * 256}, "name: 256 characters"),
        ({"user_data": b"x" * 65537}, "user_data"),
        ({"user_iso": b"x" * 65537}, "user_iso"),
        ({"user_files": {"/a": b"x" * 65537}}, "user_files"),
        ({"user_files": {"a": b"x"}}, "no absolute path"),
        ({"tags": {"": "x"}}, "tags"),
        ({"tags": {"x": "y" * 257}}, "tags"),
        ({"tags": {str(n): "" for n in range(51)}}, "tags"),
        ({"hardware": Hardware(cpu=2)}, "hardware.cpu: 2 is not possible with m1-small, only 1"),
    ],
)
async def test_wrong_parameters_are_named_and_nothing_is_made(wrong, message, driver, cloud):
    spec = InstanceSpec(**{"image_id": "img1", **wrong})
    with pytest.raises(InvalidRequest, match=message):
        await driver.create_instance(cloud, spec)
    assert len((await driver.list_instances(cloud, None, {})).items) == 4
    assert len((await driver.list_storage_volumes(cloud, None)).items) == 3


@pytest.mark.parametrize(
    ("profile_id", "hardware", "right"),
    [
        ("m1-large", Hardware(memory_mib=7679), "7680 to 15360"),
        ("m1-large", Hardware(storage_gb=900), "850 or 1024"),
        ("m1-large", Hardware(architecture="aarch64"), "only 'x86_64'"),
        ("opaque", Hardware(cpu=1), "lets nobody choose"),
    ],
)
async def test_hardware_beyond_the_profile(profile_id, hardware, right, driver, cloud):
    spec = InstanceSpec(image_id="img1", hardware_profile_id=profile_id, hardware=hardware)
    with pytest.raises(InvalidRequest, match=right):
        await driver.create_instance(cloud, spec)


async def test_an_image_that_is_not_ready_cannot_be_booted(driver, make_cloud):
    cloud = make_cloud(delays={"creating": 60})
    image = await driver.create_image(cloud, ImageSpec(instance_id="inst0"))
    with pytest.raises(InvalidRequest, match="PENDING"):
        await driver.create_instance(cloud, InstanceSpec(image_id=image.id))


async def test_several_or_none(driver, make_cloud):
    cloud = make_cloud(quotas={"instances": 7})
    spec = InstanceSpec(image_id="img1", client_token="batch", network_ids=("net1",))
    made = await driver.create_instances(cloud, spec, 2)
    assert [i.id for i in made] == ["inst4", "inst5"]
    assert {i.client_token for i in made} == {"batch"}
    with pytest.raises(QuotaExceeded, match="2 more instance"):
        await driver.create_instances(cloud, spec, 2)
    with pytest.raises(InvalidRequest, match="count"):
        await driver.create_instances(cloud, spec, 0)
    assert len((await driver.list_instances(cloud, None, {})).items) == 6


async def test_a_network_without_room(driver, cloud):
    network = await driver.create_network(cloud, NetworkSpec(address_block="172.16.0.0/16"))
    spec = InstanceSpec(image_id="img1", network_ids=(network.id,))
    with pytest.raises(InvalidRequest, match="no subnet with a free address"):
        await driver.create_instance(cloud, spec)
    await driver.create_subnet(
        cloud, SubnetSpec(network_id=network.id, address_block="172.16.0.0/29")
    )
    with pytest.raises(InvalidRequest, match="no subnet with a free address"):
        await driver.create_instances(cloud, spec, 6)
    assert len(await driver.create_instances(cloud, spec, 5)) == 5


async def test_through_all_states(driver, cloud):
    assert (await driver.reboot_instance(cloud, "inst0", False)).state == "RUNNING"
    stopped = await driver.stop_instance(cloud, "inst0")
    assert stopped.state == "STOPPED"
    assert "destroy" in stopped.actions
    assert (await driver.start_instance(cloud, "inst0")).state == "RUNNING"
    await driver.stop_instance(cloud, "inst0")
    await driver.destroy_instance(cloud, "inst0")
    with pytest.raises(NotFound, match="there is no instance 'inst0'"):
        await driver.get_instance(cloud, "inst0")


async def test_what_is_done_already_succeeds(driver, cloud):
    before = await driver.get_instance(cloud, "inst0")
    assert await driver.start_instance(cloud, "inst0") == before
    stopped = await driver.stop_instance(cloud, "inst0")
    assert await driver.stop_instance(cloud, "inst0") == stopped


async def test_forbidden_actions_say_what_is_allowed(driver, cloud):
    with pytest.raises(
        InvalidState, match=r"is RUNNING, which does not allow destroy.*reboot, stop"
    ):
        await driver.destroy_instance(cloud, "inst0")
    await driver.stop_instance(cloud, "inst0")
    with pytest.raises(InvalidState, match="is STOPPED, which does not allow reboot"):
        await driver.reboot_instance(cloud, "inst0", True)
    with pytest.raises(InvalidState, match="console"):
        await driver.get_instance_console(cloud, "inst0", None)


async def test_transient_states_last(driver, make_cloud):
    cloud = make_cloud(delays={"pending": 0.25, "stopping": 0.25, "finish": 0.25})

    async def state(instance_id):
        return (await driver.get_instance(cloud, instance_id)).state

    made = await driver.create_instance(cloud, InstanceSpec(image_id="img1"))
    assert (made.state, made.busy, made.launched_at) == ("PENDING", True, None)
    assert (await driver.start_instance(cloud, made.id)).state == "PENDING"  # it is on its way
    with pytest.raises(InvalidState, match="PENDING"):
        await driver.stop_instance(cloud, made.id)
    await driver.rename_instance(cloud, made.id, "renamed meanwhile")
    await anyio.sleep(0.3)
    running = await driver.get_instance(cloud, made.id)
    assert (running.state, running.busy) == ("RUNNING", False)
    assert running.name == "renamed meanwhile"
    assert (await driver.reboot_instance(cloud, made.id, False)).state == "PENDING"
    await anyio.sleep(0.3)
    assert (await driver.reboot_instance(cloud, made.id, True)).state == "RUNNING"
    assert (await driver.stop_instance(cloud, made.id)).state == "STOPPING"
    assert (await driver.stop_instance(cloud, made.id)).state == "STOPPING"
    await anyio.sleep(0.3)
    assert await state(made.id) == "STOPPED"
    await driver.destroy_instance(cloud, made.id)
    await driver.destroy_instance(cloud, made.id)
    assert await state(made.id) == "FINISH"
    await anyio.sleep(0.3)
    with pytest.raises(NotFound):
        await state(made.id)


async def test_resize_up_and_down(driver, make_cloud):
    cloud = make_cloud(delays={"pending": 60})
    running = await driver.resize_instance(cloud, "inst1", "m1-large")
    assert (running.state, running.hardware_profile_id) == ("PENDING", "m1-large")
    assert running.hardware is not None
    assert running.hardware.memory_mib == 10240
    await driver.stop_instance(cloud, "inst0")
    stopped = await driver.resize_instance(cloud, "inst0", "m1-small")
    assert (stopped.state, stopped.hardware_profile_id) == ("STOPPED", "m1-small")
    with pytest.raises(NotFound, match="hardware profile 'm2'"):
        await driver.resize_instance(cloud, "inst0", "m2")


async def test_rename_and_tags(driver, cloud):
    assert (await driver.rename_instance(cloud, "inst0", "Ærøskøbing")).name == "Ærøskøbing"
    tagged = await driver.set_instance_tags(cloud, "inst0", {"a": "1"})
    assert tagged.tags == {"a": "1"}
    assert (await driver.set_instance_tags(cloud, "inst0", {})).tags == {}
    with pytest.raises(InvalidRequest):
        await driver.rename_instance(cloud, "inst0", "")


async def test_consoles(driver, cloud):
    page = await driver.get_instance_console(cloud, "inst0", None)
    assert page.kind == "novnc"
    assert page.url.get_secret_value().startswith("https://console.mock.example/inst0?token=")
    assert page.expires_at is not None
    assert "token" not in repr(page)
    vnc = await driver.get_instance_console(cloud, "inst0", ConsoleKind.VNC)
    assert vnc.password
    text = await driver.get_instance_console(cloud, "inst0", ConsoleKind.TEXT)
    assert "login" in text.text
    with pytest.raises(InvalidRequest, match="no spice console"):
        await driver.get_instance_console(cloud, "inst0", ConsoleKind.SPICE)


async def test_what_an_instance_has_is_free_when_it_goes(driver, cloud):
    """inst1 has a volume, an interface, an address and a place at the load balancer."""
    await driver.stop_instance(cloud, "inst1")
    await driver.destroy_instance(cloud, "inst1")
    assert (await driver.get_storage_volume(cloud, "vol3")).state == "AVAILABLE"
    assert not (await driver.get_address(cloud, "192.168.0.1")).associated
    assert (await driver.get_load_balancer(cloud, "lb1")).instance_ids == ("inst0",)
    with pytest.raises(NotFound):
        await driver.get_network_interface(cloud, "nic1")


@pytest.mark.parametrize(
    "action",
    ["start_instance", "stop_instance", "destroy_instance", "get_instance"],
)
async def test_unknown_ids(action, driver, cloud):
    with pytest.raises(NotFound, match="Did you mean 'inst0'"):
        await getattr(driver, action)(cloud, "ins0")


async def test_images_of_instances(driver, make_cloud):
    cloud = make_cloud(delays={"creating": 0.25})
    spec = ImageSpec(instance_id="inst1", name="gold", description="as it was", tags={"a": "b"})
    image = await driver.create_image(cloud, spec)
    assert (image.id, image.name, image.state) == ("img4", "gold", "PENDING")
    assert (image.architecture, image.owner_id) == ("i386", "mockuser")
    gone = await driver.create_image(cloud, ImageSpec(instance_id="inst1"))
    await driver.destroy_image(cloud, gone.id)
    await anyio.sleep(0.3)
    assert (await driver.get_image(cloud, "img4")).state == "AVAILABLE"
    with pytest.raises(Conflict, match="in use by instance 'inst0'"):
        await driver.destroy_image(cloud, "img1")
    with pytest.raises(InvalidRequest, match="instance_id"):
        await driver.create_image(cloud, ImageSpec(instance_id="inst9"))
    made = await driver.create_instance(cloud, InstanceSpec(image_id="img4"))
    assert made.image_id == "img4"
