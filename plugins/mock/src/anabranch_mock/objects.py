"""What becomes of buckets and blobs in the state of a cloud."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from anabranch.errors import CloudError, InvalidRequest, QuotaExceeded
from anabranch.models import Blob, BlobSegment, BlobSpec, Bucket, BucketSpec
from anabranch_mock.store import MockStore, Upload, now
from anabranch_mock.table import Table
from anabranch_mock.text import check_name, check_tags

__all__ = [
    "abort",
    "add_segment",
    "begin",
    "complete",
    "describe",
    "erase",
    "make_bucket",
    "read",
    "write",
]

_BUCKET_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def make_bucket(store: MockStore, spec: BucketSpec) -> Bucket:
    """Make an empty bucket.

    Raises:
        InvalidRequest: its name or location is none.
        Conflict: there is one of that name.
        QuotaExceeded: there are as many as there may be.
    """
    if not _BUCKET_NAME.fullmatch(spec.name):
        raise InvalidRequest(
            f"name: {spec.name!r} is no name of a bucket",
            remedy="Use 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit",
        )
    bucket = Bucket(
        cloud=store.cloud,
        id=spec.name,
        name=spec.name,
        blob_count=0,
        size_bytes=0,
        created_at=now(),
        location=store.realm(spec.location, "location"),
    )
    store.buckets.add(bucket)
    store.blobs[bucket.id] = Table[Blob]("blob", limit=store.settings.quotas.blobs)
    return bucket


def read(store: MockStore, bucket_id: str, blob_id: str) -> tuple[Blob, bytes]:
    """Return a blob and its content.

    Raises:
        NotFound: no such bucket or blob.
    """
    return store.blobs_of(bucket_id).get(blob_id), store.contents[bucket_id, blob_id]


def write(store: MockStore, spec: BlobSpec, content: bytes) -> Blob:
    """Store a blob, in the place of the one of that name if there is one.

    Raises:
        NotFound: no such bucket.
        InvalidRequest: a parameter is wrong.
        QuotaExceeded: there is no room for it.
    """
    blobs = store.blobs_of(spec.bucket_id)
    check_name(spec.name, required=True)
    check_tags(spec.metadata)
    if spec.content_length not in (None, len(content)):
        raise InvalidRequest(
            f"content_length: {spec.content_length} were announced, {len(content)} came"
        )
    place = spec.bucket_id, spec.name
    _require_bytes(store, len(content) - len(store.contents.get(place, b"")))
    blob = Blob(
        cloud=store.cloud,
        id=spec.name,
        name=spec.name,
        bucket_id=spec.bucket_id,
        content_length=len(content),
        content_type=spec.content_type,
        last_modified=now(),
        etag=_etag(content),
        metadata=_lower(spec.metadata),
    )
    if blob.id in blobs:
        blobs.put(blob)
    else:
        blobs.add(blob)
    store.contents[place] = content
    _count(store, spec.bucket_id)
    return blob


def describe(store: MockStore, bucket_id: str, blob_id: str, metadata: Mapping[str, str]) -> Blob:
    """Replace the metadata of a blob.

    Raises:
        NotFound: no such bucket or blob.
        InvalidRequest: they are too many or too long.
    """
    blobs = store.blobs_of(bucket_id)
    blob = blobs.get(blob_id)
    check_tags(metadata)
    return blobs.put(msgspec.structs.replace(blob, metadata=_lower(metadata)))


def erase(store: MockStore, bucket_id: str, blob_id: str) -> None:
    """Destroy a blob.

    Raises:
        NotFound: no such bucket or blob.
    """
    blobs = store.blobs_of(bucket_id)
    blobs.get(blob_id)
    blobs.remove(blob_id)
    del store.contents[bucket_id, blob_id]
    _count(store, bucket_id)


def begin(store: MockStore, spec: BlobSpec) -> str:
    """Begin to store a blob in segments, and return the id of the upload.

    Raises:
        NotFound: no such bucket.
        InvalidRequest: a parameter is wrong.
        QuotaExceeded: too many uploads have begun and not ended.
    """
    store.buckets.get(spec.bucket_id)
    check_name(spec.name, required=True)
    check_tags(spec.metadata)
    limit = store.settings.quotas.blob_uploads
    if len(store.uploads) >= limit:
        raise QuotaExceeded(f"{limit} uploads have begun, as many as may")
    upload_id = f"upload{next(store.upload_numbers)}"
    store.uploads[upload_id] = Upload(spec=spec)
    return upload_id


def add_segment(store: MockStore, upload_id: str, order: int, content: bytes) -> BlobSegment:
    """Store a segment, in the place of the one of that order if there is one.

    Raises:
        NotFound: no such upload.
        QuotaExceeded: there is no room for it.
    """
    segments = store.upload(upload_id).segments
    _require_bytes(store, len(content) - len(segments.get(order, b"")))
    segments[order] = content
    return BlobSegment(order=order, etag=_etag(content), size_bytes=len(content))


def complete(
    store: MockStore, spec: BlobSpec, upload_id: str, segments: Sequence[BlobSegment]
) -> Blob:
    """Make the blob of its segments, in their order.

    Raises:
        NotFound: no such upload.
        InvalidRequest: the segments are not those that came, or are for another blob.
    """
    upload = store.upload(upload_id)
    if (spec.bucket_id, spec.name) != (upload.spec.bucket_id, upload.spec.name):
        raise InvalidRequest(f"name: {upload_id!r} is an upload of {upload.spec.name!r}")
    for segment in segments:
        content = upload.segments.get(segment.order)
        if content is None or _etag(content) != segment.etag:
            raise InvalidRequest(f"segments: segment {segment.order} of that hash did not come")
    orders = sorted(segment.order for segment in segments)
    if orders != list(range(1, len(upload.segments) + 1)):
        raise InvalidRequest(
            f"segments: {orders} were named, {sorted(upload.segments)} came, 1, 2, 3, … are wanted"
        )
    del store.uploads[upload_id]
    try:
        return write(store, spec, b"".join(upload.segments[order] for order in orders))
    except CloudError:
        store.uploads[upload_id] = upload
        raise


def abort(store: MockStore, upload_id: str) -> None:
    """Throw the segments of an upload away.

    Raises:
        NotFound: no such upload.
    """
    store.upload(upload_id)
    del store.uploads[upload_id]


def _require_bytes(store: MockStore, more: int) -> None:
    limit, used = store.settings.quotas.blob_bytes, store.blob_bytes
    if used + more > limit:
        raise QuotaExceeded(f"{more} more bytes wanted, {used} of {limit} are used")


def _count(store: MockStore, bucket_id: str) -> None:
    blobs = store.blobs[bucket_id]
    store.buckets.put(
        msgspec.structs.replace(
            store.buckets.get(bucket_id),
            blob_count=len(blobs),
            size_bytes=sum(blob.content_length or 0 for blob in blobs),
        )
    )


def _etag(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _lower(metadata: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in metadata.items()}
