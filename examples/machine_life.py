"""A machine's life, from its key to its end, on any cloud of your configuration.

    python examples/machine_life.py CLOUD [--image ID] [--hardware-profile ID] [--network ID]

One script for every platform: what a platform lacks is told and left out, and what was made is
destroyed at the end, whatever happened in between.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import AsyncExitStack
from functools import partial

import anyio

from anabranch import AnabranchError, Broker, load_configuration
from anabranch.features import Feature
from anabranch.models import (
    AddressSpec,
    FirewallRuleSpec,
    FirewallSpec,
    ImageState,
    Instance,
    InstanceSpec,
    KeySpec,
    RuleSource,
    StorageSnapshotSpec,
    StorageVolumeSpec,
)
from anabranch.states import InstanceAction

NAME = "machine-life"
SSH = FirewallRuleSpec(
    protocol="tcp", port_from=22, port_to=22, sources=(RuleSource(cidr="192.0.2.0/24"),)
)


class Life:
    """One machine, what it needs, and what this cloud offers of it."""

    def __init__(self, broker: Broker, options: argparse.Namespace, ends: AsyncExitStack) -> None:
        self.broker, self.options, self.ends = broker, options, ends
        self.cloud: str = options.cloud

    async def live(self) -> None:
        self.offered = await self.broker.probe(self.cloud)
        machine = await self.create()
        await self.up_and_down(machine)
        await self.volume(machine)
        await self.snapshot(machine)
        await self.address(machine)
        await self.firewall(machine)

    def can(self, operation: str, feature: Feature | None = None) -> bool:
        """Whether the cloud offers it; if not, tell."""
        offered = self.offered.get(operation)
        if offered is not None and (feature is None or feature in offered.features):
            return True
        what = operation.replace("_", " ") + (f" with {feature.value}" if feature else "")
        say("lacks", f"{what.replace('_', ' ')}: {self.offered.why_not(operation)}")
        return False

    def later(self, what: str, undo: partial[object]) -> None:
        """Undo something at the end, whatever happens before."""

        async def end() -> None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(120):
                await undo()  # type: ignore[misc]
            say("done", f"destroyed the {what}")

        self.ends.push_async_callback(end)

    async def create(self) -> Instance:
        broker, cloud = self.broker, self.cloud
        spec = InstanceSpec(
            image_id=self.options.image or await self.first_image(),
            hardware_profile_id=self.options.hardware_profile or await self.first_profile(),
            network_ids=tuple(self.options.network),
            name=NAME if self.can("create_instance", Feature.USER_NAME) else None,
            key_id=await self.key(),
            user_data=b"#!/bin/sh\ntouch /born\n"
            if self.can("create_instance", Feature.USER_DATA)
            else None,
        )
        made = await broker.instances.create(cloud, spec)
        self.later("machine", partial(self.destroy, made))
        running = await broker.instances.wait(made.qualified_id, "RUNNING", timeout=600)
        say("done", f"created {running.qualified_id}, which is {running.state.value}")
        return running

    async def first_image(self) -> str:
        images = await self.broker.images.list(clouds=[self.cloud], require="all", timeout=60)
        return next(image.id for image in images if image.state is ImageState.AVAILABLE)

    async def first_profile(self) -> str | None:
        if not self.can("list_hardware_profiles"):
            return None
        profiles = await self.broker.hardware_profiles.list(clouds=[self.cloud], timeout=60)
        return next((profile.id for profile in profiles), None)

    async def key(self) -> str | None:
        if not self.can("create_instance", Feature.AUTHENTICATION_KEY):
            return None
        if not self.can("create_key"):
            return None
        spec = KeySpec(name=NAME, public_key=self.options.public_key)
        key = await self.broker.keys.create(self.cloud, spec)
        self.later("key", partial(self.broker.keys.destroy, key.qualified_id))
        say("done", f"made the key {key.name}")
        return key.id

    async def destroy(self, machine: Instance) -> None:
        now = await self.broker.instances.get(machine.qualified_id)
        if InstanceAction.DESTROY not in now.actions and InstanceAction.STOP in now.actions:
            await self.broker.instances.stop(machine.qualified_id, wait=300)
        await self.broker.instances.destroy(machine.qualified_id, wait=300)

    async def up_and_down(self, machine: Instance) -> None:
        target = machine.qualified_id
        if self.can("stop_instance"):
            say("done", f"stopped: {(await self.broker.instances.stop(target, wait=300)).state}")
        if self.can("start_instance"):
            say("done", f"started: {(await self.broker.instances.start(target, wait=300)).state}")
        if self.can("reboot_instance"):
            again = await self.broker.instances.reboot(target, wait=300)
            say("done", f"rebooted: {again.state}")

    async def volume(self, machine: Instance) -> None:
        if not self.can("create_storage_volume"):
            return
        volumes = self.broker.storage_volumes
        named = self.can("create_storage_volume", Feature.VOLUME_NAME)
        spec = StorageVolumeSpec(capacity_gb=1, name=NAME if named else "")
        volume = await volumes.create(self.cloud, spec, wait=120)
        self.later("volume", partial(volumes.destroy, volume.qualified_id))
        attached = await volumes.attach(volume.qualified_id, machine.id, wait=120)
        say("done", f"attached a volume as {attached.device or 'a device that is not told'}")
        await volumes.detach(volume.qualified_id, wait=120)
        say("done", "detached it")

    async def snapshot(self, machine: Instance) -> None:
        """Take one of the root disk, or of the whole machine, as the platform has it."""
        if not self.can("create_storage_snapshot"):
            return
        snapshots = self.broker.storage_snapshots
        of = self.options.snapshot_of or machine.id
        try:
            taken = await snapshots.create(
                self.cloud, StorageSnapshotSpec(storage_volume_id=of), wait=120
            )
        except AnabranchError as exc:
            say("told", f"no snapshot of {of}: {exc}")
            return
        self.later("snapshot", partial(snapshots.destroy, taken.qualified_id, wait=120))
        say("done", f"took the snapshot {taken.id}")
