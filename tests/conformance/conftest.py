"""Clouds of every driver, and walks through all that they offer."""

from __future__ import annotations

import anyio.to_thread
import pytest

from anabranch import Broker, Configuration
from anabranch.testing import Fleet
from anabranch.testing.fleet import simulated_kinds

MOCK = Configuration(clouds={"mock-1": {"driver": "mock"}})


@pytest.fixture(params=[*simulated_kinds(), "mock"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def fleet(kind):
    """One simulated cloud of the kind, served; none for what needs no wire."""
    with Fleet.of({} if kind == "mock" else {kind: 1}, instances=3).serving() as served:
        yield served


@pytest.fixture
async def broker(kind, fleet):
    configuration = MOCK if kind == "mock" else fleet.configuration(timeout=20)
    async with await anyio.to_thread.run_sync(Broker, configuration) as made:
        yield made


@pytest.fixture
def requests(kind, fleet):
    """Tells how many requests the cloud was asked so far."""
    return (lambda: 0) if kind == "mock" else lambda: fleet[f"{kind}-1"].requests.total
