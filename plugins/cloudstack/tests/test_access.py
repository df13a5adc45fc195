"""Who may do what, what the cloud lacks, and that no secret shows."""

import logging

import pytest
import structlog

from anabranch.cloud import Cloud
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    NotFound,
    PermissionDenied,
)
from anabranch.features import Feature
from anabranch.hooks import COLLECTIONS, PROJECT, Lacks
from anabranch.models import InstanceSpec, KeySpec, NetworkSpec
from anabranch_cloudstack import driver
from anabranch_cloudstack.client import session
from anabranch_cloudstack.commands import COMMANDS, FEATURE_COMMANDS

NOT_OFFERED = {
    "buckets": "all",
    "blobs": "all",
    "instances": {"create_instances"},  # CloudStack has no request that makes several
}


def offered():
    names = [n for spec in COLLECTIONS.values() for n in vars(spec) if not n.startswith("_")]
    return {n for n in names if hasattr(getattr(type(driver), n), f"{PROJECT}_impl")}


def test_what_is_offered():
    for collection, spec in COLLECTIONS.items():
        names = {n for n in vars(spec) if not n.startswith("_")}
        missing = NOT_OFFERED.get(collection, set())
        expected = set() if missing == "all" else names - missing
        assert names & offered() == expected, collection


def test_the_commands_of_every_operation_are_known():
    assert set(COMMANDS) == offered()
    assert {operation for operation, _ in FEATURE_COMMANDS} <= offered()


def test_the_driver_keeps_no_state():
    assert not vars(driver)


async def test_check(served):
    async with served(instances=0) as world:
        with world.costs("listCapabilities", "listAccounts"):
            found = await driver.check(world.cloud)
        assert found.account == "demo (domain tenant)"
        assert found.version == "4.22.0.0"
        assert found.endpoint == f"{world.url}/client/api"


async def test_check_of_keys_that_are_wrong(served):
    async with served(instances=0) as world:
        for changes in ({"secret": "wrong-secret"}, {"key": "wrong-key"}):
            stranger = world.again(**changes)
            with pytest.raises(AuthenticationError) as caught:
                await driver.check(stranger)
            assert "wrong" not in str(caught.value)
            await stranger.aclose()


async def test_check_of_a_cloud_that_is_down():
    entry = {"driver": "cloudstack", "endpoint": "http://127.0.0.1:9/client/api"}
    cloud = Cloud("x", driver.configure("x", {**entry, "key": "k", "secret": "s"}, {}))
    with pytest.raises(CloudUnavailable):
        await driver.check(cloud)
    await cloud.aclose()


async def test_a_role_that_may_do_all(served):
    async with served(instances=0) as world:
        with world.costs("listApis", "listZones", "listCapabilities"):
            lacks = await driver.probe(world.cloud)
        assert lacks.operations == {}
        # Machines go to the zone without security groups.
        assert set(lacks.features) == {("create_instance", Feature.FIREWALLS)}
        assert "set zone" in lacks.features["create_instance", Feature.FIREWALLS]
        grouped = world.again(zone="basic-1")
        assert not (await driver.probe(grouped)).features
        await grouped.aclose()
        with world.costs():  # asked once, and kept
            await driver.probe(world.cloud)


async def test_a_role_that_may_only_look(served):
    async with served(user="auditor", instances=1) as world:
        lacks = await driver.probe(world.cloud)
        assert {n for n in offered() if not n.startswith(("list_", "get_"))} <= set(
            lacks.operations
        )
        assert not {n for n in lacks.operations if n.startswith("list_")}
        assert "deployVirtualMachine" in lacks.operations["create_instance"]
        assert lacks.features["create_instance", Feature.TAGS]
        with pytest.raises(PermissionDenied):
            await driver.create_key(world.cloud, KeySpec(name="x"))


async def test_an_old_cloud(served):
    async with served(instances=0, version="4.11.0.0") as world:
        lacks = await driver.probe(world.cloud)
        assert "createConsoleEndpoint" in lacks.operations["get_instance_console"]
        assert "4.16" in lacks.features["reboot_instance", Feature.HARD_REBOOT]
        assert "create_instance" not in lacks.operations


async def test_a_cloud_that_enforces_posts_and_times(served):
    async with served(instances=2, enforce_post=True) as world:
        assert len((await driver.list_instances(world.cloud, None, {})).items) == 2
        await driver.create_key(world.cloud, KeySpec(name="x"))


async def test_no_secret_in_logs_and_errors(served, caplog):
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    caplog.set_level(logging.DEBUG)
    async with served({"retries": 1}, instances=1) as world:
        settings = world.cloud.settings
        secrets = [settings.key.get_secret_value(), settings.secret.get_secret_value()]
        image = (await driver.list_images(world.cloud, None, {})).items[0]
        user_data = b"password-of-the-database"
        errors = []
        for fault in ("503", "reset", "garbage", "401", "lost"):
            world.simulated.behaviour.break_with([fault])
            for call in (
                driver.check(world.cloud),
                driver.list_instances(world.cloud, None, {}),
                driver.create_instance(
                    world.cloud,
                    InstanceSpec(
                        image_id=image.id,
                        user_data=user_data,
                        realm_id="x",
                        hardware_profile_id="y",
                    ),
                ),
            ):
                with pytest.raises(CloudError) as caught:
                    await call
                errors.append(repr(caught.value) + str(caught.value))
        world.simulated.behaviour.break_with([])
        await driver.get_image(world.cloud, image.id)
    assert "http.retry" in caplog.text
    told = caplog.text + "".join(errors)
    for secret in (*secrets, "signature=", "apiKey=", "cGFzc3dvcmQt", "password-of"):
        assert secret not in told


@pytest.fixture
def role_without(monkeypatch):
    """Take commands away from every role of the simulated cloud."""

    def take(world, *commands):
        kind = type(world.simulated.state.accounts["demo"])
        may = kind.may
        monkeypatch.setattr(
            kind,
            "may",
            lambda self, name, *, user: name not in commands and may(self, name, user=user),
        )

    return take


async def test_a_role_that_may_not_ask_what_it_may(served, role_without):
    async with served(instances=0) as world:
        role_without(world, "listApis")
        assert await driver.probe(world.cloud) == Lacks()


async def test_a_role_that_lacks_single_commands(served, role_without):
    async with served(instances=1) as world:
        role_without(
            world, "createTags", "rebootVirtualMachine", "listAccounts", "listCapabilities"
        )
        lacks = await driver.probe(world.cloud)
        assert {"reboot_instance", "set_instance_tags"} <= set(lacks.operations)
        assert "create_instance" not in lacks.operations
        assert ("create_instance", Feature.TAGS) in lacks.features
        (it,) = (await driver.list_instances(world.cloud, None, {})).items
        with pytest.raises(PermissionDenied) as caught:
            await driver.reboot_instance(world.cloud, it.id, False)
        assert caught.value.provider_code == "432"
        assert {q.used for q in await world.everything(world.cloud, "quotas")} == {None}
        await driver.destroy_instance(world.cloud, it.id)  # without expunging
        with pytest.raises(NotFound):
            await driver.get_instance(world.cloud, it.id)
        assert [m.state for m in world.simulated.machines] == ["Destroyed"]


async def test_a_check_of_who_may_not_see_the_account(served, role_without):
    async with served(instances=0) as world:
        role_without(world, "listAccounts")
        assert (await driver.check(world.cloud)).account == "account not told"


async def test_a_project_has_things_of_its_own(served):
    async with served(instances=2) as world:
        made = await session(world.cloud).change("createProject", {"name": "p", "displaytext": "p"})
        inside = world.again(project_id=made.made)
        assert await world.everything(inside, "instances") == []
        assert {
            q.used for q in await world.everything(inside, "quotas") if q.id == "instances"
        } == {0}
        assert (await driver.check(inside)).account.startswith("p")
        network = await driver.create_network(inside, NetworkSpec(address_block="10.7.0.0/24"))
        image = await world.named(inside, "images", "ubuntu-24.04")
        it = await driver.create_instance(
            inside, InstanceSpec(image_id=image.id, network_ids=(network.id,))
        )
        assert [i.id for i in await world.everything(inside, "instances")] == [it.id]
        assert it.id not in {i.id for i in await world.everything(world.cloud, "instances")}
        await inside.aclose()
