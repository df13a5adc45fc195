"""The domain models: one frozen Struct per thing, the same for every platform."""

from __future__ import annotations

from anabranch.models._base import NO_EXTRA, Extra, Resource, to_builtins
from anabranch.models.addresses import Address, AddressSpec
from anabranch.models.buckets import Blob, BlobContent, BlobSegment, BlobSpec, Bucket, BucketSpec
from anabranch.models.firewalls import (
    Direction,
    Firewall,
    FirewallRule,
    FirewallRuleSpec,
    FirewallSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch.models.hardware_profiles import (
    HardwareProfile,
    HardwareProperty,
    PropertyKind,
    RootType,
)
from anabranch.models.images import Image, ImageSpec, ImageState
from anabranch.models.instances import (
    AttachedVolume,
    Authentication,
    Console,
    ConsoleKind,
    Hardware,
    Instance,
    InstanceSpec,
    NetworkAddress,
    NetworkAddressKind,
)
from anabranch.models.keys import Key, KeyKind, KeySpec
from anabranch.models.load_balancers import Listener, LoadBalancer, LoadBalancerSpec
from anabranch.models.metrics import Metric, MetricSample, MetricSeries, Quota
from anabranch.models.networks import (
    Network,
    NetworkInterface,
    NetworkInterfaceSpec,
    NetworkSpec,
    NetworkState,
    Subnet,
    SubnetSpec,
)
from anabranch.models.realms import Realm, RealmState
from anabranch.models.storage_snapshots import (
    StorageSnapshot,
    StorageSnapshotSpec,
    StorageSnapshotState,
)
from anabranch.models.storage_volumes import StorageVolume, StorageVolumeSpec, StorageVolumeState

__all__ = [
    "NO_EXTRA",
    "Address",
    "AddressSpec",
    "AttachedVolume",
    "Authentication",
    "Blob",
    "BlobContent",
    "BlobSegment",
    "BlobSpec",
    "Bucket",
    "BucketSpec",
    "Console",
    "ConsoleKind",
    "Direction",
    "Extra",
    "Firewall",
    "FirewallRule",
    "FirewallRuleSpec",
    "FirewallSpec",
    "Hardware",
    "HardwareProfile",
    "HardwareProperty",
    "Image",
    "ImageSpec",
    "ImageState",
    "Instance",
    "InstanceSpec",
    "Key",
    "KeyKind",
    "KeySpec",
    "Listener",
    "LoadBalancer",
    "LoadBalancerSpec",
    "Metric",
    "MetricSample",
    "MetricSeries",
    "Network",
    "NetworkAddress",
    "NetworkAddressKind",
    "NetworkInterface",
    "NetworkInterfaceSpec",
    "NetworkSpec",
    "NetworkState",
    "PropertyKind",
    "Quota",
    "Realm",
    "RealmState",
    "Resource",
    "RootType",
    "RuleAction",
    "RuleSource",
    "SourceKind",
    "StorageSnapshot",
    "StorageSnapshotSpec",
    "StorageSnapshotState",
    "StorageVolume",
    "StorageVolumeSpec",
    "StorageVolumeState",
    "Subnet",
    "SubnetSpec",
    "to_builtins",
]
