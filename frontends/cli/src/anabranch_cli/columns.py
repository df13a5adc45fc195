"""Which fields the tables show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

__all__ = ["Column", "columns_of"]


class Column(NamedTuple):
    """A title, and the path of the field under it."""

    title: str
    path: str


_TABLES: Final[Mapping[str, str]] = {
    "realms": "name state limit region",
    "hardware_profiles": "name cpu memory_mib storage_gb architecture",
    "images": "name state architecture size=size_bytes created=created_at",
    "instances": "name state profile=hardware_profile_id public=public_addresses "
    "private=private_addresses",
    "keys": "name kind fingerprint",
    "firewalls": "name description rules",
    "addresses": "ip instance=instance_id private=private_ip network=network_id "
    "state=platform_state",
    "load_balancers": "name state=platform_state addresses=public_addresses listeners "
    "instances=instance_ids",
    "storage_volumes": "name state capacity_gb kind instance=instance_id device",
    "storage_snapshots": "name state volume=storage_volume_id size_gb created=created_at",
    "networks": "name state blocks=address_blocks external shared",
    "subnets": "name network=network_id block=address_block gateway state",
    "network_interfaces": "name state network=network_id addresses=ip_addresses "
    "mac=mac_address instance=instance_id",
    "buckets": "name blobs=blob_count size=size_bytes location",
    "blobs": "bucket=bucket_id size=content_length type=content_type modified=last_modified",
    "metrics": "entity series",
    "quotas": "limit used unit",
}


def columns_of(collection: str, chosen: Sequence[str] | None = None) -> list[Column]:
    """Return the columns of a collection's table.

    Args:
        collection: Its name; another name: that of the fields in `chosen`.
        chosen: Paths that the user chose instead.
    """
    if chosen:
        return [Column(path, path) for path in chosen]
    words = ["cloud", "id", *_TABLES.get(collection, "name").split()]
    return [Column(title, path or title) for title, _, path in (w.partition("=") for w in words)]
