"""Usage as metrics, and what is asked of a cloud as a whole."""

import pytest

from anabranch.errors import (
    AuthenticationError,
    NotFound,
)
from anabranch_paci import driver

RUNNING, STOPPED = "lisbon-0001", "lisbon-0008"


async def test_usage_is_told_as_metrics(served):
    async with served(instances=2) as here:
        with here.costs("GET /ve"):
            page = await driver.list_metrics(here.cloud, None)
        assert [m.id for m in page.items] == sorted(here.simulated.state.ves)
        before = here.simulated.requests.total
        found = await driver.get_metric(here.cloud, RUNNING)
        assert here.simulated.requests.total == before + 1
        assert found.series
        assert all(len(s.samples) == 1 and s.samples[0].timestamp.tzinfo for s in found.series)
        with pytest.raises(NotFound):
            await driver.get_metric(here.cloud, "none")


async def test_series(scripted):
    report = (
        '<ve-resource-usage-report ve-name="w" technology="CT">'
        '<resource-usage value="24" resource-usage-type="RUNNING" resource-type="cpu-hours"/>'
        '<resource-usage value="many" resource-type="odd"/>'
        '<ve-traffic traffic-type="PUBLIC_IN" used="1024"/></ve-resource-usage-report>'
    )

    class Any(dict):
        def __missing__(self, key):
            assert key.startswith("GET /ve/w/usage/")
            return report

    async with scripted(Any()) as (_, cloud):
        found = await driver.get_metric(cloud, "w")
        assert [(s.name, s.samples[0].average) for s in found.series] == [
            ("cpu-hours RUNNING", 24),
            ("PUBLIC_IN traffic", 1024),
        ]
        assert found.extra["technology"] == "CT"


# ----------------------------------------------------------------------------- check and probe


async def test_check(served):
    async with served(instances=1) as here:
        with here.costs("GET /ve"):
            who = await driver.check(here.cloud)
        assert (who.account, who.version) == ("demo@example.com", "1.0")
        assert who.endpoint.endswith("/paci/v1.0")
    async with served(instances=1, entry={"password": "wrong"}) as (_, cloud, _counting):
        with pytest.raises(AuthenticationError):
            await driver.check(cloud)
    async with served(instances=1, entry={"subscription": "1000077"}) as (_, cloud, _counting):
        assert (await driver.check(cloud)).account == "demo@example.com (subscription 1000077)"


async def test_an_api_key_does_as_well(served):
    async with served(instances=1, entry={"password": "demo-api-key"}) as (_, cloud, _counting):
        assert await driver.check(cloud)


async def test_what_a_provider_does_not_have(scripted):
    answers = {
        "GET /image": (404, "no such resource"),
        "GET /load-balancer": "<lb-list/>",
        "GET /schedule": (403, ""),
    }
    async with scripted(answers) as (_, cloud):
        lacks = (await driver.probe(cloud)).operations
        assert "404: no such resource" in lacks["create_image"]
        assert "list_storage_snapshots" in lacks
        assert "list_load_balancers" not in lacks
        assert "list_images" not in lacks
        assert not (await driver.list_images(cloud, "images", {})).items


async def test_what_cannot_be_told(scripted):
    answers = {
        "GET /image": "<image-list/>",
        "GET /load-balancer": (401, ""),
        "GET /schedule": "<backup-schedule-list/>",
    }
    async with scripted(answers) as (_, cloud):
        with pytest.raises(AuthenticationError):
            await driver.probe(cloud)
