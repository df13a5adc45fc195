"""Metrics on the real gnocchi, where the cloud has one."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from anabranch.errors import NotFound
from anabranch_openstack import driver
from anabranch_openstack.catalog import METRIC
from anabranch_openstack.client import session

from .pages import everything

NOBODY = "00000000-0000-0000-0000-000000000000"


async def gnocchi(lab):
    found = session(lab.cloud)
    if not await found.offers(METRIC):
        pytest.skip("the cloud's catalog has no service of type 'metric'")
    return found


async def measured(lab, **policies):
    """Something with series of these policies, measured for the last five minutes."""
    asked = await gnocchi(lab)
    ident = str(uuid.uuid4())
    access = await asked.access()
    wanted = {
        "id": ident,
        "display_name": lab.name,
        "project_id": access.project.id,
        "metrics": {n: {"archive_policy_name": p, "unit": "MB"} for n, p in policies.items()},
    }
    await asked.request(METRIC, "POST", "/resource/instance", body=wanted)

    async def gone(cloud, ident):
        await asked.request(METRIC, "DELETE", f"/resource/instance/{ident}")

    lab.later(gone, ident)
    now = datetime.now(UTC)
    points = [
        {"timestamp": (now - timedelta(minutes=m)).isoformat(), "value": float(m)} for m in range(5)
    ]
    body = {ident: dict.fromkeys(policies, points)}
    await asked.request(METRIC, "POST", "/batch/resources/metrics/measures", body=body)
    return ident


async def test_what_was_measured(lab):
    async with lab() as found:
        policies = {"memory": "lab", "load": "lab", "disk": "low", "up": "bool"}
        ident = await measured(found, **policies)
        with anyio.fail_after(60):
            while True:
                metric = await driver.get_metric(found.cloud, ident)
                if all(series.samples for series in metric.series):
                    break
                await anyio.sleep(0.5)
        assert (metric.id, metric.name) == (ident, found.name)
        series = {s.name: s for s in metric.series}
        assert series.keys() == policies.keys()
        assert {s.unit for s in series.values()} == {"MB"}
        memory = series["memory"].samples
        assert [s.average for s in memory] == [4.0, 3.0, 2.0, 1.0, 0.0]
        assert all(s.minimum == s.average == s.maximum for s in memory)
        assert [s.timestamp for s in memory] == sorted(s.timestamp for s in memory)
        assert all(s.minimum <= s.average <= s.maximum for s in series["disk"].samples)
        assert all(s.minimum is None is not s.average for s in series["up"].samples)


async def test_a_list_of_what_is_measured(lab):
    async with lab(page_size=1) as found:
        mine = [await measured(found, cpu="lab", memory="low") for _ in range(2)]
        ended = await measured(found, cpu="lab")
        path = f"/resource/instance/{ended}"
        body = {"ended_at": datetime.now(UTC).isoformat()}
        await (await gnocchi(found)).request(METRIC, "PATCH", path, body=body)
        listed = await everything(driver.list_metrics, found.cloud)
        ids = [metric.id for metric in listed]
        assert set(mine) <= set(ids)
        assert ended not in ids
        assert len(ids) == len(set(ids))
        one = next(metric for metric in listed if metric.id == mine[0])
        assert (one.name, [s.name for s in one.series]) == (found.name, ["cpu", "memory"])
        assert (await driver.get_metric(found.cloud, ended)).id == ended


async def test_nothing_is_measured_of_what_is_not_there(lab):
    async with lab() as found:
        await gnocchi(found)
        for ident in (NOBODY, "no uuid", "a/b"):
            with pytest.raises(NotFound):
                await driver.get_metric(found.cloud, ident)
