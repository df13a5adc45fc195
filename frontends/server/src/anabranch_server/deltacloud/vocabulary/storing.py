"""Storage volumes, storage snapshots and buckets."""

from __future__ import annotations

from typing import Final

from anabranch import Feature
from anabranch_server.deltacloud.vocabulary.words import (
    ID,
    Action,
    Collection,
    Parameter,
    create,
    destroy,
)

__all__ = ["STORING"]

STORING: Final = (
    Collection(
        name="storage_volumes",
        singular="storage_volume",
        title="Storage volumes",
        filters=(ID,),
        actions=(
            create(
                "create_storage_volume",
                Parameter("snapshot_id", kind="storage_snapshots"),
                Parameter(
                    "capacity", kind="number", least=1, field="capacity_gb", help="GB; else 1"
                ),
                Parameter("realm_id", kind="realms"),
                Parameter("name", feature=Feature.VOLUME_NAME),
                Parameter("description", feature=Feature.VOLUME_DESCRIPTION),
                Parameter("kind", feature=Feature.VOLUME_KIND, help="the platform's type"),
                Parameter(
                    "tags",
                    kind="pair",
                    numbered="tags{}",
                    feature=Feature.VOLUME_TAGS,
                    help="NAME=VALUE",
                ),
            ),
            Action(
                name="attach",
                operation="attach_storage_volume",
                paths=("attach",),
                form="attach_instance",
                parameters=(
                    Parameter("instance_id", required=True, kind="instances", field="instance"),
                    Parameter("device", help="/dev/vdb; a wish on most platforms"),
                ),
            ),
            Action(name="detach", operation="detach_storage_volume", paths=("detach",)),
            destroy("destroy_storage_volume"),
        ),
    ),
    Collection(
        name="storage_snapshots",
        singular="storage_snapshot",
        title="Storage snapshots",
        filters=(ID,),
        actions=(
            create(
                "create_storage_snapshot",
                Parameter(
                    "volume_id",
                    kind="storage_volumes",
                    feature=Feature.SNAPSHOT_OF_VOLUME,
                    field="storage_volume_id",
                    help="the volume to take it of, or",
                ),
                Parameter(
                    "instance_id",
                    kind="instances",
                    feature=Feature.SNAPSHOT_OF_INSTANCE,
                    help="the instance to take it of",
                ),
                Parameter("name", feature=Feature.SNAPSHOT_NAME),
                Parameter("description", feature=Feature.SNAPSHOT_DESCRIPTION),
            ),
            destroy("destroy_storage_snapshot"),
        ),
    ),
    Collection(
        name="buckets",
        singular="bucket",
        title="Buckets",
        filters=(ID,),
        actions=(
            create(
                "create_bucket",
                Parameter("name", required=True),
                Parameter("location", feature=Feature.BUCKET_LOCATION),
            ),
            destroy("destroy_bucket"),
        ),
    ),
)
"""Its collections; what is done with the blobs of a bucket is not in this table."""
