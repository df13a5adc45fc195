"""Every operation over the wire, against the simulator, with the requests that it costs."""

from contextlib import contextmanager

import anyio
import httpx
import msgspec
import pytest

from anabranch.cloud import Cloud
from anabranch.errors import (
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    QuotaExceeded,
)
from anabranch.models import ConsoleKind, ImageSpec, InstanceSpec, KeySpec
from anabranch.redaction import SecretStr
from anabranch.testing.simulation import Behaviour
from anabranch_openstack import driver
from anabranch_openstack.client import session
from anabranch_openstack.servers import act

PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFh7mGzCNT4k56QKRNidEALQdi3f0qtthbce3db4XPZU demo@oslab"
)


@contextmanager
def costs(simulated, *lines, at_once=False):
    """The requests of the block: method, and the end of the path.

    Those that are sent at once come in any order.
    """
    before = len(simulated.requests)
    yield
    asked = list(simulated.requests)[before:]
    asked = sorted(asked) if at_once else asked
    assert [r.method for r in asked] == [line.split()[0] for line in lines], asked
    for request, line in zip(asked, lines, strict=True):
        assert request.path.endswith(line.split()[1]), asked


async def ready(cloud):
    """Log in, and ask for the microversions, so that a test counts what comes after."""
    await driver.check(cloud)


async def spec(cloud, **fields):
    image = (await driver.list_images(cloud, None, {})).items[0]
    profile = (await driver.list_hardware_profiles(cloud, None)).items[0]
    return InstanceSpec(
        **{"image_id": image.id, "hardware_profile_id": profile.id, "name": "web", **fields}
    )


async def first(cloud):
    return (await driver.list_instances(cloud, None, {})).items[0]


async def eventually(cloud, instance_id, platform_state):
    with anyio.fail_after(5):
        while True:
            found = await driver.get_instance(cloud, instance_id)
            if found.platform_state == platform_state:
                return found
            await anyio.sleep(0.01)


# ------------------------------------------------------------------------------------------ lists


async def test_lists_cost_one_request(served):
    async with served(instances=5) as (simulated, cloud, _):
        await ready(cloud)
        with costs(simulated, "GET /os-availability-zone"):
            realms = await driver.list_realms(cloud, None)
        with costs(simulated, "GET /flavors/detail"):
            profiles = await driver.list_hardware_profiles(cloud, None)
        with costs(simulated, "GET /images"):
            images = await driver.list_images(cloud, None, {})
        with costs(simulated, "GET /os-keypairs"):
            keys = await driver.list_keys(cloud, None)
        with costs(simulated, "GET /servers/detail"):
            instances = await driver.list_instances(cloud, None, {})
        for page in (realms, profiles, images, keys, instances):
            assert page.items
            assert not page.problems
        ids = {p.id for p in profiles.items}
        assert all(i.hardware_profile_id in ids for i in instances.items)


async def test_one_of_each(served):
    async with served(instances=1) as (_, cloud, _url):
        for name in ("realm", "hardware_profile", "key"):
            page = await getattr(driver, f"list_{name}s")(cloud, None)
            found = await getattr(driver, f"get_{name}")(cloud, page.items[0].id)
            assert found == page.items[0] or found.id == page.items[0].id
            with pytest.raises(NotFound):
                await getattr(driver, f"get_{name}")(cloud, "no/such thing")
        image = (await driver.list_images(cloud, None, {})).items[0]
        assert (await driver.get_image(cloud, image.id)).name == image.name
        instance = await first(cloud)
        assert (await driver.get_instance(cloud, instance.id)).name == instance.name
        for get in (driver.get_image, driver.get_instance):
            with pytest.raises(NotFound):
                await get(cloud, "00000000-0000-0000-0000-000000000000")


async def test_filters(served):
    async with served(instances=6) as (_, cloud, _url):
        everything = (await driver.list_instances(cloud, None, {})).items
        here = (await driver.list_instances(cloud, None, {"realm_id": "az-a"})).items
        assert {i.id for i in here} == {i.id for i in everything if i.realm_id == "az-a"}
        owner = (await driver.list_images(cloud, None, {})).items[0].owner_id
        assert (await driver.list_images(cloud, None, {"owner_id": owner})).items
        assert not (await driver.list_images(cloud, None, {"owner_id": "nobody"})).items


# ----------------------------------------------------------------------------------------- create


async def test_create_costs_one_request_and_answers_in_full(served):
    async with served(instances=1) as (simulated, cloud, _):
        wanted = await spec(
            cloud,
            realm_id="az-b",
            key_id="demo-key",
            password=SecretStr("hush-hush"),
            user_data=b"#cloud-config",
            tags={"team": "a"},
            client_token="token-1",
        )
        await ready(cloud)
        with costs(simulated, "POST /servers"):
            made = await driver.create_instance(cloud, wanted)
        assert (made.state, made.busy, made.name, made.realm_id) == ("PENDING", True, "web", "az-b")
        assert made.authentication.password.get_secret_value() == "hush-hush"
        assert "hush" not in repr(made)
        found = await eventually(cloud, made.id, "ACTIVE")
        for field in ("name", "image_id", "hardware_profile_id", "key_id", "owner_id", "realm_id"):
            assert getattr(found, field) == getattr(made, field), field
        assert (found.tags, found.client_token) == ({"team": "a"}, "token-1")
        assert found.authentication is None


async def test_create_chooses_the_smallest_profile(served):
    async with served(instances=1) as (_, cloud, _url):
        profiles = (await driver.list_hardware_profiles(cloud, None)).items
        smallest = min(profiles, key=lambda p: p.memory_mib.value)
        made = await driver.create_instance(cloud, await spec(cloud, hardware_profile_id=None))
        assert made.hardware_profile_id == smallest.id
        other = msgspec.structs.replace(cloud.settings, default_hardware_profile=profiles[-1].id)
        configured = Cloud("lisbon", other)
        made = await driver.create_instance(configured, await spec(cloud, hardware_profile_id=None))
        assert made.hardware_profile_id == profiles[-1].id
        await configured.aclose()


async def test_create_without_a_name(served):
    async with served(instances=1) as (_, cloud, _url):
        made = await driver.create_instance(cloud, await spec(cloud, name=None, client_token="tok"))
        assert made.name == "anabranch-tok"
        assert (await driver.get_instance(cloud, made.id)).name == made.name


@pytest.mark.parametrize("word", ["none", "auto"])
async def test_a_default_network_by_word(served, word):
    async with served(instances=1, entry={"default_network": word}) as (simulated, cloud, _):
        wanted = await spec(cloud)
        with costs(simulated, "POST /servers"):
            made = await driver.create_instance(cloud, wanted)
        found = await eventually(cloud, made.id, "ACTIVE")
        assert bool(found.private_addresses) == (word == "auto")


async def test_several_networks_demand_a_choice(served):
    """The reply of nova, which the simulator's one network never provokes."""
    async with served(instances=1) as (_, cloud, _url):
        wanted = await spec(cloud)
        nova = session(cloud)
        original = nova.request

        async def refuse(*args, **options):
            if args[1] == "POST":
                raise Conflict(
                    "Multiple possible networks found, use a Network ID to be more specific."
                )
            return await original(*args, **options)

        nova.request = refuse
        with pytest.raises(InvalidRequest, match="Name network_ids, or set default_network"):
            await driver.create_instance(cloud, wanted)


async def test_several_at_once(served):
    async with served(instances=2) as (simulated, cloud, _):
        wanted = await spec(cloud, tags={"batch": "1"}, client_token="token-3")
        await ready(cloud)
        with costs(simulated, "POST /servers", "GET /servers/detail"):
            made = await driver.create_instances(cloud, wanted, 3)
        assert sorted(i.name for i in made) == ["web-1", "web-2", "web-3"]
        assert {i.client_token for i in made} == {"token-3"}


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"hardware_profile_id": "999"}, InvalidRequest),
        ({"realm_id": "nowhere"}, InvalidRequest),
        ({"key_id": "nobody"}, InvalidRequest),
        ({"user_data": b"x" * 50_000}, InvalidRequest),
        ({"tags": {"anabranch:client_token": "mine"}}, InvalidRequest),
    ],
)
async def test_what_create_refuses(served, fields, kind):
    async with served(instances=1) as (_, cloud, _url):
        with pytest.raises(kind):
            await driver.create_instance(cloud, await spec(cloud, **fields))


async def test_quota(served):
    async with served(instances=1) as lisbon:
        entry = lisbon.simulated.settings(lisbon.url, project="tiny")
        cloud = Cloud("lisbon", driver.configure("lisbon", entry, {}))
        with pytest.raises(QuotaExceeded):
            await driver.create_instances(cloud, await spec(cloud), 50)
        await cloud.aclose()


async def test_who_may_only_read(served):
    async with served(instances=1) as lisbon:
        entry = lisbon.simulated.settings(lisbon.url, user="auditor")
        cloud = Cloud("lisbon", driver.configure("lisbon", entry, {}))
        with pytest.raises(PermissionDenied):
            await driver.create_instance(cloud, await spec(cloud))
        await cloud.aclose()


@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_a_create_whose_answer_is_lost_is_not_sent_again(served):
    async with served(instances=1) as (simulated, cloud, _):
        wanted = await spec(cloud)
        await ready(cloud)
        simulated.behaviour.break_with(["reset:POST /servers"])
        before = simulated.requests.count("/servers", "POST")
        with pytest.raises(OutcomeUnknown):
            await driver.create_instance(cloud, wanted)
        assert simulated.requests.count("/servers", "POST") == before + 1


async def test_secrets_that_are_refused_are_not_repeated(served):
    async with served(instances=1) as (_, cloud, _url):
        wanted = await spec(cloud, password=SecretStr("x" * 5 + "hush"), realm_id="nowhere")
        with pytest.raises(InvalidRequest) as caught:
            await driver.create_instance(cloud, wanted)
        assert "hush" not in str(caught.value)


# ---------------------------------------------------------------------------------------- actions


async def test_stop_and_start(served):
    async with served(instances=1) as (simulated, cloud, _):
        instance = await first(cloud)
        with costs(simulated, f"GET /servers/{instance.id}", "POST /action", at_once=True):
            await driver.stop_instance(cloud, instance.id)
        assert (await eventually(cloud, instance.id, "SHUTOFF")).state == "STOPPED"
        assert (await driver.stop_instance(cloud, instance.id)).state == "STOPPED"
        with costs(simulated, f"GET /servers/{instance.id}", "POST /action", at_once=True):
            await driver.start_instance(cloud, instance.id)
        assert (await eventually(cloud, instance.id, "ACTIVE")).state == "RUNNING"
        assert (await driver.start_instance(cloud, instance.id)).state == "RUNNING"


@pytest.mark.parametrize("call", [("start",), ("stop",), ("reboot", False)])
async def test_the_server_is_looked_at_while_nova_is_told_to_act(served, call):
    action, *arguments = call
    async with served(instances=1) as (simulated, cloud, _):
        instance = await first(cloud)
        simulated.behaviour.break_with(["hang:POST /action"])
        async with anyio.create_task_group() as group:
            act = getattr(driver, f"{action}_instance")
            group.start_soon(act, cloud, instance.id, *arguments)
            with anyio.fail_after(5):
                while True:
                    if simulated.requests.count(f"/servers/{instance.id}", "GET"):
                        break
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()


async def test_what_was_looked_at_before_it_was_told_is_under_way(served, monkeypatch):
    async def accepted(*args, **kwargs):
        await anyio.sleep(0.3)

    monkeypatch.setattr("anabranch_openstack.servers.act", accepted)
    async with served(instances=1) as (_, cloud, _url):
        instance = await first(cloud)
        found = await driver.stop_instance(cloud, instance.id)
        assert (found.state, found.platform_state) == ("STOPPING", "ACTIVE/powering-off")
        assert found.busy
        assert "reboot" not in found.actions
        found = await driver.reboot_instance(cloud, instance.id, False)
        assert (found.state, found.platform_state) == ("RUNNING", "ACTIVE/rebooting")
        found = await driver.start_instance(cloud, instance.id)
        assert (found.state, found.busy) == ("RUNNING", False)


async def test_an_action_shows_in_the_state_at_once(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.3)) as (_, cloud, _url):
        instance = await first(cloud)
        stopping = await driver.stop_instance(cloud, instance.id)
        assert (stopping.state, stopping.busy) == ("STOPPING", True)
        assert (await driver.stop_instance(cloud, instance.id)).state == "STOPPING"
        with pytest.raises(InvalidState):
            await driver.start_instance(cloud, instance.id)
        await eventually(cloud, instance.id, "SHUTOFF")
        assert (await driver.start_instance(cloud, instance.id)).state == "PENDING"
        assert (await driver.start_instance(cloud, instance.id)).state == "PENDING"


@pytest.mark.parametrize(
    ("action", "status"),
    [("pause", "PAUSED"), ("suspend", "SUSPENDED"), ("shelve", "SHELVED_OFFLOADED")],
)
async def test_start_wakes_whatever_sleeps(served, action, status):
    async with served(instances=1) as (_, cloud, _url):
        instance = await first(cloud)
        await act(session(cloud), instance.id, {action: None})
        await eventually(cloud, instance.id, status)
        assert (await driver.stop_instance(cloud, instance.id)).state == "STOPPED"
        await driver.start_instance(cloud, instance.id)
        await eventually(cloud, instance.id, "ACTIVE")


async def test_stop_leaves_alone_what_is_being_destroyed(served):
    async with served(instances=1, odd=["deleting"]) as (_, cloud, _url):
        page = await driver.list_instances(cloud, None, {})
        going = next(i for i in page.items if i.platform_state.endswith("deleting"))
        with pytest.raises(InvalidState):
            await driver.stop_instance(cloud, going.id)


@pytest.mark.parametrize("hard", [False, True])
async def test_reboot(served, hard):
    async with served(instances=1) as (_, cloud, _url):
        instance = await first(cloud)
        assert (await driver.reboot_instance(cloud, instance.id, hard)).state == "RUNNING"
        await driver.stop_instance(cloud, instance.id)
        await eventually(cloud, instance.id, "SHUTOFF")
        with pytest.raises(InvalidState):
            await driver.reboot_instance(cloud, instance.id, hard)
        assert (await driver.get_instance(cloud, instance.id)).state == "STOPPED"


async def test_rename_and_tags(served):
    async with served(instances=1) as (_, cloud, _url):
        made = await driver.create_instance(
            cloud, await spec(cloud, tags={"old": "1"}, client_token="token-1")
        )
        assert (await driver.rename_instance(cloud, made.id, "db")).name == "db"
        tagged = await driver.set_instance_tags(cloud, made.id, {"new": "2"})
        assert (tagged.tags, tagged.client_token) == ({"new": "2"}, "token-1")
        found = await driver.get_instance(cloud, made.id)
        assert (found.tags, found.client_token, found.name) == ({"new": "2"}, "token-1", "db")


async def test_resize_confirms_by_itself(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.2)) as (_, cloud, _url):
        instance = await first(cloud)
        profiles = (await driver.list_hardware_profiles(cloud, None)).items
        other = next(p for p in profiles if p.id != instance.hardware_profile_id)
        resized = await driver.resize_instance(cloud, instance.id, other.id)
        assert (resized.platform_state, resized.hardware_profile_id) == ("ACTIVE", other.id)
        again = await driver.resize_instance(cloud, instance.id, other.id)
        assert again.hardware_profile_id == other.id
        with pytest.raises(NotFound):
            await driver.resize_instance(cloud, instance.id, "no-such-flavor")


async def test_a_resize_that_was_cancelled_goes_on_when_asked_for_again(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.3)) as (_, cloud, _url):
        instance = await first(cloud)
        profiles = (await driver.list_hardware_profiles(cloud, None)).items
        one, two = [p.id for p in profiles if p.id != instance.hardware_profile_id][:2]
        with anyio.move_on_after(0.15) as scope:
            await driver.resize_instance(cloud, instance.id, one)
        assert scope.cancelled_caught
        await eventually(cloud, instance.id, "VERIFY_RESIZE")
        with pytest.raises(InvalidState):
            await driver.resize_instance(cloud, instance.id, two)
        resized = await driver.resize_instance(cloud, instance.id, one)
        assert (resized.platform_state, resized.hardware_profile_id) == ("ACTIVE", one)


async def test_a_resize_has_a_deadline(served):
    behaviour = Behaviour(state_delay=30)
    async with served(instances=1, behaviour=behaviour, entry={"resize_timeout": 0.2}) as (
        _,
        cloud,
        _url,
    ):
        instance = await first(cloud)
        profiles = (await driver.list_hardware_profiles(cloud, None)).items
        other = next(p for p in profiles if p.id != instance.hardware_profile_id)
        with pytest.raises(
            DeadlineExceeded, match=r"within 0\.2 s\. Ask for the same resize again"
        ):
            await driver.resize_instance(cloud, instance.id, other.id)


async def test_consoles(served):
    async with served(instances=1) as (_, cloud, _url):
        instance = await first(cloud)
        usual = await driver.get_instance_console(cloud, instance.id, None)
        assert usual.kind == ConsoleKind.NOVNC
        assert httpx.URL(usual.url.get_secret_value()).scheme == "http"
        assert "token" not in repr(usual)
        text = await driver.get_instance_console(cloud, instance.id, ConsoleKind.TEXT)
        assert text.text
        with pytest.raises(InvalidRequest, match=r"no console of kind vnc\. Ask for one of: novnc"):
            await driver.get_instance_console(cloud, instance.id, ConsoleKind.VNC)


async def test_destroy(served):
    async with served(instances=1) as (simulated, cloud, _):
        instance = await first(cloud)
        with costs(simulated, f"DELETE /servers/{instance.id}"):
            await driver.destroy_instance(cloud, instance.id)
        with pytest.raises(NotFound):
            await driver.destroy_instance(cloud, instance.id)


# ------------------------------------------------------------------------------- images and keys


async def test_images_of_instances(served):
    async with served(instances=1) as (simulated, cloud, _):
        instance = await first(cloud)
        await ready(cloud)
        wanted = ImageSpec(
            instance_id=instance.id, name="copy", description="of web", tags={"team": "a"}
        )
        before = len(simulated.requests)
        made = await driver.create_image(cloud, wanted)
        assert [r.method for r in list(simulated.requests)[before:]] == ["POST", "GET"]
        assert (made.name, made.description, made.tags) == ("copy", "of web", {"team": "a"})
        assert made.public is False
        await driver.destroy_image(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_image(cloud, made.id)
        nameless = await driver.create_image(cloud, ImageSpec(instance_id=instance.id))
        assert nameless.name == f"image of {instance.id}"


async def test_an_image_whose_id_is_known_does_not_get_lost(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        instance = await first(cloud)
        await ready(cloud)
        simulated.behaviour.break_with(["503:/images"])
        made = await driver.create_image(cloud, ImageSpec(instance_id=instance.id, name="copy"))
        simulated.behaviour.break_with([])
        assert (made.state, made.name) == ("PENDING", "copy")
        assert (await driver.get_image(cloud, made.id)).name == "copy"


async def test_an_old_nova_tells_the_image_in_a_header(served):
    async with served(instances=1, max_microversion=40) as (_, cloud, _url):
        instance = await first(cloud)
        made = await driver.create_image(cloud, ImageSpec(instance_id=instance.id, name="copy"))
        assert made.name == "copy"


@pytest.mark.parametrize(
    "fields", [{"tags": {"status": "x"}}, {"description": "x" * 256}, {"tags": {"t": "x" * 256}}]
)
async def test_what_an_image_cannot_hold(served, fields):
    async with served(instances=1) as (_, cloud, _url):
        instance = await first(cloud)
        with pytest.raises(InvalidRequest):
            await driver.create_image(cloud, ImageSpec(instance_id=instance.id, **fields))


async def test_an_image_of_others_stays(served):
    async with served(instances=1) as (_, cloud, _url):
        public = next(i for i in (await driver.list_images(cloud, None, {})).items if i.public)
        with pytest.raises(PermissionDenied):
            await driver.destroy_image(cloud, public.id)


async def test_keys(served):
    async with served(instances=1) as (_, cloud, _url):
        made = await driver.create_key(cloud, KeySpec(name="made"))
        assert "PRIVATE KEY" in made.private_key.get_secret_value()
        assert "PRIVATE KEY" not in repr(made)
        assert "private_key" not in made.extra
        assert (await driver.get_key(cloud, "made")).private_key is None
        imported = await driver.create_key(cloud, KeySpec(name="mine", public_key=PUBLIC_KEY))
        assert (imported.public_key, imported.private_key) == (PUBLIC_KEY, None)
        with pytest.raises(Conflict):
            await driver.create_key(cloud, KeySpec(name="mine", public_key=PUBLIC_KEY))
        for name in ("made", "mine"):
            await driver.destroy_key(cloud, name)
        with pytest.raises(NotFound):
            await driver.destroy_key(cloud, "mine")
