"""Buckets."""

from __future__ import annotations

from anabranch.errors import Conflict
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.buckets import BucketsSpec
from anabranch.models import Bucket, BucketSpec
from anabranch.paging import Page
from anabranch_mock import objects
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud, MockStore

__all__ = ["Buckets"]


class Buckets(BucketsSpec[MockSettings]):
    """The hooks of the buckets. A bucket's name is its id."""

    @hookimpl
    async def list_buckets(self, cloud: MockCloud, cursor: str | None) -> Page[Bucket]:
        return await listing(cloud, "list_buckets", lambda store: store.page(store.buckets, cursor))

    @hookimpl
    async def get_bucket(self, cloud: MockCloud, bucket_id: str) -> Bucket:
        return await call(cloud, "get_bucket", lambda store: store.buckets.get(bucket_id))

    @hookimpl
    @offers(Feature.BUCKET_LOCATION)
    async def create_bucket(self, cloud: MockCloud, spec: BucketSpec) -> Bucket:
        return await call(cloud, "create_bucket", lambda store: objects.make_bucket(store, spec))

    @hookimpl
    async def destroy_bucket(self, cloud: MockCloud, bucket_id: str) -> None:
        await call(cloud, "destroy_bucket", lambda store: _destroy(store, bucket_id))


def _destroy(store: MockStore, bucket_id: str) -> None:
    blobs = store.blobs_of(bucket_id)
    if blobs:
        raise Conflict(f"bucket {bucket_id!r} is not empty: it holds {len(blobs)} blob(s)")
    for upload_id, upload in list(store.uploads.items()):
        if upload.spec.bucket_id == bucket_id:
            del store.uploads[upload_id]
    del store.blobs[bucket_id]
    store.buckets.remove(bucket_id)
