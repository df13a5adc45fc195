"""A walk through everything that a cloud offers: each operation is used once, and counted.

It is a machine's life, and that of all that a machine may have. What an operation needs (an
instance to attach a volume to) is made before by others, so a walk needs no knowledge of the
platform, beyond the `Choices` where the first thing of a list will not do. Where no machine can be
made, one that is there is started, stopped and so on, but never destroyed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final

import anyio
import msgspec

from anabranch.capabilities import Capabilities
from anabranch.errors import CloudError, NotFound
from anabranch.facade import Broker
from anabranch.features import Feature
from anabranch.models import (
    AddressSpec,
    BlobSpec,
    BucketSpec,
    FirewallRuleSpec,
    FirewallSpec,
    HardwareProfile,
    Image,
    ImageSpec,
    ImageState,
    Instance,
    InstanceSpec,
    KeySpec,
    Listener,
    LoadBalancerSpec,
    Network,
    NetworkInterfaceSpec,
    NetworkSpec,
    RuleSource,
    StorageSnapshotSpec,
    StorageVolumeSpec,
    SubnetSpec,
)
from anabranch.states import InstanceAction, InstanceState

__all__ = ["Choices", "Walk", "machine_spec"]

_PART: Final = b"x" * 64
_PUBLIC_KEY: Final = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFoR0zWd9bYyYmYyO3E8ZJmV9k5G8h3dQn0nXlYQ4b7T walk"
)
_LISTENER: Final = Listener(protocol="HTTP", load_balancer_port=80, instance_port=80)


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What to take where the first of a list will not do.

    Attributes:
        image_id: Image to boot; None: the first that is available.
        hardware_profile_id: Profile to begin with; None: the first.
        other_profile_id: Profile to resize to; None: the second.
        network_id: Network for instances and interfaces; None: the first that is not external.
        address_network_id: Network that addresses come from; None: the first external one, or
            that of instances.
        network_block: Block of addresses for the subnet that is made.
        wait: Seconds that a change of state may take.
    """

    image_id: str | None = None
    hardware_profile_id: str | None = None
    other_profile_id: str | None = None
    network_id: str | None = None
    address_network_id: str | None = None
    network_block: str = "10.0.8.0/26"
    wait: float = 30.0


class Walk:
    """Uses every operation that a cloud offers.

    Args:
        broker: Makes the broker for one operation: the same one each time, or a new one.
        cloud: Name of the cloud.
        offered: What it offers.
        requests: Tells how many requests the cloud was asked so far.
        choices: What to take where the first will not do.

    Attributes:
        steps: The operations used so far in their order, with the number of requests of each.
        latest: The operation used last.
    """

    def __init__(
        self,
        broker: Callable[[], Awaitable[Broker]],
        cloud: str,
        offered: Capabilities,
        requests: Callable[[], int],
        choices: Choices | None = None,
    ) -> None:
        self._broker, self._cloud, self._offered = broker, cloud, offered
        self._requests, self._choices = requests, choices or Choices()
        self._listed: dict[str, list[Any]] = {}
        self._instance: Instance | None = None
        self._made: dict[str, str] = {}
        self._left: list[tuple[str, str]] = []
        self.steps: dict[str, int] = {}
        self.latest = ""

    async def go(self) -> dict[str, int]:
        """Walk from the first operation to the last, and return the steps.

        What was made is destroyed at the end, also when an operation fails on the way.

        Raises:
            CloudError: an operation that is offered failed.
            AssertionError: one that changes something had no effect.
        """
        try:
            await self._catalogue()
            await self._surroundings()
            await self._machine()
            await self._volume()
            await self._interface()
            await self._address()
            await self._load_balancer()
            await self._objects()
            await self._measures()
            await self._end()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(self._choices.wait):
                await self._clean_up()
        return self.steps

    # ------------------------------------------------------------------------ one operation

    async def _do(self, operation: str, **arguments: Any) -> Any:
        """Use an operation, if it is offered, and count its requests if it is the first time."""
        if operation not in self._offered:
            return None
        broker = await self._broker()
        self.latest = operation
        before = self._requests()
        result = await broker.invoke(self._cloud, operation, arguments)
        self.steps.setdefault(operation, self._requests() - before)
        verb, _, singular = operation.partition("_")
        if verb == "create" and singular != "blob":
            several = singular == "instances"
            made = result if several else [result]
            if not several:  # a platform tells several apart by a number
                _named(operation, arguments["spec"], result)
            kind = "instance" if several else singular
            if f"destroy_{kind}" in self._offered:
                self._left += [(kind, one.id) for one in made]
        elif verb == "destroy":
            gone = singular, arguments.get(f"{singular}_id")
            self._left = [left for left in self._left if left != gone]
        return result

    async def _clean_up(self) -> None:
        """Destroy what is left, the last first; again, where something was in use by another."""
        while self._left:
            for singular, it in tuple(reversed(self._left)):
                broker = await self._broker()
                try:
                    await broker.invoke(self._cloud, f"destroy_{singular}", {f"{singular}_id": it})
                except NotFound:
                    pass
                except CloudError:
                    continue
                self._left.remove((singular, it))
            if self._left:
                await anyio.sleep(1)

    async def _list(self, collection: str, **arguments: Any) -> list[Any]:
        if collection in ("images", "instances"):
            arguments["where"] = {}
        page = await self._do(f"list_{collection}", cursor=None, **arguments)
        items = list(page.items) if page else []
        self._listed[collection] = items
        return items

    async def _wait(self, collection: str, item: str, *states: str) -> Any:
        """Wait for a state, and return the item; None: the driver tells of none by itself."""
        if f"get_{collection.removesuffix('s')}" not in self._offered:
            return None
        broker = await self._broker()
        waited: Any = getattr(broker, collection)
        return await waited.wait(f"{self._cloud}/{item}", *states, timeout=self._choices.wait)

    async def _shows(self, operation: str, **expected: Any) -> None:
        """See that the machine is as an operation was to make it."""
        if self._instance is None or not {operation, "get_instance"} <= self._offered.keys():
            return
        broker = await self._broker()
        found = await broker.instances.get(self._instance.qualified_id)
        for field, value in expected.items():
            if getattr(found, field) != value:
                raise AssertionError(
                    f"{operation} was to make {field} {value!r}, and afterwards it is"
                    f" {getattr(found, field)!r}"
                )

    def _has(self, operation: str, feature: Feature) -> bool:
        offered = self._offered.get(operation)
        return offered is not None and feature in offered.features

    # ----------------------------------------------------------------------- the operations

    async def _catalogue(self) -> None:
        """What there is, before anything is made."""
        for operation in self._offered:
            verb, _, collection = operation.partition("_")
            if verb == "list" and collection != "blobs":
                await self._list(collection)
        for singular in ("realm", "hardware_profile", "image", "network"):
            for found in self._listed.get(f"{singular}s", ())[:1]:
                await self._do(f"get_{singular}", **{f"{singular}_id": found.id})

    async def _surroundings(self) -> None:
        """What an instance needs, or may have, from its beginning."""
        imported = self._has("create_key", Feature.IMPORT_KEY)
        key = await self._do(
            "create_key", spec=KeySpec(name="walk", public_key=_PUBLIC_KEY if imported else None)
        )
        if key:
            await self._do("get_key", key_id=key.id)
            self._made["key"] = key.id
        if wall := await self._do("create_firewall", spec=FirewallSpec(name="walk")):
            self._made["firewall"] = wall.id
        block = self._choices.network_block
        network = await self._do("create_network", spec=NetworkSpec(name="walk"))
        if network:
            self._made["network"] = network.id
        subnet = await self._do(
            "create_subnet",
            spec=SubnetSpec(
                network_id=network.id if network else self._network(), address_block=block
            ),
        )
        if subnet:
            self._made["subnet"] = subnet.id
        if known := subnet or next(iter(self._listed.get("subnets", ())), None):
            await self._do("get_subnet", subnet_id=known.id)

    async def _machine(self) -> None:
        """A machine's life, up to its end."""
        made = self._borrowed()
        if "create_instance" in self._offered:
            made = await self._do("create_instance", spec=self._spec("walk"))
        if made is None:
            return
        it = made.id
        self._instance = await self._wait("instances", it, InstanceState.RUNNING) or made
        await self._do("get_instance", instance_id=it)
        await self._do("rename_instance", instance_id=it, name="walked")
        await self._shows("rename_instance", name="walked")
        tags = {"role": "walk"}
        await self._do("set_instance_tags", instance_id=it, tags=tags)
        await self._shows("set_instance_tags", tags=tags)
        await self._do("get_instance_console", instance_id=it, kind=None)
        await self._do("reboot_instance", instance_id=it, hard=False)
        await self._wait("instances", it, InstanceState.RUNNING)
        await self._firewall(self._made.get("firewall", it))
        await self._do("stop_instance", instance_id=it)
        if "stop_instance" in self._offered:
            await self._wait("instances", it, InstanceState.STOPPED)
        other = self._choices.other_profile_id or self._profile(1)
        await self._do("resize_instance", instance_id=it, hardware_profile_id=other)
        await self._shows("resize_instance", hardware_profile_id=other)
        await self._image(it)
        await self._do("start_instance", instance_id=it)
        await self._wait("instances", it, InstanceState.RUNNING)
        if "create_instances" in self._offered:
            for one in await self._do("create_instances", spec=self._spec("pair"), count=2):
                await self._retired(one.id)

    def _borrowed(self) -> Instance | None:
        """One of those that were there before."""
        there: list[Instance] = self._listed.get("instances", [])
        running = [one for one in there if one.state is InstanceState.RUNNING]
        return next(iter(running or there), None)

    async def _firewall(self, wall: str) -> None:
        source = RuleSource(cidr="192.0.2.0/24")
        rule = FirewallRuleSpec(protocol="tcp", port_from=22, port_to=22, sources=(source,))
        with_it = await self._do("add_firewall_rule", firewall_id=wall, spec=rule)
        await self._do("get_firewall", firewall_id=wall)
        if with_it:
            (added,) = [r for r in with_it.rules if r.port_from == 22 and r.sources == (source,)]
            await self._do("remove_firewall_rule", firewall_id=wall, rule_id=added.id)

    async def _image(self, instance: str) -> None:
        image = await self._do("create_image", spec=ImageSpec(instance_id=instance, name="walk"))
        if image:
            await self._wait("images", image.id, ImageState.AVAILABLE)
            await self._do("destroy_image", image_id=image.id)

    async def _volume(self) -> None:
        """A volume and a snapshot, of it or of the machine."""
        named = self._has("create_storage_volume", Feature.VOLUME_NAME)
        spec = StorageVolumeSpec(capacity_gb=1, name="walk" if named else "")
        volume = await self._do("create_storage_volume", spec=spec)
        if volume:
            it = volume.id
            await self._wait("storage_volumes", it, "AVAILABLE")
            await self._do("get_storage_volume", storage_volume_id=it)
            await self._do(
                "attach_storage_volume",
                storage_volume_id=it,
                instance_id=self._machine_id(),
                device=None,
            )
            await self._wait("storage_volumes", it, "IN-USE")
        await self._snapshot(volume.id if volume else "")
        if volume:
            await self._do("detach_storage_volume", storage_volume_id=volume.id)
            await self._wait("storage_volumes", volume.id, "AVAILABLE")
            await self._destroyed("storage_volumes", volume.id)

    async def _snapshot(self, volume: str) -> None:
        create = "create_storage_snapshot"
        whole = self._has(create, Feature.SNAPSHOT_OF_INSTANCE) or not volume
        spec = StorageSnapshotSpec(
            storage_volume_id="" if whole else volume,
            instance_id=self._machine_id() if whole else "",
            name="walk" if self._has(create, Feature.SNAPSHOT_NAME) else "",
        )
        snapshot = await self._do(create, spec=spec)
        if snapshot:
            await self._wait("storage_snapshots", snapshot.id, "AVAILABLE")
            await self._do("get_storage_snapshot", storage_snapshot_id=snapshot.id)
            await self._destroyed("storage_snapshots", snapshot.id)

    async def _interface(self) -> None:
        for found in (await self._list("network_interfaces"))[:1]:
            await self._do("get_network_interface", network_interface_id=found.id)
        made = await self._do(
            "create_network_interface",
            spec=NetworkInterfaceSpec(
                instance_id=self._machine_id(),
                network_id=self._made.get("network") or self._network(),
            ),
        )
        if made:
            await self._do("destroy_network_interface", network_interface_id=made.id)

    async def _address(self) -> None:
        network = None
        if self._has("create_address", Feature.ADDRESS_NETWORK):
            network = self._choices.address_network_id or self._network(external=True)
        address = await self._do("create_address", spec=AddressSpec(network_id=network))
        if address:
            it = address.id
            await self._do("get_address", address_id=it)
            await self._do("associate_address", address_id=it, instance_id=self._machine_id())
            await self._do("disassociate_address", address_id=it)
            await self._do("destroy_address", address_id=it)

    async def _load_balancer(self) -> None:
        named = self._has("create_load_balancer", Feature.LOAD_BALANCER_NETWORK)
        spec = LoadBalancerSpec(
            name="walk",
            listeners=(_LISTENER,),
            network_id=self._network() if named else None,
        )
        balancer = await self._do("create_load_balancer", spec=spec)
        if balancer:
            it = {"load_balancer_id": balancer.id}
            await self._do("get_load_balancer", **it)
            await self._do("register_instance", **it, instance_id=self._machine_id())
            await self._do("unregister_instance", **it, instance_id=self._machine_id())
            await self._do("destroy_load_balancer", **it)

    async def _objects(self) -> None:
        bucket = await self._do("create_bucket", spec=BucketSpec(name="walk"))
        if bucket is None:
            return
        where = {"bucket_id": bucket.id}
        await self._do("get_bucket", **where)
        spec = BlobSpec(bucket_id=bucket.id, name="a/blob", content_length=len(_PART))
        blob = await self._do("create_blob", spec=spec, content=_content())
        it = {**where, "blob_id": blob.id}
        await self._do("get_blob", **it)
        if opened := await self._do("open_blob", **it):
            async with opened as content:
                received = b"".join([chunk async for chunk in content])
            if received != _PART:
                raise AssertionError(f"stored {_PART!r}, received {received!r}")
        await self._do("set_blob_metadata", **it, metadata={"role": "walk"})
        await self._segments(BlobSpec(bucket_id=bucket.id, name="segments"))
        for found in await self._list("blobs", **where):
            await self._do("destroy_blob", **where, blob_id=found.id)
        await self._do("destroy_bucket", **where)

    async def _segments(self, spec: BlobSpec) -> None:
        upload = await self._do("begin_blob_upload", spec=spec)
        if upload is None:
            return
        segment = await self._do(
            "upload_blob_segment", spec=spec, upload_id=upload, order=1, content=_content()
        )
        await self._do("complete_blob_upload", spec=spec, upload_id=upload, segments=[segment])
        other = await self._do("begin_blob_upload", spec=spec)
        await self._do("abort_blob_upload", spec=spec, upload_id=other)

    async def _measures(self) -> None:
        for found in (await self._list("metrics"))[:1]:
            await self._do("get_metric", metric_id=found.id)

    async def _end(self) -> None:
        """Destroy what is left, the machine first."""
        if self._instance and "create_instance" in self._offered:
            await self._retired(self._instance.id)
        for singular in ("firewall", "subnet", "network", "key"):
            if it := self._made.get(singular):
                await self._do(f"destroy_{singular}", **{f"{singular}_id": it})

    # ------------------------------------------------------------------------------ choices

    async def _retired(self, it: str) -> None:
        """Destroy an instance; stop it before, where a running one cannot be destroyed."""
        found = await self._wait("instances", it, InstanceState.RUNNING)
        if found and InstanceAction.DESTROY not in found.actions:
            broker = await self._broker()
            await broker.instances.stop(found.qualified_id, wait=self._choices.wait)
        await self._destroyed("instances", it)

    async def _destroyed(self, collection: str, it: str) -> None:
        """Destroy, and wait until it is gone: destroying what is gone is no error."""
        singular = collection.removesuffix("s")
        if f"destroy_{singular}" not in self._offered:
            return
        await self._do(f"destroy_{singular}", **{f"{singular}_id": it})
        if f"get_{singular}" in self._offered:
            broker = await self._broker()
            awaited: Any = getattr(broker, collection)
            await awaited.destroy(f"{self._cloud}/{it}", wait=self._choices.wait)

    def _spec(self, name: str) -> InstanceSpec:
        return machine_spec(
            self._offered,
            self._choices,
            self._listed.get("images", []),
            self._listed.get("hardware_profiles", []),
            name=name,
            key_id=self._made.get("key"),
        )

    def _profile(self, index: int) -> str | None:
        profiles: list[HardwareProfile] = self._listed.get("hardware_profiles", [])
        return profiles[min(index, len(profiles) - 1)].id if profiles else None

    def _network(self, *, external: bool = False) -> str:
        networks: list[Network] = self._listed.get("networks", [])
        if self._choices.network_id and not external:
            return self._choices.network_id
        ordered = sorted(networks, key=lambda network: network.external is not external)
        return ordered[0].id if ordered else ""

    def _machine_id(self) -> str:
        return self._instance.id if self._instance else ""


def _named(operation: str, spec: Any, made: Any) -> None:
    """See that what was made has the name that was asked for."""
    name = getattr(spec, "name", None)
    if name and made.name != name:
        raise AssertionError(f"{operation} was to make {name!r}, and made {made.name!r}")


def machine_spec(
    offered: Capabilities,
    choices: Choices,
    images: Sequence[Image],
    profiles: Sequence[HardwareProfile],
    *,
    name: str,
    key_id: str | None = None,
) -> InstanceSpec:
    """Return the spec of a small machine, as far as a cloud lets one say what it shall be.

    Args:
        offered: What the cloud offers.
        choices: What to take where the first will not do.
        images: The images that there are.
        profiles: The hardware profiles that there are.
        name: Its name, where it may have one.
        key_id: The key to put into it.
    """
    features = offered["create_instance"].features
    usable = [image.id for image in images if image.state is ImageState.AVAILABLE]
    profile = choices.hardware_profile_id or next((one.id for one in profiles), None)
    network = choices.network_id if Feature.NETWORKS in features else None
    return InstanceSpec(
        image_id=choices.image_id or next(iter(usable), ""),
        hardware_profile_id=profile,
        name=name if Feature.USER_NAME in features else None,
        key_id=key_id,
        network_ids=(network,) if network else (),
    )


async def _content() -> AsyncIterator[bytes]:
    yield _PART
