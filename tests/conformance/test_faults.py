"""Each thing that goes wrong has one name, whatever the platform; what passes is waited out."""

from __future__ import annotations

import anyio.to_thread
import pytest

from anabranch import Broker, Configuration
from anabranch.testing import Behaviour
from anabranch.testing.fleet import simulated_kinds

ERRORS = {
    "hang": "DeadlineExceeded",
    "reset": "CloudUnavailable",
    "401": "AuthenticationError",
    "429": "RateLimited",
    "503": "CloudUnavailable",
    "garbage": "ProtocolError",
}


@pytest.fixture(params=simulated_kinds())
def fleet(request, simulated_fleet):
    return simulated_fleet(**{request.param: 1}, instances=3, behaviour=Behaviour())


async def listed(fleet, *, timeout, retries=2):
    clouds = {n: {**e, "retries": retries} for n, e in fleet.document()["clouds"].items()}
    configuration = Configuration(clouds=clouds, timeout=timeout)
    broker = await anyio.to_thread.run_sync(Broker, configuration)
    async with broker:
        (report,) = (answer := await broker.instances.list()).clouds
        return report, answer.items


@pytest.mark.parametrize(("fault", "error"), ERRORS.items())
async def test_a_fault_that_stays_is_told_by_its_class(fleet, fault, error):
    fleet.break_with([fault])
    report, items = await listed(fleet, timeout=0.5 if fault == "hang" else 8, retries=0)
    assert report.status == "failed"
    assert report.error.type == error, report.error
    assert not items
    (cloud,) = fleet.document()["clouds"].values()
    secrets = {str(v) for k, v in cloud.items() if k in ("password", "secret", "key")}
    secrets |= {str(cloud.get("auth", {}).get("password", ""))} - {""}
    assert secrets
    assert not [secret for secret in secrets if secret in repr(report)]


@pytest.mark.parametrize("fault", ["resetx1", "503x1"])
async def test_a_fault_that_passes_is_not_seen(fleet, fault):
    fleet.break_with([fault])
    report, items = await listed(fleet, timeout=20)
    assert report.status == "ok", report.error
    assert len(items) == 3


async def test_the_pause_that_a_cloud_asks_for_is_kept(fleet):
    (cloud,) = fleet.clouds.values()
    fleet.break_with(["429x1"])
    started = anyio.current_time()
    report, items = await listed(fleet, timeout=20)
    assert (report.status, len(items)) == ("ok", 3)
    assert anyio.current_time() - started >= 1, "Retry-After: 1"
    assert cloud.requests.total >= 2
