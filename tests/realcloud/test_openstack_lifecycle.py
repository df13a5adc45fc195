"""The life of an instance on a real nova, through the broker."""

from contextlib import asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from anabranch import (
    AuthenticationError,
    InstanceState,
    InvalidRequest,
    InvalidState,
    NotFound,
    Ops,
    QuotaExceeded,
    SecretStr,
)
from anabranch.models import ConsoleKind, ImageSpec, ImageState, InstanceSpec, KeySpec


@pytest.fixture
def lab(openstack, clean, unique):
    @asynccontextmanager
    async def opened():
        async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
            try:
                yield broker
            finally:
                await clean(broker, unique)

    return opened


async def spec(broker, name, **fields):
    images = {i.name: i.id for i in await broker.images.list()}
    profiles = {p.name: p.id for p in await broker.hardware_profiles.list()}
    return InstanceSpec(
        image_id=images["tiny-linux"],
        hardware_profile_id=profiles["m1.nano"],
        name=name,
        **fields,
    )


async def test_life_of_an_instance(lab, unique):
    async with lab() as broker:
        wanted = await spec(
            broker,
            unique,
            realm_id="az-b",
            key_id="demo-key",
            user_data=b"#cloud-config",
            tags={"team": "a"},
            password=SecretStr("Geheim-1234"),
        )
        made = await broker.instances.create("oslab", wanted)
        assert made.state == InstanceState.PENDING
        assert made.authentication.password.get_secret_value() == "Geheim-1234"
        target = made.qualified_id
        running = await broker.instances.wait(target, InstanceState.RUNNING, timeout=90)
        assert (running.name, running.realm_id, running.key_id) == (unique, "az-b", "demo-key")
        assert running.client_token == made.client_token
        assert running.tags == {"team": "a"}
        assert running.private_addresses

        stopped = await broker.instances.stop(target, wait=60)
        assert stopped.platform_state == "SHUTOFF"
        assert (await broker.instances.stop(target)).state == InstanceState.STOPPED
        for hard in (False, True):
            with pytest.raises(InvalidState):
                await broker.instances.reboot(target, hard=hard)
        assert (await broker.instances.start(target, wait=60)).platform_state == "ACTIVE"
        assert (await broker.instances.start(target)).state == InstanceState.RUNNING
        assert (await broker.instances.reboot(target, wait=60)).platform_state == "ACTIVE"
        rebooted = await broker.instances.reboot(target, hard=True, wait=60)
        assert rebooted.platform_state == "ACTIVE"

        assert (await broker.instances.rename(target, f"{unique}-b")).name == f"{unique}-b"
        tagged = await broker.instances.set_tags(target, {"stage": "test"})
        assert tagged.tags == {"stage": "test"}
        seen = await broker.instances.get(target)
        assert (seen.tags, seen.client_token) == ({"stage": "test"}, made.client_token)

        profiles = {p.name: p.id for p in await broker.hardware_profiles.list()}
        resized = await broker.instances.resize(target, profiles["m1.tiny"], timeout=120)
        assert resized.hardware_profile_id == profiles["m1.tiny"]
        assert resized.platform_state == "ACTIVE"
        with pytest.raises(NotFound):
            await broker.instances.resize(target, "no-such-flavor")

        console = await broker.instances.console(target)
        assert console.url.get_secret_value().startswith("http")
        text = await broker.instances.console(target, ConsoleKind.TEXT)
        assert text.text

        assert await broker.instances.destroy(target, wait=60)
        assert not await broker.instances.destroy(target)


async def test_an_image_of_an_instance(lab, unique):
    async with lab() as broker:
        made = await broker.instances.create("oslab", await spec(broker, unique), wait=90)
        image = await broker.images.create(
            "oslab",
            ImageSpec(
                instance_id=made.id, name=unique, description="what it was", tags={"team": "a"}
            ),
        )
        with anyio.fail_after(60):
            while image.state is not ImageState.AVAILABLE:
                await anyio.sleep(0.3)
                image = await broker.images.get(image.qualified_id)
        assert (image.name, image.description, image.tags) == (
            unique,
            "what it was",
            {"team": "a"},
        )
        owners = await broker.images.list(where={"owner_id": image.owner_id})
        assert image.id in {i.id for i in owners}
        assert await broker.images.destroy(image.qualified_id)
        assert not await broker.images.destroy(image.qualified_id)


async def test_several_instances_by_one_request(lab, unique):
    async with lab() as broker:
        wanted = await spec(broker, unique, realm_id="az-a")
        made = await broker.instances.create_many("oslab", wanted, 3)
        assert sorted(i.name for i in made) == [f"{unique}-{n}" for n in (1, 2, 3)]
        here = await broker.instances.list(where={"realm_id": "az-a"})
        there = await broker.instances.list(where={"realm_id": "az-b"})
        assert {i.id for i in made} <= {i.id for i in here}
        assert not {i.id for i in made} & {i.id for i in there}


STATES = {"RESCUE": InstanceState.RUNNING}


@pytest.mark.parametrize("status", ["PAUSED", "SUSPENDED", "RESCUE", "SHELVED_OFFLOADED"])
async def test_start_wakes_whatever_sleeps(lab, unique, status):
    from anabranch_openstack.client import session
    from anabranch_openstack.servers import act

    action = {"PAUSED": "pause", "SUSPENDED": "suspend", "RESCUE": "rescue"}.get(status, "shelve")
    async with lab() as broker:
        made = await broker.instances.create("oslab", await spec(broker, unique), wait=90)
        cloud = broker._members["oslab"].cloud
        await act(session(cloud), made.id, {action: None})
        await broker.instances.wait(
            made.qualified_id, STATES.get(status, InstanceState.STOPPED), timeout=60
        )
        assert (await broker.instances.get(made.qualified_id)).platform_state == status
        started = await broker.instances.start(made.qualified_id, wait=60)
        assert started.platform_state == "ACTIVE"


async def test_an_instance_that_fails_tells_why(lab, unique):
    async with lab() as broker:
        wanted = await spec(broker, unique, tags={"oslab_fail": "spawn"})
        with pytest.raises(InvalidState, match="Exceeded maximum number of retries"):
            await broker.instances.create("oslab", wanted, wait=90)


async def test_keys(lab, unique):
    async with lab() as broker:
        made = await broker.keys.create("oslab", KeySpec(name=unique))
        assert "PRIVATE KEY" in made.private_key.get_secret_value()
        again = await broker.keys.get(made.qualified_id)
        assert (again.public_key, again.private_key) == (made.public_key, None)
        imported = await broker.keys.create(
            "oslab", KeySpec(name=f"{unique}-2", public_key=made.public_key)
        )
        assert imported.fingerprint == made.fingerprint
        assert await broker.keys.destroy(made.qualified_id)
        assert not await broker.keys.destroy(made.qualified_id)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"realm_id": "nowhere"}, InvalidRequest),
        ({"key_id": "nobody"}, InvalidRequest),
        ({"firewall_ids": ("nothing",)}, InvalidRequest),
        ({"network_ids": ("00000000-0000-0000-0000-000000000000",)}, InvalidRequest),
    ],
)
async def test_what_nova_refuses(lab, unique, fields, kind):
    async with lab() as broker:
        with pytest.raises(kind) as caught:
            await broker.instances.create("oslab", await spec(broker, unique, **fields))
        assert caught.value.request_id.startswith("req-")
        assert caught.value.operation == "create_instance"


async def test_quota(openstack, unique):
    async with await anyio.to_thread.run_sync(openstack, "oslab-tiny") as broker:
        wanted = await spec(broker, unique)
        with pytest.raises(QuotaExceeded):
            await broker.instances.create_many("oslab-tiny", wanted, 50)
        quota = {q.id: q for q in await broker.quotas.list()}
        assert quota["instances"].limit == 2


async def test_a_wrong_password(openstack):
    def make():
        return openstack("oslab", auth={"password": "not-this-one"})

    async with await anyio.to_thread.run_sync(make) as broker:
        with pytest.raises(AuthenticationError) as caught:
            await broker.call("oslab", Ops.get_realm, realm_id="az-a")
        assert "not-this-one" not in str(caught.value)


async def test_a_token_that_was_revoked(openstack):
    """The token is thrown away at the first refusal; nobody notices."""
    async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
        from anabranch.cloud import Token
        from anabranch_openstack.client import session

        nova = session(broker._members["oslab"].cloud)
        real = await nova.token()
        broken = Token(value=SecretStr("gAAAAA-not-a-token"), lifetime=3600, data=real.data)
        nova.cloud.tokens.discard("keystone", real)

        async def wrong():
            return broken

        await nova.cloud.tokens.get("keystone", wrong)
        for collection in (broker.instances, broker.images):
            assert (await collection.list()).complete
