"""What creates machines on every platform."""

from __future__ import annotations

import pytest

from anabranch import Broker, Feature
from anabranch.models import ImageState, InstanceSpec

CREATES = {
    "cloudstack": "deployVirtualMachine",
    "opennebula": "one.template.instantiate",
    "openstack": "POST */servers",
    "paci": "POST */ve",
}
"""The request by which each platform makes a machine, as a fault names it."""


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
