"""Who may do what, what the cloud lacks, and that no secret shows."""

import logging

import pytest
import structlog

from anabranch.cloud import Cloud
from anabranch.errors import AuthenticationError, CloudError, CloudUnavailable, PermissionDenied
from anabranch.features import Feature
from anabranch.hooks import COLLECTIONS, PROJECT
from anabranch.models import InstanceSpec, KeySpec
from anabranch_cloudstack import driver
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
