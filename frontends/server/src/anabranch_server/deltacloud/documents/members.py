"""Lists and members of every collection, as XML and JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from anabranch import CloudReport
from anabranch.models import Resource
from anabranch_server.deltacloud.documents import (
    access,
    instances,
    metrics,
    networks,
    objects,
    storage,
    surroundings,
    trouble,
)
from anabranch_server.deltacloud.documents.markup import DECLARATION
from anabranch_server.deltacloud.documents.objects import BlobContents, BucketContents
from anabranch_server.deltacloud.documents.plain import encode
from anabranch_server.deltacloud.documents.sheet import Sheet, outdent
from anabranch_server.deltacloud.links import View

__all__ = ["index_json", "index_plain", "index_xml", "show_plain", "show_xml"]


Member = Resource | BucketContents | BlobContents
"""What a document tells of: a model, or a bucket or a blob with what is in it."""


class _Shape(NamedTuple):
    """How the members of a collection are called and written."""

    singular: str
    xml: Callable[[Any, Sheet], str]
    plain: Callable[[Any, Sheet], dict[str, Any]]


_SHAPES: Final[Mapping[str, _Shape]] = {
    "realms": _Shape("realm", surroundings.realm_xml, surroundings.realm_plain),
    "hardware_profiles": _Shape(
        "hardware_profile",
        surroundings.hardware_profile_xml,
        surroundings.hardware_profile_plain,
    ),
    "images": _Shape("image", surroundings.image_xml, surroundings.image_plain),
    "instances": _Shape("instance", instances.instance_xml, instances.instance_plain),
    "keys": _Shape("key", access.key_xml, access.key_plain),
    "firewalls": _Shape("firewall", access.firewall_xml, access.firewall_plain),
    "addresses": _Shape("address", access.address_xml, access.address_plain),
    "load_balancers": _Shape(
        "load_balancer", networks.load_balancer_xml, networks.load_balancer_plain
    ),
    "storage_volumes": _Shape(
        "storage_volume", storage.storage_volume_xml, storage.storage_volume_plain
    ),
    "storage_snapshots": _Shape(
        "storage_snapshot", storage.storage_snapshot_xml, storage.storage_snapshot_plain
    ),
    "networks": _Shape("network", networks.network_xml, networks.network_plain),
    "subnets": _Shape("subnet", networks.subnet_xml, networks.subnet_plain),
    "network_interfaces": _Shape(
        "network_interface", networks.network_interface_xml, networks.network_interface_plain
    ),
    "buckets": _Shape("bucket", objects.bucket_xml, objects.bucket_plain),
    "blobs": _Shape("blob", objects.blob_xml, objects.blob_plain),
    "metrics": _Shape("metric", metrics.metric_xml, metrics.metric_plain),
}


def index_xml(
    collection: str,
    items: Sequence[Member],
    view: View,
    clouds: Sequence[CloudReport] | None = None,
    *,
    secrets: bool = False,
) -> bytes:
    """Return a list as XML.

    Args:
        collection: Its name; `blobs` too is one.
        items: Its members; their order is kept.
        view: How things are named.
        clouds: What became of each cloud, where several were asked.
        secrets: Whether passwords and private keys are told: only in the answer to a create.
    """
    write, sheet = _SHAPES[collection].xml, Sheet(view, secrets=secrets)
    parts = [DECLARATION, f"<{collection}>\n", *[write(item, sheet) for item in items]]
    if clouds is not None:
        parts.append(trouble.clouds_xml(clouds))
    parts.append(f"</{collection}>\n")
    return "".join(parts).encode()


def show_xml(collection: str, item: Member, view: View) -> bytes:
    """Return one member of a collection as XML, with the secrets that its model holds."""
    body = _SHAPES[collection].xml(item, Sheet(view, secrets=True))
    return f"{DECLARATION}{outdent(body)}".encode()


def index_plain(
    collection: str,
    items: Sequence[Member],
    view: View,
    clouds: Sequence[CloudReport] | None = None,
    *,
    secrets: bool = False,
) -> dict[str, Any]:
    """Return a list for JSON; see `index_xml`."""
    return _index(collection, items, Sheet(view, secrets=secrets), clouds)


def _index(
    collection: str,
    items: Sequence[Member],
    sheet: Sheet,
    clouds: Sequence[CloudReport] | None,
) -> dict[str, Any]:
    write = _SHAPES[collection].plain
    plain: dict[str, Any] = {collection: [write(item, sheet) for item in items]}
    if clouds is not None:
        plain["clouds"] = trouble.clouds_plain(clouds)
    return plain


def show_plain(
    collection: str, item: Member, view: View, *, wrapped: bool = True
) -> dict[str, Any]:
    """Return one member of a collection for JSON.

    Args:
        collection: Its name.
        item: The member.
        view: How things are named.
        wrapped: Whether it is the value of a key, the collection's name in the singular; the
            answer to an action on an instance is not.
    """
    shape = _SHAPES[collection]
    plain = shape.plain(item, Sheet(view, secrets=True))
    return {shape.singular: plain} if wrapped else plain


def index_json(
    collection: str,
    items: Sequence[Member],
    view: View,
    clouds: Sequence[CloudReport] | None = None,
    *,
    secrets: bool = False,
) -> bytes:
    """Return a list as JSON; see `index_xml`."""
    sheet = Sheet(view, secrets=secrets, encoded=True)
    return encode(_index(collection, items, sheet, clouds))
