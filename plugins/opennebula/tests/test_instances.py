"""The making of instances, and what changes them without switching them."""

import base64

import anyio
import pytest

from anabranch.errors import (
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    QuotaExceeded,
)
from anabranch.models import Hardware, ImageSpec, InstanceSpec, KeySpec
from anabranch.states import InstanceState
from anabranch.testing.simulation import Behaviour
from anabranch_opennebula import driver
from anabranch_opennebula.client import session
from anabranch_opennebula.templates import template

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFh7mGzCNT4k56QKRNidEALQdi3f0qtthbce3db4XPZU me@here"
ODD = 'say "hi" & <b>bye</b> \'é\' 🚀 [x="y"]'
SMALL = {"name": "tiny", "vcpu": 2, "cpu": 0.5, "memory_mib": 256}


PAIRS = [("template.info", "user.info"), ("user.info", "template.info")]
S = InstanceState


def spec(**fields):
    return InstanceSpec(**{"image_id": "0", "hardware_profile_id": "0", "name": "web", **fields})


async def created(cloud, wished):
    """Make an instance, and look at it."""
    return await driver.get_instance(cloud, (await driver.create_instance(cloud, wished)).id)


async def test_the_whole_spec(served):
    async with served(instances=0) as there:
        cloud = there.cloud
        await driver.create_key(cloud, KeySpec(name="mine", public_key=KEY))
        calls = ("template.info", "template.instantiate", "user.info")
        with there.costs(*calls, at_once=True):
            made = await driver.create_instance(
                cloud,
                spec(
                    image_id="1",
                    hardware_profile_id="1",
                    key_id="mine",
                    user_data=b"#!/bin/sh\necho \x00 '\"' \n\n",
                    firewall_ids=("100",),
                    network_ids=("1", "0"),
                    hardware=Hardware(cpu=4, memory_mib=768, storage_gb=3),
                    realm_id="0",
                    tags={"role": "web", "a b": ODD, "": ""},
                    client_token="token-1",
                ),
            )
        assert (made.name, made.image_id, made.hardware_profile_id) == ("web", "1", "1")
        assert made.authentication.key_id == made.key_id == "mine"
        assert made.client_token == "token-1"
        assert made.tags == {"role": "web", "a b": ODD, "": ""}
        assert (made.hardware.cpu, made.hardware.memory_mib, made.hardware.storage_gb) == (
            4,
            768,
            3,
        )
        assert made.firewall_ids == ("100",)
        (listed,) = (await driver.list_instances(cloud, None, {})).items
        assert (listed.client_token, listed.tags) == ("token-1", made.tags)
        assert [a.address.partition(".")[0] for a in listed.private_addresses] == ["10"]
        assert [a.address.partition(".")[0] for a in listed.public_addresses] == ["172"]
        wanted = listed.extra["TEMPLATE"]
        context = wanted["CONTEXT"]
        assert context["SSH_PUBLIC_KEY"] == KEY
        assert context["NETWORK"] == "YES"
        assert base64.b64decode(context["USER_DATA"]) == b"#!/bin/sh\necho \x00 '\"' \n\n"
        assert context["USER_DATA_ENCODING"] == "base64"
        # The share of CPU of the template, 0.5 of 2, grows with the number of processors.
        assert float(wanted["CPU"]) == 1
        user = listed.extra["USER_TEMPLATE"]
        assert "CLUSTER_ID = 0" in (user | wanted)["SCHED_REQUIREMENTS"]


async def test_as_little_as_possible(served):
    async with served(instances=0) as there:
        with there.costs("templatepool.info", "template.instantiate"):
            made = await driver.create_instance(there.cloud, InstanceSpec(image_id="1"))
        assert made.image_id == "1"
        # The smallest template of all, since none is of that image; its key line stays.
        assert made.hardware_profile_id == "0"
        context = (await driver.get_instance(there.cloud, made.id)).extra["TEMPLATE"]["CONTEXT"]
        assert context["SSH_PUBLIC_KEY"].startswith("ssh-ed25519")


@pytest.mark.parametrize(
    "entry",
    [{}, {"hardware_profiles": [SMALL]}, {"hardware_profiles": [{**SMALL, "storage_gb": 5}]}],
)
@pytest.mark.parametrize("fields", [{}, {"name": "web", "tags": {"a": ODD}, "client_token": "t"}])
async def test_what_a_create_tells_is_what_is_there(served, entry, fields):
    """It is not asked for: the answer is what was wished, and the name that oned gives."""
    async with served(entry, instances=0, behaviour=Behaviour(state_delay=60)) as there:
        there.simulated.behaviour.break_with(["503:vm.info"])
        wished = InstanceSpec(image_id="0", **fields)
        made = await driver.create_instance(there.cloud, wished)
        there.simulated.behaviour.break_with([])
        found = await driver.get_instance(there.cloud, made.id)
        assert (made.state, made.busy, made.platform_state) == (S.PENDING, True, "PENDING")
        for name in (
            *("id", "name", "state", "platform_state", "busy", "actions", "image_id"),
            *("hardware_profile_id", "tags", "client_token"),
        ):
            assert getattr(made, name) == getattr(found, name), name
        sizes, there_are = made.hardware, found.hardware
        assert (sizes.cpu, sizes.memory_mib) == (there_are.cpu, there_are.memory_mib)
        assert sizes.storage_gb in (None, there_are.storage_gb)
        assert (made.created_at, made.private_addresses) == (None, ())
        assert found.created_at


@pytest.mark.parametrize(("held", "other"), PAIRS)
async def test_template_and_key_are_asked_for_at_once(served, held, other):
    async with served(instances=0) as there:
        there.simulated.behaviour.break_with([f"hang:{held}"])
        async with anyio.create_task_group() as group:
            wished = spec(key_id="SSH_PUBLIC_KEY")
            group.start_soon(driver.create_instance, there.cloud, wished)
            await there.until_asked(other)
            group.cancel_scope.cancel()
        assert not there.simulated.machines


async def test_of_a_template_and_a_key_that_are_not_there_the_template_is_told(served):
    async with served(instances=0) as there:
        for fields, told in (
            ({"hardware_profile_id": "99"}, r"\[99\]"),
            ({"hardware_profile_id": "99", "key_id": "nobody's"}, r"\[99\]"),
            ({"key_id": "nobody's"}, "no key"),
        ):
            with pytest.raises(NotFound, match=told):
                await driver.create_instance(there.cloud, spec(**fields))


async def test_a_configured_size_needs_no_template(served):
    entry = {"hardware_profiles": [SMALL], "default_networks": ["1"]}
    async with served(entry, instances=0) as there:
        profiles = (await driver.list_hardware_profiles(there.cloud, None)).items
        assert [p.id for p in profiles] == ["tiny", "2", "1", "0"]
        assert (await driver.get_hardware_profile(there.cloud, "tiny")).memory_mib.value == 256
        with there.costs("vm.allocate"):
            made = await driver.create_instance(
                there.cloud, InstanceSpec(image_id="0", name="é 🚀")
            )
        assert made.name == "é 🚀"
        made = await driver.get_instance(there.cloud, made.id)
        assert (made.hardware_profile_id, made.image_id) == ("tiny", "0")
        assert (made.hardware.cpu, made.hardware.memory_mib) == (2, 256)
        assert made.private_addresses


async def test_a_configured_size_on_a_template(served):
    profile = {**SMALL, "template_id": "2", "storage_gb": 5}
    async with served({"hardware_profiles": [profile]}, instances=0) as there:
        with there.costs("template.info", "template.instantiate"):
            made = await driver.create_instance(there.cloud, InstanceSpec(image_id="0"))
        made = await driver.get_instance(there.cloud, made.id)
        assert (made.hardware_profile_id, made.hardware.memory_mib) == ("tiny", 256)
        assert made.hardware.storage_gb == 5
        assert made.extra["TEMPLATE"]["TEMPLATE_ID"] == "2"


async def test_the_root_disk_is_as_large_as_the_profile_says(served):
    async with served(instances=0) as there:
        disk = {"IMAGE_ID": "0", "SIZE": "4096"}
        swap = {"TYPE": "swap", "SIZE": "512"}
        body = [("NAME", "big"), ("MEMORY", "128"), ("CPU", "1"), ("DISK", disk), ("DISK", swap)]
        one = session(there.cloud)
        made = str(await one.change("template.allocate", template(body)))
        assert (await driver.get_hardware_profile(there.cloud, made)).storage_gb.value == 4
        for image_id in ("0", "1"):
            wished = spec(image_id=image_id, hardware_profile_id=made)
            instance = await created(there.cloud, wished)
            assert (instance.image_id, instance.hardware.storage_gb) == (image_id, 4)
            # The other disks of the template stay.
            assert [d["SIZE"] for d in instance.extra["TEMPLATE"]["DISK"]] == ["4096", "512"]


@pytest.mark.parametrize("owner", [{"IMAGE_UNAME": "oneadmin"}, {"IMAGE_UID": "0"}, {}])
async def test_a_template_that_names_its_image(served, owner):
    """As Sunstone does; what it says of its first disk beside that stays."""
    async with served(instances=0) as there:
        mine = there.simulated.state.images[1]
        if not owner:
            mine.uid, mine.uname = 2, "tenant"
        disk = {"IMAGE": mine.name, "DEV_PREFIX": "sd", **owner}
        body = [("NAME", "named"), ("MEMORY", "4096"), ("CPU", "1"), ("DISK", disk)]
        made = str(await session(there.cloud).change("template.allocate", template(body)))
        with there.costs("templatepool.info", "image.info", "template.instantiate"):
            instance = await driver.create_instance(there.cloud, InstanceSpec(image_id="1"))
        instance = await driver.get_instance(there.cloud, instance.id)
        assert (instance.hardware_profile_id, instance.image_id) == (made, "1")
        assert instance.extra["TEMPLATE"]["DISK"]["TARGET"] == "sda"
        with there.costs("template.info", "image.info", "template.instantiate"):
            other = await driver.create_instance(
                there.cloud, spec(image_id="2", hardware_profile_id=made)
            )
        other = await driver.get_instance(there.cloud, other.id)
        assert (other.image_id, other.extra["TEMPLATE"]["DISK"]["TARGET"]) == ("2", "vda")
        with pytest.raises(NotFound):
            await driver.create_instance(there.cloud, InstanceSpec(image_id="99"))


async def test_firewalls_are_of_the_interfaces_of_the_template(served):
    async with served(instances=0) as there:
        made = await created(there.cloud, spec(firewall_ids=("100",)))
        assert "100" in made.firewall_ids
        assert made.private_addresses
    async with served({"hardware_profiles": [SMALL]}, instances=0) as there:
        with pytest.raises(InvalidRequest, match="has none"):
            await driver.create_instance(
                there.cloud, InstanceSpec(image_id="0", firewall_ids=("100",))
            )
        assert not there.asked("vm.allocate")


async def test_what_is_refused(served):
    refused = (
        ({"image_id": "x"}, NotFound),
        ({"image_id": "99"}, NotFound),
        ({"hardware_profile_id": "none"}, NotFound),
        ({"hardware_profile_id": "99"}, NotFound),
        ({"key_id": "nobody's"}, NotFound),
        ({"firewall_ids": ("x",)}, NotFound),
        ({"network_ids": ("x",)}, NotFound),
        ({"realm_id": "x"}, NotFound),
        ({"hardware": Hardware(architecture="riscv64")}, InvalidRequest),
        ({"hardware": Hardware(cpu=0.5)}, InvalidRequest),
        ({"name": "<b>"}, InvalidRequest),
        ({"name": "n" * 129}, InvalidRequest),
        ({"name": "a\x00"}, InvalidRequest),
    )
    async with served(instances=0) as there:
        for fields, kind in refused:
            with pytest.raises(kind):
                await driver.create_instance(there.cloud, spec(**fields))
        assert not there.simulated.machines


async def test_a_quota(served):
    async with served(instances=0) as there:
        limited = there.again(user="limited")
        for _ in range(3):
            await driver.create_instance(limited, spec())
        with pytest.raises(QuotaExceeded, match="VMS"):
            await driver.create_instance(limited, spec())


async def test_an_answer_that_is_lost(served):
    async with served(instances=0) as there:
        there.simulated.behaviour.break_with(["reset:template.instantiate"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_instance(there.cloud, spec())
        assert there.asked("template.instantiate") == 1


async def test_renaming(served):
    async with served(instances=1) as there:
        with there.costs("vm.rename", "vm.info"):
            assert (await driver.rename_instance(there.cloud, "0", "é 🚀")).name == "é 🚀"
        with pytest.raises(InvalidRequest):
            await driver.rename_instance(there.cloud, "0", "<b>")
        with pytest.raises(NotFound):
            await driver.rename_instance(there.cloud, "9", "x")


async def test_tags_leave_the_rest_of_the_template_alone(served):
    async with served(instances=0) as there:
        made = await created(there.cloud, spec(client_token="t", tags={"old": "1"}))
        before = dict(made.extra["USER_TEMPLATE"])
        with there.costs("vm.update", "vm.info"):
            tagged = await driver.set_instance_tags(there.cloud, made.id, {"new": ODD})
        assert tagged.tags == {"new": ODD}
        found = await driver.get_instance(there.cloud, made.id)
        assert (found.tags, found.client_token) == ({"new": ODD}, "t")
        after = dict(found.extra["USER_TEMPLATE"])
        assert before.pop("ANABRANCH_TAGS") != after.pop("ANABRANCH_TAGS")
        assert before == after
        assert (await driver.set_instance_tags(there.cloud, made.id, {})).tags == {}
        assert (await driver.get_instance(there.cloud, made.id)).tags == {}


async def test_resizing(served):
    async with served({"hardware_profiles": [SMALL]}, instances=1) as there:
        with pytest.raises(InvalidState) as caught:
            await driver.resize_instance(there.cloud, "0", "2")
        assert "Stop it" in caught.value.remedy
        await driver.stop_instance(there.cloud, "0")
        with there.costs("template.info", "vm.resize", "vm.update", "vm.info"):
            resized = await driver.resize_instance(there.cloud, "0", "2")
        assert (resized.hardware.cpu, resized.hardware.memory_mib) == (4, 2048)
        assert resized.hardware_profile_id == "2"
        with there.costs("vm.resize", "vm.update", "vm.info"):
            resized = await driver.resize_instance(there.cloud, "0", "tiny")
        assert (resized.hardware_profile_id, resized.hardware.memory_mib) == ("tiny", 256)
        with pytest.raises(NotFound):
            await driver.resize_instance(there.cloud, "0", "none")


async def test_resizing_while_it_runs(served):
    async with served(instances=1) as there:
        there.simulated.hypervisor.hot_resize = True
        resized = await driver.resize_instance(there.cloud, "0", "1")
        assert resized.hardware_profile_id == "1"


async def test_a_locked_machine(served):
    async with served(instances=1) as there:
        await session(there.cloud).change("vm.lock", 0, 4)
        with there.costs("vm.rename", "vm.info"), pytest.raises(Conflict, match="is locked"):
            await driver.rename_instance(there.cloud, "0", "x")
        with pytest.raises(Conflict, match="is locked"):
            await driver.stop_instance(there.cloud, "0")


async def test_no_image_is_made_of_another_disk_than_the_root(served):
    """The root disk can be detached, and a volume is left."""
    async with served(instances=1) as there:
        (machine,) = there.simulated.machines
        machine.disks[0]["DISK_ID"] = "2"
        machine.changed()
        with there.costs("vm.info"), pytest.raises(InvalidRequest, match="no root disk"):
            await driver.create_image(there.cloud, ImageSpec(instance_id="0", name="saved"))


async def test_images_of_instances(served):
    async with served(instances=1) as there:
        with there.costs("vm.info", "vm.disksaveas", "image.update", "image.info"):
            made = await driver.create_image(
                there.cloud,
                ImageSpec(instance_id="0", name="saved", description=ODD, tags={"a b": ODD}),
            )
        assert (made.name, made.description, made.tags) == ("saved", ODD, {"a b": ODD})
        with pytest.raises(Conflict, match="taken"):
            await driver.create_image(there.cloud, ImageSpec(instance_id="0", name="saved"))
        with there.costs("vm.info", "vm.disksaveas", "image.info"):
            unnamed = await driver.create_image(there.cloud, ImageSpec(instance_id="0"))
        assert unnamed.name.startswith("anabranch-")
        with there.costs("image.info", "image.delete"):
            await driver.destroy_image(there.cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_image(there.cloud, made.id)
        with pytest.raises((Conflict, PermissionDenied)):
            await driver.destroy_image(there.cloud, "0")
