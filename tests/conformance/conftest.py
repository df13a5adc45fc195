"""Clouds of every driver, and walks through all that they offer."""

from __future__ import annotations

import anyio.to_thread
import pytest

from anabranch import Broker, Configuration, Feature
from anabranch.models import ImageState, InstanceSpec
from anabranch.testing import Fleet
from anabranch.testing.fleet import simulated_kinds

CREATES = {
    "cloudstack": "deployVirtualMachine",
    "opennebula": "one.template.instantiate",
    "openstack": "POST */servers",
    "paci": "POST */ve",
}
"""The request by which each platform makes a machine, as a fault names it."""

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
def creates() -> dict[str, str]:
    return CREATES


@pytest.fixture
def spec_of():
    """Makes the spec of a small machine called `only-once`, where it may have a name."""

    async def make(broker: Broker, kind: str) -> InstanceSpec:
        offered = broker.capabilities(f"{kind}-1")["create_instance"]
        images = [i for i in await broker.images.list() if i.state is ImageState.AVAILABLE]
        profiles = list(await broker.hardware_profiles.list())
        return InstanceSpec(
            image_id=images[0].id,
            hardware_profile_id=profiles[0].id,
            name="only-once" if Feature.USER_NAME in offered.features else None,
        )

    return make


@pytest.fixture
def requests(kind, fleet):
    """Tells how many requests the cloud was asked so far."""
    return (lambda: 0) if kind == "mock" else lambda: fleet[f"{kind}-1"].requests.total
