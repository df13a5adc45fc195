"""A machine's life, from its key to its end, on any cloud of your configuration.

    python examples/machine_life.py CLOUD [--image ID] [--hardware-profile ID] [--network ID]

One script for every platform: what a cloud lacks is told and left out, and what was made is
destroyed at the end, the last first, whatever happened in between.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import anyio

from anabranch import Broker, Capabilities, Feature, InstanceState, load_configuration
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
    StorageVolume,
    StorageVolumeSpec,
)
from anabranch.states import InstanceAction

NAME = "machine-life"
USER_DATA = b"#!/bin/sh\ntouch /was-here\n"
SSH = FirewallRuleSpec(
    protocol="tcp", port_from=22, port_to=22, sources=(RuleSource(cidr="192.0.2.0/24"),)
)
LONG = 600.0


class Life:
    """One machine and what belongs to it, on one cloud."""

    def __init__(self, broker: Broker, offered: Capabilities, options: argparse.Namespace) -> None:
        self.broker, self.offered, self.options = broker, offered, options
        self.cloud: str = options.cloud
        self.ends = AsyncExitStack()

    async def live(self) -> None:
        async with self.ends:
            key = await self.key()
            wall = await self.firewall()
            machine = await self.create(key, wall)
            await self.up_and_down(machine)
            volume = await self.volume(machine)
            await self.snapshot(machine, volume)
            await self.address(machine)
            await self.rules(wall or machine.id)

    def can(self, operation: str, feature: Feature | None = None) -> bool:
        """Whether the cloud offers it; if it does not, tell."""
        offered = self.offered.get(operation)
        if offered is not None and (feature is None or feature in offered.features):
            return True
        print(f"lacks  {operation}" + (f" with {feature.value}" if feature else ""))
        return False

    def later(self, what: str, undo: Callable[[], Awaitable[object]]) -> None:
        """Undo something at the end, whatever happens before."""

        async def end() -> None:
            with anyio.CancelScope(shield=True), anyio.move_on_after(LONG):
                await undo()
                print(f"done   destroyed the {what}")

        self.ends.push_async_callback(end)

    async def key(self) -> str | None:
        if not self.can("create_instance", Feature.AUTHENTICATION_KEY):
            return None
        if not self.can("create_key"):
            return None
        limits = self.offered["create_key"].constraints.get(Feature.IMPORT_KEY, {})
        if limits.get("required") and not self.options.public_key:
            print("lacks  create_key without --public-key")
            return None
        spec = KeySpec(name=NAME, public_key=self.options.public_key)
        key = await self.broker.keys.create(self.cloud, spec)
        self.later("key", partial(self.broker.keys.destroy, key.qualified_id))
        print(f"done   made the key {key.name}")
        return key.id

    async def firewall(self) -> str | None:
        if not self.can("create_firewall"):
            return None
        wall = await self.broker.firewalls.create(self.cloud, FirewallSpec(name=NAME))
        self.later("firewall", partial(self.broker.firewalls.destroy, wall.qualified_id))
        print(f"done   made the firewall {wall.name}")
        return wall.id

    async def create(self, key: str | None, wall: str | None) -> Instance:
        instances = self.broker.instances
        named = self.can("create_instance", Feature.USER_NAME)
        guarded = wall and self.can("create_instance", Feature.FIREWALLS)
        taught = self.can("create_instance", Feature.USER_DATA)
        spec = InstanceSpec(
            image_id=self.options.image or await self.first_image(),
            hardware_profile_id=self.options.hardware_profile or await self.first_profile(),
            network_ids=tuple(self.options.network or ()),
            name=NAME if named else None,
            key_id=key,
            firewall_ids=(wall,) if wall and guarded else (),
            user_data=USER_DATA if taught else None,
        )
        made = await instances.create(self.cloud, spec)
        self.later("machine", partial(self.destroy, made))
        running = await instances.wait(made.qualified_id, InstanceState.RUNNING, timeout=LONG)
        print(f"done   created {running.qualified_id}, which is {running.state}")
        return running

    async def first_image(self) -> str:
        images = await self.broker.images.list(clouds=[self.cloud], require="all", timeout=60)
        return next(image.id for image in images if image.state is ImageState.AVAILABLE)

    async def first_profile(self) -> str | None:
        if not self.can("list_hardware_profiles"):
            return None
        profiles = await self.broker.hardware_profiles.list(clouds=[self.cloud], timeout=60)
        return next((profile.id for profile in profiles), None)

    async def destroy(self, machine: Instance) -> None:
        """Destroy it, stopped before where a running machine cannot be destroyed."""
        now = await self.broker.instances.get(machine.qualified_id)
        if InstanceAction.DESTROY not in now.actions and InstanceAction.STOP in now.actions:
            await self.broker.instances.stop(machine.qualified_id, wait=LONG)
        await self.broker.instances.destroy(machine.qualified_id, wait=LONG)

    async def up_and_down(self, machine: Instance) -> None:
        instances, target = self.broker.instances, machine.qualified_id
        if self.can("stop_instance"):
            print(f"done   stopped it: {(await instances.stop(target, wait=LONG)).state}")
        if self.can("start_instance"):
            print(f"done   started it: {(await instances.start(target, wait=LONG)).state}")
        if self.can("reboot_instance"):
            print(f"done   rebooted it: {(await instances.reboot(target, wait=LONG)).state}")

    async def volume(self, machine: Instance) -> StorageVolume | None:
        if not self.can("create_storage_volume"):
            return None
        volumes = self.broker.storage_volumes
        named = self.can("create_storage_volume", Feature.VOLUME_NAME)
        spec = StorageVolumeSpec(capacity_gb=1, name=NAME if named else "")
        volume = await volumes.create(self.cloud, spec)
        self.later("volume", partial(volumes.destroy, volume.qualified_id, wait=LONG))
        await volumes.wait(volume.qualified_id, "AVAILABLE", timeout=LONG)
        attached = await volumes.attach(volume.qualified_id, machine.id, wait=LONG)
        self.later("attachment", partial(volumes.detach, volume.qualified_id, wait=LONG))
        print(f"done   attached a volume as {attached.device or 'a device that is not told'}")
        return attached

    async def snapshot(self, machine: Instance, volume: StorageVolume | None) -> None:
        """Take one of the whole machine or of the volume, whichever the cloud has."""
        if not self.can("create_storage_snapshot"):
            return
        if self.can("create_storage_snapshot", Feature.SNAPSHOT_OF_INSTANCE):
            spec = StorageSnapshotSpec(instance_id=machine.id)
        elif volume and self.can("create_storage_snapshot", Feature.SNAPSHOT_OF_VOLUME):
            spec = StorageSnapshotSpec(storage_volume_id=volume.id)
        else:
            return
        snapshots = self.broker.storage_snapshots
        taken = await snapshots.create(self.cloud, spec)
        self.later("snapshot", partial(snapshots.destroy, taken.qualified_id, wait=LONG))
        await snapshots.wait(taken.qualified_id, "AVAILABLE", timeout=LONG)
        print(f"done   took a snapshot of the {'volume' if spec.storage_volume_id else 'machine'}")

    async def address(self, machine: Instance) -> None:
        if not self.can("create_address"):
            return
        addresses = self.broker.addresses
        network = self.options.address_network
        if network is None and self.can("create_address", Feature.ADDRESS_NETWORK):
            networks = await self.broker.networks.list(clouds=[self.cloud], timeout=60)
            network = next((network.id for network in networks if network.external), None)
        address = await addresses.create(self.cloud, AddressSpec(network_id=network))
        self.later("address", partial(addresses.destroy, address.qualified_id))
        await addresses.associate(address.qualified_id, machine.id)
        self.later("association", partial(addresses.disassociate, address.qualified_id))
        print(f"done   reached it by {address.ip}")

    async def rules(self, wall: str) -> None:
        """Open and close a port, of the machine's firewall or of the machine itself."""
        if not self.can("add_firewall_rule"):
            return
        target = f"{self.cloud}/{wall}"
        before = {rule.id for rule in (await self.broker.firewalls.get(target)).rules}
        after = await self.broker.firewalls.add_rule(target, SSH)
        print("done   opened port 22")
        for rule in after.rules:
            if rule.id not in before:
                await self.broker.firewalls.remove_rule(target, rule.id)
        print("done   closed it")


async def main(broker: Broker, options: argparse.Namespace) -> None:
    async with broker:
        await Life(broker, await broker.probe(options.cloud), options).live()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cloud", help="name of the cloud in your configuration")
    parser.add_argument("--image", help="image to boot (the first that is available)")
    parser.add_argument("--hardware-profile", help="its size (the first)")
    parser.add_argument(
        "--network", action="append", help="network to connect (the cloud's choice)"
    )
    parser.add_argument("--address-network", help="network that the address comes from")
    parser.add_argument(
        "--public-key",
        type=lambda path: Path(path).read_text(),
        help="file with an OpenSSH public key (the cloud makes a pair)",
    )
    arguments = parser.parse_args()
    anyio.run(main, Broker(load_configuration().select([arguments.cloud])), arguments)
