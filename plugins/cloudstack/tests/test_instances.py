"""Machines over the wire, against the simulator, with the commands that each operation costs."""

import anyio
import msgspec
import pytest

from anabranch.errors import (
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
)
from anabranch.models import (
    ConsoleKind,
    Hardware,
    ImageSpec,
    InstanceSpec,
    NetworkSpec,
    SubnetSpec,
)
from anabranch.states import InstanceAction
from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack import driver
from anabranch_cloudstack.launching import MOST_USER_DATA, refined

NOBODY = "00000000-0000-0000-0000-000000000000"


async def named(cloud, collection, name):
    """The member of a list with a name."""
    found, cursor = [], None
    while True:
        where = ({},) if collection in ("images", "instances") else ()
        page = await getattr(driver, f"list_{collection}")(cloud, cursor, *where)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return next(item for item in found if item.name == name)


async def spec(cloud, **fields):
    image = await named(cloud, "images", fields.pop("image", "ubuntu-24.04"))
    profile = await named(cloud, "hardware_profiles", fields.pop("profile", "Small Instance"))
    zone = await named(cloud, "realms", fields.pop("zone", "adv-1"))
    known = {"image_id": image.id, "hardware_profile_id": profile.id, "realm_id": zone.id}
    return InstanceSpec(**{**known, "name": "web", **fields})


async def first(cloud, state="RUNNING"):
    page = await driver.list_instances(cloud, None, {})
    return next(item for item in page.items if item.state == state)


async def gone(cloud, instance_id):
    with anyio.fail_after(5):
        while True:
            try:
                await driver.get_instance(cloud, instance_id)
            except NotFound:
                return
            await anyio.sleep(0.005)


async def eventually(cloud, instance_id, state):
    with anyio.fail_after(5):
        while True:
            found = await driver.get_instance(cloud, instance_id)
            if found.state == state and not found.busy:
                return found
            await anyio.sleep(0.005)


# ----------------------------------------------------------------------------------------- create


async def test_create_costs_one_request_and_answers_at_once(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.05)) as world:
        cloud = world.cloud
        wanted = await spec(cloud, key_id="demo-key", user_data=b"#cloud-config", client_token="t1")
        with world.costs("deployVirtualMachine"):
            made = await driver.create_instance(cloud, wanted)
        assert (made.state, made.busy, made.name) == ("PENDING", True, "web")
        assert made.authentication.key_id == "demo-key"
        found = await eventually(cloud, made.id, "RUNNING")
        for field in ("name", "image_id", "hardware_profile_id", "realm_id", "key_id"):
            assert getattr(found, field) == getattr(made, field), field
        assert found.client_token == "t1"
        listed = (await driver.list_instances(cloud, None, {})).items
        assert [i.id for i in listed if i.client_token == "t1"] == [made.id]


@pytest.mark.parametrize("version", ["4.11", "4.22"])
async def test_a_token_is_told_to_users_of_every_version(served, version):
    async with served(instances=0, version=version) as world:
        made = await driver.create_instance(world.cloud, await spec(world.cloud, client_token="t"))
        page = await driver.list_instances(world.cloud, None, {})
        assert [(i.id, i.client_token) for i in page.items] == [(made.id, "t")]


async def test_the_most_user_data_is_taken_and_more_is_refused_by_the_cloud(served):
    async with served(instances=0) as world:
        most = await spec(world.cloud, user_data=b"x" * MOST_USER_DATA)
        await driver.create_instance(world.cloud, most)
        more = await spec(world.cloud, name="more", user_data=b"x" * (MOST_USER_DATA + 1))
        with pytest.raises(InvalidRequest, match="User data"):
            await driver.create_instance(world.cloud, more)


async def test_tags_are_given_after_it(served):
    async with served(instances=0) as world:
        wanted = await spec(world.cloud, tags={"team": "a & b", "ünï": "☃"})
        with world.costs("deployVirtualMachine", "createTags"):
            made = await driver.create_instance(world.cloud, wanted)
        assert made.tags == wanted.tags
        assert (await driver.get_instance(world.cloud, made.id)).tags == wanted.tags


async def test_tags_that_fail_leave_the_machine_and_its_id_told(served):
    async with served(instances=0) as world:
        wanted = await spec(world.cloud, tags={"a": "1"})
        world.simulated.behaviour.break_with(["503x9:createTags"])
        with pytest.raises(Exception, match="was made, but its tags were not") as caught:
            await driver.create_instance(world.cloud, wanted)
        (made,) = (await driver.list_instances(world.cloud, None, {})).items
        assert made.id in str(caught.value)


@pytest.mark.parametrize(
    "name", ["two words", "<script>", "9lives", "-x", "x" * 64, "é", 'say "hello" & go', "a" * 255]
)
async def test_names_that_no_host_can_have_are_display_names(served, name):
    async with served(instances=0) as world:
        made = await driver.create_instance(world.cloud, await spec(world.cloud, name=name))
        assert (await driver.get_instance(world.cloud, made.id)).name == name


async def test_a_host_name_is_that_of_the_machine_and_not_taken_twice(served):
    async with served(instances=0) as world:
        made = await driver.create_instance(world.cloud, await spec(world.cloud, name="db-1"))
        assert (await driver.get_instance(world.cloud, made.id)).extra["name"] == "db-1"
        with pytest.raises(Conflict, match="already exists"):
            await driver.create_instance(world.cloud, await spec(world.cloud, name="db-1"))


async def test_what_is_not_named_is_chosen(served):
    async with served(instances=0) as world:
        image = await named(world.cloud, "images", "ubuntu-24.04")
        with world.costs("listZones", "listServiceOfferings", "deployVirtualMachine"):
            made = await driver.create_instance(world.cloud, InstanceSpec(image_id=image.id))
        found = await driver.get_instance(world.cloud, made.id)
        small = await named(world.cloud, "hardware_profiles", "Small Instance")
        zone = await named(world.cloud, "realms", "adv-1")
        assert (found.hardware_profile_id, found.realm_id) == (small.id, zone.id)
        large = await named(world.cloud, "hardware_profiles", "Large Instance")
        other = world.again(zone="basic-1", service_offering=large.id)
        made = await driver.create_instance(other, InstanceSpec(image_id=image.id))
        assert made.hardware_profile_id == large.id
        assert made.realm_id == (await named(world.cloud, "realms", "basic-1")).id
        nowhere = world.again(zone="atlantis")
        with pytest.raises(InvalidRequest, match=r"no zone 'atlantis'.*adv-1"):
            await driver.create_instance(nowhere, InstanceSpec(image_id=image.id))
        for cloud in (other, nowhere):
            await cloud.aclose()


async def test_hardware_of_a_custom_offering(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        wanted = await spec(
            cloud,
            profile="Custom within bounds",
            hardware=Hardware(cpu=3, memory_mib=1024, storage_gb=9),
        )
        with world.costs("listServiceOfferings", "deployVirtualMachine"):
            made = await driver.create_instance(cloud, wanted)
        found = await driver.get_instance(cloud, made.id)
        assert (found.hardware.cpu, found.hardware.memory_mib) == (3, 1024)
        too_much = msgspec.structs.replace(wanted, hardware=Hardware(cpu=5))
        with world.costs("listServiceOfferings"), pytest.raises(InvalidRequest, match="1 to 4"):
            await driver.create_instance(cloud, too_much)
        fixed = await spec(cloud, hardware=Hardware(memory_mib=9999))
        with pytest.raises(InvalidRequest, match="does not allow"):
            await driver.create_instance(cloud, fixed)
        foreign = await spec(cloud, hardware=Hardware(architecture="aarch64"))
        with pytest.raises(InvalidRequest, match="architecture"):
            await driver.create_instance(cloud, foreign)


async def test_a_custom_offering_without_hardware_begins_where_it_says(served):
    async with served(instances=0) as world:
        wanted = await spec(world.cloud, profile="Custom")
        with world.costs("deployVirtualMachine", "listServiceOfferings", "deployVirtualMachine"):
            made = await driver.create_instance(world.cloud, wanted)
        found = await driver.get_instance(world.cloud, made.id)
        profile = await named(world.cloud, "hardware_profiles", "Custom")
        assert found.hardware.cpu == profile.cpu.value
        assert found.hardware.memory_mib == profile.memory_mib.value


@pytest.mark.parametrize("profile", ["Custom", "Custom within bounds"])
async def test_a_custom_offering_begins_where_it_says_with_a_token_too(served, profile):
    # A detail that is no figure changes the words of the refusal.
    async with served(instances=0) as world:
        wanted = await spec(world.cloud, profile=profile, client_token="t")
        with world.costs("deployVirtualMachine", "listServiceOfferings", "deployVirtualMachine"):
            made = await driver.create_instance(world.cloud, wanted)
        assert (await driver.get_instance(world.cloud, made.id)).client_token == "t"


async def test_a_size_of_the_disk_that_is_refused_makes_no_second_disk(served):
    async with served(instances=0) as world:
        wanted = await spec(world.cloud, hardware=Hardware(storage_gb=30))
        text = "Hypervisor LXC does not support rootdisksize override"
        for message in (text, "Unable to use template 7 in this zone's ISO store"):
            refusal = InvalidRequest(message)
            with pytest.raises(InvalidRequest) as caught:
                await refined(world.cloud, wanted, {"rootdisksize": 30, "zoneid": "z"}, refusal)
            assert caught.value is refusal


async def test_an_iso_is_given_a_disk_and_a_hypervisor(served):
    async with served(instances=0) as world:
        wanted = await spec(world.cloud, image="netinst")
        with world.costs(
            "deployVirtualMachine", "listDiskOfferings", "listHypervisors", "deployVirtualMachine"
        ):
            made = await driver.create_instance(world.cloud, wanted)
        assert (await driver.get_instance(world.cloud, made.id)).image_id == wanted.image_id


async def test_security_groups_where_the_zone_has_them(served):
    async with served(instances=0) as world:
        group = await named(world.cloud, "firewalls", "default")
        wanted = await spec(world.cloud, zone="basic-1", firewall_ids=(group.id,))
        made = await driver.create_instance(world.cloud, wanted)
        assert (await driver.get_instance(world.cloud, made.id)).firewall_ids == (group.id,)
        elsewhere = await spec(world.cloud, zone="adv-1", firewall_ids=(group.id,))
        with pytest.raises(InvalidRequest, match="security group"):
            await driver.create_instance(world.cloud, elsewhere)


async def test_networks_and_the_zone_that_follows_from_them(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        other = await driver.create_network(
            cloud, NetworkSpec(name="n2", address_block="10.7.0.0/24")
        )
        image = await named(cloud, "images", "ubuntu-24.04")
        elsewhere = world.again(zone="basic-1")
        vague = InstanceSpec(image_id=image.id, network_ids=(other.id,))
        made = await driver.create_instance(cloud, vague)
        found = await driver.get_instance(cloud, made.id)
        assert found.realm_id == other.realm_id
        assert found.private_addresses[0].address.startswith("10.7.0.")
        with pytest.raises(InvalidRequest, match="Name network_ids"):
            # Two networks would do: CloudStack does not choose.
            await driver.create_instance(cloud, InstanceSpec(image_id=image.id))
        await elsewhere.aclose()


async def test_a_vpc_stands_for_its_first_tier(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        vpc = await driver.create_network(cloud, NetworkSpec(name="v"))
        image = await named(cloud, "images", "ubuntu-24.04")
        wanted = InstanceSpec(image_id=image.id, network_ids=(vpc.id,))
        with pytest.raises(InvalidRequest, match="no subnet"):
            await driver.create_instance(cloud, wanted)
        await driver.create_subnet(
            cloud, SubnetSpec(network_id=vpc.id, address_block="10.9.1.0/24")
        )
        made = await driver.create_instance(cloud, wanted)
        found = await driver.get_instance(cloud, made.id)
        assert found.private_addresses[0].address.startswith("10.9.1.")


@pytest.mark.parametrize(
    "fields",
    [
        {"image_id": NOBODY},
        {"hardware_profile_id": NOBODY},
        {"hardware_profile_id": NOBODY, "hardware": Hardware(cpu=1)},
        {"realm_id": NOBODY},
        {"key_id": "no-such-key"},
        {"network_ids": (NOBODY,)},
        {"firewall_ids": (NOBODY,)},
    ],
)
async def test_what_does_not_exist_is_an_invalid_request(served, fields):
    async with served(instances=0) as world:
        with pytest.raises(InvalidRequest):
            await driver.create_instance(world.cloud, await spec(world.cloud, **fields))
        assert not (await driver.list_instances(world.cloud, None, {})).items


async def test_a_quota_that_is_used_up(served):
    async with served(instances=1, limits={"user_vm": 1}) as world:
        with pytest.raises(QuotaExceeded, match="user_vm"):
            await driver.create_instance(world.cloud, await spec(world.cloud))


async def test_a_deployment_that_fails_is_an_error_with_its_reason(served):
    async with served(instances=0) as world:
        made = await driver.create_instance(
            world.cloud, await spec(world.cloud, profile="Gigantic")
        )
        found = await driver.get_instance(world.cloud, made.id)
        assert (found.state, found.actions) == ("ERROR", (InstanceAction.DESTROY,))
        assert "No destination found" in found.fault
        await driver.destroy_instance(world.cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_instance(world.cloud, made.id)


async def test_who_waits_for_the_deployment_is_told_the_password_or_the_failure(served):
    async with served({"wait_for_deployment": True}, instances=0) as world:
        made = await driver.create_instance(
            world.cloud, await spec(world.cloud, image="debian-12", tags={"a": "b"})
        )
        assert (made.state, made.tags) == ("RUNNING", {"a": "b"})
        assert made.authentication.password.get_secret_value().startswith("pw")
        with pytest.raises(Exception, match="No destination found") as caught:
            await driver.create_instance(
                world.cloud, await spec(world.cloud, name="big", profile="Gigantic")
            )
        left = next(
            i for i in (await driver.list_instances(world.cloud, None, {})).items if i.name == "big"
        )
        assert left.id in str(caught.value)
        assert f"Destroy {left.id}" in str(caught.value)


# ---------------------------------------------------------------------------------------- actions


async def test_stop_and_start(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.05)) as world:
        cloud = world.cloud
        it = await first(cloud)
        with world.costs("listVirtualMachines", "stopVirtualMachine"):
            stopping = await driver.stop_instance(cloud, it.id)
        assert (stopping.state, stopping.busy, stopping.actions) == ("STOPPING", True, ())
        await eventually(cloud, it.id, "STOPPED")
        with world.costs("listVirtualMachines"):  # its effect is there already
            assert (await driver.stop_instance(cloud, it.id)).state == "STOPPED"
        with world.costs("listVirtualMachines", "startVirtualMachine"):
            starting = await driver.start_instance(cloud, it.id)
        assert (starting.state, starting.busy) == ("PENDING", True)
        await eventually(cloud, it.id, "RUNNING")
        with world.costs("listVirtualMachines"):
            assert (await driver.start_instance(cloud, it.id)).state == "RUNNING"


async def test_reboot_is_under_way_until_its_job_has_ended(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.05)) as world:
        it = await first(world.cloud)
        with world.costs("listVirtualMachines", "rebootVirtualMachine"):
            rebooting = await driver.reboot_instance(world.cloud, it.id, True)
        assert (rebooting.state, rebooting.busy) == ("RUNNING", True)
        # CloudStack says Running all the while: the job alone tells.
        assert (await driver.get_instance(world.cloud, it.id)).busy
        await eventually(world.cloud, it.id, "RUNNING")


async def test_actions_that_the_state_forbids(served):
    async with served(instances=8, odd=["error", "migrating"]) as world:
        cloud = world.cloud
        stopped = await first(cloud, "STOPPED")
        error = await first(cloud, "ERROR")
        with world.costs("listVirtualMachines"), pytest.raises(InvalidState, match="Stopped"):
            await driver.reboot_instance(cloud, stopped.id, False)
        for act in (driver.start_instance, driver.stop_instance):
            with world.costs("listVirtualMachines"), pytest.raises(InvalidState, match="Error"):
                await act(cloud, error.id)
        page = await driver.list_instances(cloud, None, {})
        moving = next(i for i in page.items if i.platform_state == "Migrating")
        with pytest.raises(InvalidState, match="Migrating"):
            await driver.reboot_instance(cloud, moving.id, False)
        for act in (driver.start_instance, driver.stop_instance, driver.destroy_instance):
            with pytest.raises(NotFound):
                await act(cloud, NOBODY)


async def test_destroy_expunges_where_the_account_may(served):
    async with served(instances=2) as world:
        it = await first(world.cloud)
        with world.costs("listCapabilities", "destroyVirtualMachine"):
            await driver.destroy_instance(world.cloud, it.id)
        with pytest.raises(NotFound):
            await driver.get_instance(world.cloud, it.id)
        with pytest.raises(NotFound):
            await driver.destroy_instance(world.cloud, it.id)
        assert it.id not in {m.id for m in world.simulated.machines}


async def test_destroy_where_the_account_may_not_expunge(served):
    async with served(instances=2, expunge_by_users=False) as world:
        it = await first(world.cloud)
        await driver.destroy_instance(world.cloud, it.id)
        with pytest.raises(NotFound):
            await driver.get_instance(world.cloud, it.id)
        (left,) = [m for m in world.simulated.machines if m.id == it.id]
        assert left.state == "Destroyed"
        stubborn = world.again(expunge=True)
        with pytest.raises((InvalidRequest, PermissionDenied)):
            await driver.destroy_instance(stubborn, (await first(world.cloud)).id)
        await stubborn.aclose()


async def test_what_is_destroyed_is_not_seen_to_be_there_while_its_job_lasts(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.05)) as world:
        it = await first(world.cloud)
        await driver.destroy_instance(world.cloud, it.id)
        going = await driver.get_instance(world.cloud, it.id)
        assert going.busy
        assert going.state in ("STOPPING", "FINISH")
        await gone(world.cloud, it.id)


async def test_rename(served):
    async with served(instances=1) as world:
        it = await first(world.cloud)
        with world.costs("updateVirtualMachine", "listVirtualMachines"):
            renamed = await driver.rename_instance(world.cloud, it.id, 'R&D "é" 🚀')
        assert renamed.name == 'R&D "é" 🚀'
        with pytest.raises(NotFound):
            await driver.rename_instance(world.cloud, NOBODY, "x")


async def test_tags_are_replaced(served):
    async with served(instances=1) as world:
        cloud = world.cloud
        it = await first(cloud)
        await driver.set_instance_tags(cloud, it.id, {"a": "1", "b": "2", "c": "3"})
        with world.costs("listVirtualMachines", "deleteTags", "createTags"):
            tagged = await driver.set_instance_tags(cloud, it.id, {"b": "2", "c": "4", "d": "5"})
        assert tagged.tags == {"b": "2", "c": "4", "d": "5"}
        assert (await driver.get_instance(cloud, it.id)).tags == tagged.tags
        with world.costs("listVirtualMachines"):
            await driver.set_instance_tags(cloud, it.id, tagged.tags)
        with world.costs("listVirtualMachines", "deleteTags"):
            await driver.set_instance_tags(cloud, it.id, {})
        assert (await driver.get_instance(cloud, it.id)).tags == {}


async def test_tags_that_are_lost_on_the_way_are_told(served):
    async with served(instances=1) as world:
        it = await first(world.cloud)
        await driver.set_instance_tags(world.cloud, it.id, {"a": "1", "b": "2"})
        world.simulated.behaviour.break_with(["503x9:createTags"])
        with pytest.raises(CloudUnavailable, match="the tags a are gone, but no new ones"):
            await driver.set_instance_tags(world.cloud, it.id, {"a": "7", "b": "2"})
        assert (await driver.get_instance(world.cloud, it.id)).tags == {"b": "2"}


async def test_resize(served):
    async with served(instances=8) as world:
        cloud = world.cloud
        large = await named(cloud, "hardware_profiles", "Large Instance")
        stopped = await first(cloud, "STOPPED")
        with world.costs(
            "listVirtualMachines", "changeServiceForVirtualMachine", "listVirtualMachines"
        ):
            resized = await driver.resize_instance(cloud, stopped.id, large.id)
        assert (resized.hardware_profile_id, resized.hardware.memory_mib) == (large.id, 8192)
        with world.costs("listVirtualMachines"):
            await driver.resize_instance(cloud, stopped.id, large.id)
        running = await first(cloud)
        with pytest.raises(InvalidState, match=r"dynamic scaling.*Stop it"):
            await driver.resize_instance(cloud, running.id, large.id)
        with pytest.raises(NotFound):
            await driver.resize_instance(cloud, stopped.id, NOBODY)


async def test_console(served):
    async with served(instances=8) as world:
        cloud = world.cloud
        running = await first(cloud)
        with world.costs("createConsoleEndpoint"):
            console = await driver.get_instance_console(cloud, running.id, None)
        assert console.kind is ConsoleKind.NOVNC
        assert "token=" in console.url.get_secret_value()
        assert "token" not in repr(console)
        with pytest.raises(InvalidRequest, match="novnc"):
            await driver.get_instance_console(cloud, NOBODY, ConsoleKind.SPICE)
        stopped = await first(cloud, "STOPPED")
        with world.costs("createConsoleEndpoint"), pytest.raises(InvalidState) as caught:
            await driver.get_instance_console(cloud, stopped.id, None)
        assert caught.value.message == f"VM {stopped.id} must be running to connect console"
        assert caught.value.remedy == "Start it"
        with pytest.raises(NotFound):
            await driver.get_instance_console(cloud, NOBODY, None)


async def test_an_image_of_a_machine(served):
    async with served(instances=8) as world:
        cloud = world.cloud
        running = await first(cloud)
        with pytest.raises(InvalidState, match="Stop it"):
            await driver.create_image(cloud, ImageSpec(instance_id=running.id))
        stopped = await first(cloud, "STOPPED")
        world.simulated.state.machines[stopped.id].overlay = {"ostypeid": 7}  # as of old
        wanted = ImageSpec(
            instance_id=stopped.id, name="mine", description="my own", tags={"os": "x"}
        )
        with world.costs("listVirtualMachines", "listVolumes", "createTemplate", "createTags"):
            made = await driver.create_image(cloud, wanted)
        assert made.state == "PENDING"
        found = await driver.get_image(cloud, made.id)
        assert (found.name, found.description, found.tags) == ("mine", "my own", {"os": "x"})
        await driver.destroy_image(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_image(cloud, made.id)
        with pytest.raises(InvalidRequest):
            await driver.create_image(cloud, ImageSpec(instance_id=NOBODY))
