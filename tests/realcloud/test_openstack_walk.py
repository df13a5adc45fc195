"""Everything that the driver claims, on a real OpenStack."""

from __future__ import annotations

import anyio.to_thread
import pytest

from anabranch.testing.walk import Choices, Walk


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_every_operation_that_is_claimed_works(openstack):
    async with await anyio.to_thread.run_sync(openstack, "oslab") as broker:
        offered = await broker.probe("oslab")
        networks = {network.name: network.id for network in await broker.networks.list()}
        images = {image.name: image.id for image in await broker.images.list()}
        profiles = {profile.name: profile.id for profile in await broker.hardware_profiles.list()}
        choices = Choices(
            image_id=images["tiny-linux"],
            hardware_profile_id=profiles["m1.nano"],
            other_profile_id=profiles["m1.tiny"],
            network_id=networks["private"],
        )

        async def same():
            return broker

        steps = await Walk(same, "oslab", offered, lambda: 0, choices).go()
    # Nobody measures the machines of the lab, so there is nothing to get.
    assert set(offered) - set(steps) <= {"get_metric"}
