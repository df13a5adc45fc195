"""The state of one cloud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any, TypeVar

import anyio
import msgspec

from anabranch.cloud import Cloud
from anabranch.errors import NotFound
from anabranch.models import (
    Address,
    Blob,
    BlobSpec,
    Bucket,
    Firewall,
    HardwareProfile,
    Image,
    Instance,
    Key,
    LoadBalancer,
    Network,
    NetworkInterface,
    Realm,
    Resource,
    StorageSnapshot,
    StorageVolume,
    Subnet,
)
from anabranch.paging import Page
from anabranch_mock.faults import Faults
from anabranch_mock.settings import MockSettings
from anabranch_mock.table import Table

__all__ = ["MockCloud", "MockStore", "Upload", "now"]

MockCloud = Cloud[MockSettings]

R = TypeVar("R", bound=Resource)


class Upload(msgspec.Struct, kw_only=True):
    """A blob that is sent in segments, and those that have come, by their order."""

    spec: BlobSpec
    segments: dict[int, bytes] = msgspec.field(default_factory=dict[int, bytes])


class MockStore:
    """The state of one cloud.

    Nothing in here awaits, and neither does what works on it. So whatever one operation checks
    still holds when it makes its change, however many run at once.
    """

    def __init__(self, cloud: MockCloud) -> None:
        self.cloud, self.settings = cloud.name, cloud.settings
        self.faults = Faults(cloud.settings.faults)
        limits = cloud.settings.quotas

        self.realms = Table[Realm]("realm")
        self.hardware_profiles = Table[HardwareProfile]("hardware profile")
        self.images = Table[Image]("image", prefix="img", limit=limits.images)
        self.instances = Table[Instance]("instance", prefix="inst", first=0, limit=limits.instances)
        self.keys = Table[Key]("key", limit=limits.keys)
        self.firewalls = Table[Firewall]("firewall", prefix="fw", limit=limits.firewalls)
        self.rule_numbers = count(1)
        self.addresses = Table[Address]("address", limit=limits.addresses)
        self.load_balancers = Table[LoadBalancer](
            "load balancer", prefix="lb", limit=limits.load_balancers
        )
        self.storage_volumes = Table[StorageVolume](
            "storage volume", prefix="vol", limit=limits.storage_volumes
        )
        self.storage_snapshots = Table[StorageSnapshot](
            "storage snapshot", prefix="snap", limit=limits.storage_snapshots
        )
        self.networks = Table[Network]("network", prefix="net", limit=limits.networks)
        self.subnets = Table[Subnet]("subnet", prefix="subnet", limit=limits.subnets)
        self.network_interfaces = Table[NetworkInterface](
            "network interface", prefix="nic", limit=limits.network_interfaces
        )
        self.buckets = Table[Bucket]("bucket", limit=limits.buckets)
        self.blobs: dict[str, Table[Blob]] = {}
        """The blobs by bucket."""
        self.contents: dict[tuple[str, str], bytes] = {}
        """Their contents by bucket and blob."""
        self.uploads: dict[str, Upload] = {}
        self.upload_numbers = count(1)

        self._waiting: list[tuple[float, int, Callable[[], object]]] = []
        self._order = count()

    @property
    def limited(self) -> Mapping[str, Table[Any]]:
        """The tables whose limits are quotas of the account, by collection."""
        return {
            "instances": self.instances,
            "images": self.images,
            "keys": self.keys,
            "firewalls": self.firewalls,
            "addresses": self.addresses,
            "load_balancers": self.load_balancers,
            "storage_volumes": self.storage_volumes,
            "storage_snapshots": self.storage_snapshots,
            "networks": self.networks,
            "subnets": self.subnets,
            "network_interfaces": self.network_interfaces,
            "buckets": self.buckets,
        }

    def page(
        self, table: Table[R], cursor: str | None, keep: Callable[[R], bool] | None = None
    ) -> Page[R]:
        """Return one page of a table, as long as pages are in this cloud."""
        return table.page(cursor, self.settings.page_size, keep)

    @property
    def blob_bytes(self) -> int:
        """How many bytes are in blobs, and in segments of blobs to be."""
        segments = (s for upload in self.uploads.values() for s in upload.segments.values())
        return sum(map(len, self.contents.values())) + sum(map(len, segments))

    def realm(self, realm_id: str | None, field: str = "realm_id") -> str:
        """Return the id of the realm that `field` of a request names, or of the first.

        Raises:
            InvalidRequest: there is no such realm.
        """
        return self.realms.need(realm_id, field).id if realm_id else next(iter(self.realms)).id

    def blobs_of(self, bucket_id: str) -> Table[Blob]:
        """Return the blobs of a bucket.

        Raises:
            NotFound: no such bucket.
        """
        self.buckets.get(bucket_id)
        return self.blobs[bucket_id]

    def upload(self, upload_id: str) -> Upload:
        """Return an upload that has begun.

        Raises:
            NotFound: it has not, or has ended.
        """
        if upload_id not in self.uploads:
            raise NotFound(f"there is no upload {upload_id!r}")
        return self.uploads[upload_id]

    def later(self, delay: float, change: Callable[[], object]) -> None:
        """Make a change `delay` seconds from now; with a delay of 0, at once."""
        if delay <= 0:
            change()
        else:
            due = anyio.current_time() + delay
            heappush(self._waiting, (due, next(self._order), change))

    def settle(self) -> None:
        """Make the changes that have become due since somebody last looked."""
        while self._waiting and self._waiting[0][0] <= anyio.current_time():
            heappop(self._waiting)[2]()


def now() -> datetime:
    """Return the time in whole seconds, as clouds tell it."""
    return datetime.now(UTC).replace(microsecond=0)
