"""Buckets: swift's containers. Their names are their ids."""

from __future__ import annotations

from functools import partial
from typing import Final

from anabranch.errors import CloudError, Conflict
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.buckets import BucketsSpec
from anabranch.models import Bucket, BucketSpec
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_blobs, wire_blobs
from anabranch_openstack.blob_segments import destroy_container
from anabranch_openstack.client import OpenStackCloud, Session, session
from anabranch_openstack.object_store import ask, bucket_path, page
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["Buckets"]

_CONTAINER: Final = Reader(wire_blobs.Container)
_MADE_BEFORE: Final = 202


class Buckets(BucketsSpec[OpenStackSettings]):
    """Containers. Where a container is, its storage policy says."""

    @hookimpl
    async def list_buckets(self, cloud: OpenStackCloud, cursor: str | None) -> Page[Bucket]:
        return await page(
            session(cloud),
            "",
            missing="account in the object store",
            reader=_CONTAINER,
            convert=partial(convert_blobs.bucket, cloud.name),
            cursor=cursor,
        )

    @hookimpl
    async def get_bucket(self, cloud: OpenStackCloud, bucket_id: str) -> Bucket:
        return await _show(session(cloud), bucket_id)

    @hookimpl
    @offers(Feature.BUCKET_LOCATION)
    async def create_bucket(self, cloud: OpenStackCloud, spec: BucketSpec) -> Bucket:
        swift = session(cloud)
        headers = {"x-storage-policy": spec.location} if spec.location else None
        reply = await ask(
            swift,
            "PUT",
            bucket_path(spec.name),
            missing="account in the object store",
            headers=headers,
            idempotent=False,  # a second one would be told that there is such a bucket already
        )
        if reply.status == _MADE_BEFORE:
            raise Conflict(f"there is a bucket {spec.name!r} already", provider_code=reply.status)
        try:
            return await _show(swift, spec.name)
        except CloudError as exc:
            cloud.log.warning("openstack.bucket.unseen", bucket_id=spec.name, error=str(exc))
            return Bucket(cloud=cloud.name, id=spec.name, name=spec.name, location=spec.location)

    @hookimpl
    async def destroy_bucket(self, cloud: OpenStackCloud, bucket_id: str) -> None:
        swift = session(cloud)
        path = bucket_path(bucket_id)
        try:
            await ask(swift, "DELETE", path, missing=f"bucket {bucket_id!r}")
        except Conflict as exc:
            raise Conflict(
                f"the bucket {bucket_id!r} is not empty",
                provider_code=exc.provider_code,
                request_id=exc.request_id,
                remedy="Destroy its blobs first",
            ) from exc
        await destroy_container(swift, bucket_id)


async def _show(swift: Session, bucket_id: str) -> Bucket:
    path = bucket_path(bucket_id)
    reply = await ask(swift, "HEAD", path, missing=f"bucket {bucket_id!r}")
    return convert_blobs.described_bucket(swift.cloud.name, bucket_id, reply.headers)
