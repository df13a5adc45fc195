"""What the platform's record leaves open: an OS template alone or in a list, errors as XML or text.

The driver does the same whichever it is.
"""

import pytest

from anabranch import Broker, Configuration, PluginRegistry
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    QuotaExceeded,
)
from anabranch.models import ImageSpec, InstanceSpec, LoadBalancerSpec, StorageSnapshotSpec
from anabranch.testing.walk import Walk
from anabranch_paci import driver
from anabranch_paci.convert import LISTENERS

RUNNING, STOPPED = "lisbon-0001", "lisbon-0008"
LARGER = "lisbon-0003"
SMALLEST = "cpu1-mem512-disk10"


@pytest.mark.parametrize("template_shape", ["template", "template-list"])
@pytest.mark.parametrize("error_shape", ["xml", "text"])
async def test_whatever_is_offered_works(served, template_shape, error_shape):
    async with served(instances=3, template_shape=template_shape, error_shape=error_shape) as here:
        entry = here.simulated.settings(here.cloud.settings.endpoint.removesuffix("/paci/v1.0"))
        registry = PluginRegistry(drivers={"paci": driver}, points=())
        async with Broker(Configuration(clouds={"lisbon": entry}), registry=registry) as broker:

            async def same():
                return broker

            offered = broker.capabilities("lisbon")
            walk = Walk(same, "lisbon", offered, lambda: here.simulated.requests.total)
            assert (await walk.go()).keys() == offered.keys()


def make(**fields):
    given = {"image_id": "template:centos-6-x86_64", "name": "web", **fields}
    return lambda cloud: driver.create_instance(cloud, InstanceSpec(**given))


def backup_of(name):
    return lambda cloud: driver.create_storage_snapshot(
        cloud, StorageSnapshotSpec(instance_id=name)
    )


def image_of(name):
    return lambda cloud: driver.create_image(cloud, ImageSpec(instance_id=name, name="copy"))


REFUSED = [
    (lambda c: driver.get_instance(c, "none"), NotFound, "VE none does not exist"),
    (lambda c: driver.destroy_instance(c, "none"), NotFound, "VE none does not exist"),
    (lambda c: driver.get_image(c, "template:none"), NotFound, "OS template none does not exist"),
    (lambda c: driver.get_image(c, "image:none"), NotFound, "Image none does not exist"),
    (lambda c: driver.get_load_balancer(c, "none"), NotFound, "Load balancer none does not"),
    (backup_of("none"), NotFound, "VE none does not exist"),
    (make(image_id="template:none"), InvalidRequest, "OS template none does not exist"),
    (make(image_id="template:win-2012-std-x86_64"), InvalidRequest, "needs a disk of 40 GB"),
    (make(image_id="template:fedora-core-14-x86_64"), Conflict, "is not active"),
    (make(name=RUNNING), Conflict, f"The name {RUNNING} is in use"),
    (make(name="n" * 256), InvalidRequest, "1 to 255 characters"),
    (make(realm_id="12"), InvalidRequest, "Subscription 12 does not exist"),
    (make(), QuotaExceeded, "Subscription limit for VE number exceeded"),
    (image_of(RUNNING), InvalidState, f"{RUNNING} is STARTED: stop it before image creation"),
    (
        lambda c: driver.get_instance_console(c, STOPPED, None),
        InvalidState,
        f"{STOPPED} is STOPPED: it has no console",
    ),
    (
        lambda c: driver.resize_instance(c, LARGER, SMALLEST),
        InvalidRequest,
        "The disk has 100 GB and cannot shrink to 10",
    ),
    (lambda c: driver.destroy_load_balancer(c, "front"), Conflict, f"detach {RUNNING}"),
    (lambda c: driver.register_instance(c, "back", RUNNING), Conflict, "is attached to front"),
]


@pytest.mark.parametrize("shape", ["xml", "text"])
async def test_refusals_are_of_one_class_and_text(served, shape):
    async with served(
        instances=8, ve_limit=8, error_shape=shape, template_shape="template-list"
    ) as (_, cloud, _counting):
        for name in ("front", "back"):
            spec = LoadBalancerSpec(name=name, listeners=LISTENERS)
            await driver.create_load_balancer(cloud, spec)
        await driver.register_instance(cloud, "front", RUNNING)
        for call, kind, said in REFUSED:
            with pytest.raises(CloudError) as raised:
                await call(cloud)
            assert type(raised.value) is kind, raised.value
            assert said in raised.value.message
            assert "<" not in raised.value.message


@pytest.mark.parametrize("shape", ["xml", "text"])
async def test_refused_credentials(served, shape):
    async with served(instances=1, error_shape=shape, entry={"password": "wr0ng-one"}) as (
        _,
        cloud,
        _counting,
    ):
        for call in (make(), driver.check, lambda c: driver.list_instances(c, None, {})):
            with pytest.raises(
                AuthenticationError, match=r"^Authentication is required\.$"
            ) as told:
                await call(cloud)
            assert "wr0ng" not in str(told.value)


@pytest.mark.parametrize("shape", ["xml", "text"])
async def test_what_runs_is_destroyed_and_rebooted_all_the_same(served, shape):
    async with served(instances=8, error_shape=shape) as (_, cloud, _counting):
        assert (await driver.reboot_instance(cloud, RUNNING, False)).state == "RUNNING"
        await driver.destroy_instance(cloud, RUNNING)
        with pytest.raises(NotFound):
            await driver.get_instance(cloud, RUNNING)
