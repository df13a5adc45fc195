"""What the account may use, as all services tell it."""

import msgspec
import pytest

from anabranch.errors import CloudUnavailable
from anabranch_openstack import driver
from anabranch_openstack.client import session


async def test_all_services_are_asked_once_and_at_once(served):
    async with served(instances=5) as (simulated, cloud, _):
        await driver.check(cloud)
        before = len(simulated.requests)
        page = await driver.list_quotas(cloud, None)
        asked = sorted(r.path.split("/")[1] for r in list(simulated.requests)[before:])
        assert asked == ["compute", "load-balancer", "network", "volume"]
        assert not page.problems
        found = {q.id: (q.limit, q.used) for q in page.items}
        assert found["instances"][1] == 5
        assert found["addresses"] == (200, 2)
        assert found["networks"] == (100, 1)
        assert found["firewalls"][1] == 2
        assert found["load_balancers"] == (None, None)
        assert "volumes" in found


async def test_a_service_that_is_down_is_a_problem_of_the_page(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        await driver.check(cloud)
        simulated.behaviour.break_with(["503:/network", "503:/load-balancer"])
        page = await driver.list_quotas(cloud, None)
        assert {q.id for q in page.items} >= {"instances", "volumes"}
        assert "addresses" not in {q.id for q in page.items}
        assert sorted(p.message.split(" are ")[0] for p in page.problems) == [
            "quotas of load_balancer",
            "quotas of network",
        ]
        simulated.behaviour.break_with(["503"])
        with pytest.raises(CloudUnavailable):
            await driver.list_quotas(cloud, None)


async def test_a_cloud_tells_the_quotas_of_what_it_has(served):
    async with served(instances=1) as (simulated, cloud, _):
        access = await session(cloud).access()
        kept = [s for s in access.catalog if s.type == "network"]
        msgspec.structs.force_setattr(access, "catalog", kept)
        before = len(simulated.requests)
        page = await driver.list_quotas(cloud, None)
        assert len(simulated.requests) == before + 1
        assert {q.id for q in page.items} >= {"addresses", "firewalls"}


async def test_a_neutron_that_tells_limits_alone(served):
    async with served(instances=1) as (_, cloud, _url):
        api = session(cloud)
        original = api.request

        async def without_details(service, method, path, **options):
            target = path.replace("details.json", "no.json")
            return await original(service, method, target, **options)

        api.request = without_details
        page = await driver.list_quotas(cloud, None)
        assert not page.problems
        assert {q.id: (q.limit, q.used) for q in page.items}["networks"] == (100, None)
