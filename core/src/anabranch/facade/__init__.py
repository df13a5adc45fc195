"""The broker as people use it: a typed method for every operation."""

from __future__ import annotations

from collections.abc import Mapping

from anabranch.broker import BrokerBase
from anabranch.configuration import Configuration
from anabranch.facade._base import Collection, Listing, OwnedCollection
from anabranch.facade._waiting import AwaitedCollection
from anabranch.facade.blobs import Blobs
from anabranch.facade.collections import Addresses, Firewalls, LoadBalancers, StorageVolumes
from anabranch.facade.instances import Instances
from anabranch.models import (
    Bucket,
    BucketSpec,
    HardwareProfile,
    Image,
    ImageSpec,
    Key,
    KeySpec,
    Metric,
    Network,
    NetworkInterface,
    NetworkInterfaceSpec,
    NetworkSpec,
    Quota,
    Realm,
    StorageSnapshot,
    StorageSnapshotSpec,
    Subnet,
    SubnetSpec,
)
from anabranch.plugins import PluginRegistry

__all__ = ["Broker"]


class Broker(BrokerBase):
    """All configured clouds in one object.

    `broker = Broker(load_configuration())`, then `async with broker: await
    broker.instances.list()`. Every collection is an attribute; connecting and logging in happen
    when needed.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        registry: PluginRegistry | None = None,
        beside: BrokerBase | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(configuration, registry=registry, beside=beside, environment=environment)
        self.realms: Collection[Realm] = Collection(self, "realms", "realm")
        self.hardware_profiles: Collection[HardwareProfile] = Collection(
            self, "hardware_profiles", "hardware_profile"
        )
        self.images: AwaitedCollection[Image, ImageSpec] = AwaitedCollection(
            self, "images", "image"
        )
        self.instances = Instances(self, "instances", "instance")
        self.keys: OwnedCollection[Key, KeySpec] = OwnedCollection(self, "keys", "key")
        self.firewalls = Firewalls(self, "firewalls", "firewall")
        self.addresses = Addresses(self, "addresses", "address")
        self.load_balancers = LoadBalancers(self, "load_balancers", "load_balancer")
        self.storage_volumes = StorageVolumes(self, "storage_volumes", "storage_volume")
        self.storage_snapshots: AwaitedCollection[StorageSnapshot, StorageSnapshotSpec] = (
            AwaitedCollection(self, "storage_snapshots", "storage_snapshot")
        )
        self.networks: OwnedCollection[Network, NetworkSpec] = OwnedCollection(
            self, "networks", "network"
        )
        self.subnets: OwnedCollection[Subnet, SubnetSpec] = OwnedCollection(
            self, "subnets", "subnet"
        )
        self.network_interfaces: OwnedCollection[NetworkInterface, NetworkInterfaceSpec] = (
            OwnedCollection(self, "network_interfaces", "network_interface")
        )
        self.buckets: OwnedCollection[Bucket, BucketSpec] = OwnedCollection(
            self, "buckets", "bucket"
        )
        self.blobs = Blobs(self)
        self.metrics: Collection[Metric] = Collection(self, "metrics", "metric")
        self.quotas: Listing[Quota] = Listing(self, "quotas", "quota")
