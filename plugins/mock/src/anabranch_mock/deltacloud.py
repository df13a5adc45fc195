"""The data set `deltacloud`: what the mock driver of Apache Deltacloud had, under the same ids.

The firewall and the load balancer, of which that had none, are ours.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from anabranch.models import (
    Address,
    AttachedVolume,
    BlobSpec,
    BucketSpec,
    Firewall,
    FirewallRule,
    Hardware,
    Instance,
    Key,
    Listener,
    LoadBalancer,
    Network,
    NetworkAddress,
    NetworkInterface,
    NetworkState,
    RuleSource,
    StorageSnapshot,
    StorageSnapshotState,
    StorageVolume,
    StorageVolumeState,
    Subnet,
)
from anabranch.states import InstanceState
from anabranch_mock import objects
from anabranch_mock.machines import fit, new_instance
from anabranch_mock.settings import USERNAME
from anabranch_mock.states import in_state
from anabranch_mock.store import MockStore

__all__ = ["fill"]


def fill(store: MockStore) -> None:
    """Put the data set into a cloud that has nothing of its user's yet."""
    _add_networks(store)
    _add_instances(store)
    _add_interfaces(store)
    _add_access(store)
    _add_storage(store)
    _add_blobs(store)


def _add_networks(store: MockStore) -> None:
    store.networks.load(
        Network(
            cloud=store.cloud,
            id=store.networks.new_id(),
            name="network2",
            state=NetworkState.UP,
            address_blocks=("10.0.0.0/8",),
        )
    )
    for network_id, block in _SUBNETS:
        subnet_id = store.subnets.new_id()
        store.subnets.load(
            Subnet(
                cloud=store.cloud,
                id=subnet_id,
                name=subnet_id,
                network_id=network_id,
                address_block=block,
                state=NetworkState.UP,
                gateway=block.partition("/")[0].removesuffix("0") + "1",
                kind="PRIVATE",
            )
        )
        network = store.networks.get(network_id)
        subnet_ids = (*network.subnet_ids, subnet_id)
        store.networks.put(msgspec.structs.replace(network, subnet_ids=subnet_ids))


def _add_instances(store: MockStore) -> None:
    for name, image_id, realm_id, profile_id, memory_mib in _INSTANCES:
        image = store.images.get(image_id)
        profile = store.hardware_profiles.get(profile_id)
        wanted = Hardware(memory_mib=memory_mib) if memory_mib else None
        instance = new_instance(
            store,
            image,
            profile,
            name=name,
            realm_id=realm_id,
            hardware=fit(profile, wanted),
            key_id="test-key",
            created_at=_INSTANCES_MADE,
        )
        running = in_state(instance, InstanceState.RUNNING)
        store.instances.put(msgspec.structs.replace(running, launched_at=_INSTANCES_MADE))


def _add_interfaces(store: MockStore) -> None:
    for instance_id, subnet_id, address in _INTERFACES:
        nic_id = store.network_interfaces.new_id()
        store.network_interfaces.load(
            NetworkInterface(
                cloud=store.cloud,
                id=nic_id,
                name=nic_id,
                network_id="net1",
                subnet_id=subnet_id,
                instance_id=instance_id,
                ip_addresses=(address,),
                mac_address=f"52:54:00:00:00:{nic_id.removeprefix('nic'):0>2}",
                state=NetworkState.UP,
            )
        )
        _change(
            store,
            instance_id,
            network_interface_ids=(nic_id,),
            private_addresses=(
                *store.instances.get(instance_id).private_addresses,
                NetworkAddress(address),
            ),
        )


def _add_access(store: MockStore) -> None:
    """Add what people reach instances by."""
    store.keys.load(
        Key(cloud=store.cloud, id="test-key", name="test-key", fingerprint=_FINGERPRINT)
    )
    for last in range(1, 5):
        ip = f"192.168.0.{last}"
        store.addresses.load(
            Address(
                cloud=store.cloud, id=ip, name=ip, ip=ip, network_id="net1", platform_state="free"
            )
        )
    first = store.addresses.get("192.168.0.1")
    store.addresses.put(
        msgspec.structs.replace(first, instance_id="inst1", platform_state="in-use")
    )
    _change(store, "inst1", public_addresses=(NetworkAddress(first.ip),))
    everybody = RuleSource(cidr="0.0.0.0/0")
    store.firewalls.load(
        Firewall(
            cloud=store.cloud,
            id=store.firewalls.new_id(),
            name="default",
            description="Secure shell and web",
            owner_id=USERNAME,
            rules=tuple(
                FirewallRule(
                    id=f"rule{next(store.rule_numbers)}",
                    protocol="tcp",
                    port_from=port,
                    port_to=port,
                    sources=(everybody,),
                )
                for port in (22, 80)
            ),
        )
    )
    store.load_balancers.load(
        LoadBalancer(
            cloud=store.cloud,
            id=store.load_balancers.new_id(),
            name="web",
            realm_id="us",
            platform_state="active",
            created_at=_INSTANCES_MADE,
            public_addresses=("lb1.public.com",),
            listeners=(Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080),),
            instance_ids=("inst0", "inst1"),
        )
    )


def _add_storage(store: MockStore) -> None:
    for _ in range(3):
        volume_id = store.storage_volumes.new_id()
        store.storage_volumes.load(
            StorageVolume(
                cloud=store.cloud,
                id=volume_id,
                name=volume_id,
                state=StorageVolumeState.AVAILABLE,
                platform_state="available",
                capacity_gb=1,
                realm_id="us",
                kind="standard",
                created_at=_VOLUMES_MADE,
            )
        )
    store.storage_volumes.put(
        msgspec.structs.replace(
            store.storage_volumes.get("vol3"),
            state=StorageVolumeState.IN_USE,
            platform_state="in-use",
            instance_id="inst1",
            device="/dev/sda1",
        )
    )
    _change(store, "inst1", storage_volumes=(AttachedVolume("vol3", "/dev/sda1"),))
    for volume_id in ("vol1", "vol2", "vol2"):
        snapshot_id = store.storage_snapshots.new_id()
        store.storage_snapshots.load(
            StorageSnapshot(
                cloud=store.cloud,
                id=snapshot_id,
                name=snapshot_id,
                state=StorageSnapshotState.AVAILABLE,
                platform_state="COMPLETED",
                storage_volume_id=volume_id,
                size_gb=1,
                created_at=_SNAPSHOTS_MADE,
            )
        )


def _add_blobs(store: MockStore) -> None:
    for bucket_id in ("bucket1", "bucket2"):
        objects.make_bucket(store, BucketSpec(name=bucket_id))
    for number, (bucket_id, content_type) in enumerate(_BLOBS, start=1):
        spec = BlobSpec(
            bucket_id=bucket_id,
            name=f"blob{number}",
            content_type=content_type,
            metadata={"somenewkey": "NEWVALUE"} if number == 1 else {},
        )
        objects.write(store, spec, f"content of blob {number}".encode())


def _change(store: MockStore, instance_id: str, **fields: object) -> Instance:
    instance = store.instances.get(instance_id)
    return store.instances.put(msgspec.structs.replace(instance, **fields))


_INSTANCES_MADE: Final = datetime(2012, 10, 25, 13, 0, tzinfo=UTC)
_VOLUMES_MADE: Final = datetime(2009, 7, 30, 14, 35, 11, tzinfo=UTC)
_SNAPSHOTS_MADE: Final = datetime(2009, 7, 29, 18, 15, 24, tzinfo=UTC)
_FINGERPRINT: Final = "5e:ce:f5:4b:62:90:74:ba:17:5b:6e:fb:0e:c7:55:70"

_INSTANCES: Final = (  # name, image, realm, profile, memory
    ("Mock Instance With Profile Change", "img1", "us", "m1-large", 12288),
    ("MockUserInstance", "img3", "us", "m1-small", None),
    ("AnotherInstance", "img1", "us", "m1-large", None),
    ("", "img3", "eu", "m1-small", None),
)
_SUBNETS: Final = (
    ("net1", "192.168.1.0/24"),
    ("net1", "192.168.2.0/24"),
    ("net2", "10.1.0.0/16"),
    ("net2", "10.2.0.0/16"),
)
_INTERFACES: Final = (
    ("inst1", "subnet1", "192.168.1.2"),
    ("inst3", "subnet2", "192.168.2.189"),
)
_BLOBS: Final = (
    ("bucket1", "text/plain"),
    ("bucket1", "text/plain"),
    ("bucket1", "text/plain"),
    ("bucket2", "application/octet-stream"),
    ("bucket2", "application/pdf"),
)
