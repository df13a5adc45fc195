"""Lists, and the small collections, over the wire, with what each operation costs."""

import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.models import (
    KeySpec,
)
from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack import driver
from anabranch_cloudstack.client import session

NOBODY = "00000000-0000-0000-0000-000000000000"
PUBLIC_KEY = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFh7mGzCNT4k56QKRNidEALQdi3f0qtthbce3db4XPZU demo@lab"
)


@pytest.mark.parametrize(
    ("collection", "commands"),
    [
        ("realms", ["listZones"]),
        ("hardware_profiles", ["listServiceOfferings"]),
        ("images", [*["listTemplates"] * 3, *["listIsos"] * 3]),
        ("keys", ["listSSHKeyPairs"]),
        (
            "firewalls",
            [
                "listSecurityGroups",
                "listFirewallRules",
                "listPublicIpAddresses",
                "listNetworkACLs",
                "listNetworkACLLists",
            ],
        ),
        ("addresses", ["listPublicIpAddresses"]),
        ("load_balancers", ["listLoadBalancerRules"]),
        ("storage_volumes", ["listVolumes"]),
        ("storage_snapshots", ["listSnapshots"]),
        ("networks", ["listNetworks", "listVPCs"]),
        ("subnets", ["listNetworks"]),
        ("network_interfaces", ["listVirtualMachines"]),
        ("metrics", ["listVirtualMachines"]),
        ("quotas", ["listAccounts", "listResourceLimits"]),
    ],
)
async def test_what_a_list_costs_however_long_it_is(served, collection, commands):
    async with served(instances=30) as world:
        with world.costs(*commands):
            found = await world.everything(world.cloud, collection)
        assert found or collection in ("load_balancers", "storage_snapshots")
        assert len({item.id for item in found}) == len(found)


@pytest.mark.parametrize(
    "singular",
    [
        *("realm", "hardware_profile", "key", "firewall", "address", "storage_volume", "network"),
        *("subnet", "network_interface", "image", "metric"),
    ],
)
async def test_one_of_each(served, singular):
    async with served(instances=8) as world:
        get = getattr(driver, f"get_{singular}")
        plural = "addresses" if singular == "address" else f"{singular}s"
        for item in (await world.everything(world.cloud, plural))[:3]:
            found = await get(world.cloud, item.id)
            assert (found.id, found.name) == (item.id, item.name)
        for absent in (NOBODY, "no such thing"):
            with pytest.raises(NotFound):
                await get(world.cloud, absent)


async def test_nothing_is_there_for_who_has_nothing(served):
    async with served(user="other", instances=5) as world:
        for collection in ("instances", "storage_volumes", "addresses", "load_balancers", "keys"):
            assert await world.everything(world.cloud, collection) == []


async def test_an_administrator_sees_all_accounts_if_so_configured(served):
    async with served(user="admin", instances=5) as world:
        assert await world.everything(world.cloud, "instances") == []
        everywhere = world.again(user="admin", list_all=True)
        assert len(await world.everything(everywhere, "instances")) == 5
        await everywhere.aclose()


async def test_realms(served):
    async with served(instances=0) as world:
        realms = {r.name: r.state for r in await world.everything(world.cloud, "realms")}
        assert realms["adv-1"] == "AVAILABLE"
        assert realms.get("off-1", "UNAVAILABLE") == "UNAVAILABLE"


async def test_images_of_all_zones_are_one_and_filters_hold(served):
    async with served(instances=0) as world:
        images = await world.everything(world.cloud, "images")
        assert {i.name for i in images} == {"ubuntu-24.04", "debian-12", "golden", "netinst"}
        own = await driver.list_images(world.cloud, None, {"owner_id": "demo"})
        assert [i.name for i in own.items] == ["golden"]
        none = await driver.list_images(world.cloud, None, {"architecture": "aarch64"})
        assert none.items == []
        with pytest.raises(NotFound):
            await driver.destroy_image(world.cloud, NOBODY)


async def test_an_iso_is_an_image_like_a_template(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        zone = await world.named(cloud, "realms", "adv-1")
        # Not ready yet, so that the first filters do not show it.
        world.simulated.behaviour = Behaviour(state_delay=30)
        parameters = {"name": "mine", "displaytext": "mine", "zoneid": zone.id}
        await session(cloud).change(
            "registerIso", {**parameters, "url": "http://images.example/mine.iso"}
        )
        mine = await world.named(cloud, "images", "mine")
        for iso in (mine, await world.named(cloud, "images", "netinst")):
            assert (await driver.get_image(cloud, iso.id)).name == iso.name
        world.simulated.behaviour = Behaviour()
        await driver.destroy_image(cloud, mine.id)
        for act in (driver.get_image, driver.destroy_image):
            with pytest.raises(NotFound):
                await act(cloud, mine.id)


async def test_keys(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        with world.costs("createSSHKeyPair"):
            made = await driver.create_key(cloud, KeySpec(name="mine"))
        assert "PRIVATE KEY" in made.private_key.get_secret_value()
        with world.costs("registerSSHKeyPair"):
            imported = await driver.create_key(cloud, KeySpec(name="old", public_key=PUBLIC_KEY))
        assert imported.private_key is None
        assert (await driver.get_key(cloud, "old")).fingerprint == imported.fingerprint
        with pytest.raises(Conflict):
            await driver.create_key(cloud, KeySpec(name="mine"))
        with pytest.raises(InvalidRequest):
            await driver.create_key(cloud, KeySpec(name="bad", public_key="nonsense"))
        await driver.destroy_key(cloud, "mine")
        with pytest.raises(NotFound):
            await driver.destroy_key(cloud, "mine")


async def test_metrics_of_a_machine(served):
    async with served(instances=2) as world:
        cloud = world.cloud
        it = await world.machine(cloud)
        with world.costs("listApis", "listVirtualMachinesUsageHistory"):
            metric = await driver.get_metric(cloud, it.id)
        with world.costs("listVirtualMachinesUsageHistory"):
            await driver.get_metric(cloud, it.id)
        by_name = {series.name: series for series in metric.series}
        assert by_name["cpuused"].unit == "Percent"
        assert by_name["cpuused"].samples
        assert all(0 <= s.average <= 100 for s in by_name["cpuused"].samples)
        times = [s.timestamp for s in by_name["networkkbsread"].samples]
        assert times == sorted(times)
        listed = (await world.everything(cloud, "metrics"))[0]
        assert [s.name for s in listed.series] == [s.name for s in metric.series]
        with pytest.raises(NotFound):
            await driver.get_metric(cloud, NOBODY)


async def test_metrics_of_a_cloud_that_keeps_no_history(served):
    async with served(instances=2, version="4.16.0.0") as world:
        it = await world.machine(world.cloud)
        with world.costs("listApis", "listVirtualMachines"):
            metric = await driver.get_metric(world.cloud, it.id)
        assert len(metric.series[0].samples) == 1


async def test_quotas(served):
    async with served(instances=3, limits={"cpu": 40}) as world:
        quotas = {q.id: q for q in await world.everything(world.cloud, "quotas")}
        assert quotas["instances"].used == 3
        assert quotas["cpu"].limit == 40
        assert quotas["cpu"].used >= 3
        assert quotas["memory"].unit == "MiB"
