"""Uploads in segments: swift's static large objects are made so."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from anabranch.errors import InvalidRequest, NotFound
from anabranch.hooks import hookimpl
from anabranch.hooks.blobs import BlobsSpec
from anabranch.models import Blob, BlobSegment, BlobSpec
from anabranch_openstack import convert_blobs
from anabranch_openstack.blob_segments import (
    LONG,
    OURS,
    destroy_segments,
    own_segments,
    replacing,
    segments_of,
)
from anabranch_openstack.client import OpenStackCloud, Session, session
from anabranch_openstack.object_store import ask, blob_path, bucket_path, names
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.uploads import Upload

__all__ = ["BlobUploads"]

_MARK: Final = 0
"""The place of an empty object that is there as long as the upload is; segments count from 1."""


class BlobUploads(BlobsSpec[OpenStackSettings]):
    """Objects: stored in segments. The id of an upload is part of its segments' names."""

    @hookimpl
    async def begin_blob_upload(self, cloud: OpenStackCloud, spec: BlobSpec) -> str:
        swift = session(cloud)
        convert_blobs.metadata_headers(spec.metadata)
        upload_id = uuid.uuid4().hex
        path, missing = bucket_path(spec.bucket_id), f"bucket {spec.bucket_id!r}"
        bucket = await ask(swift, "HEAD", path, missing=missing)
        await _make_container(swift, spec, bucket.headers.get("x-storage-policy"))
        await ask(swift, "PUT", _path(spec, upload_id, _MARK), missing=missing, content=b"")
        return upload_id

    @hookimpl
    async def upload_blob_segment(
        self,
        cloud: OpenStackCloud,
        spec: BlobSpec,
        upload_id: str,
        order: int,
        content: AsyncIterator[bytes],
    ) -> BlobSegment:
        if order < 1:
            raise InvalidRequest(f"{order} is no place of a segment: they are counted from 1")
        swift = session(cloud)
        await _require(swift, spec, upload_id)
        upload = Upload(swift, content, None)
        reply = await upload.put(
            _path(spec, upload_id, order),
            missing=_missing(upload_id),
            headers={"content-type": "application/octet-stream"},
        )
        etag = convert_blobs.etag(reply.headers.get("etag")) or ""
        return BlobSegment(order=order, etag=etag, size_bytes=upload.size)

    @hookimpl
    async def complete_blob_upload(
        self, cloud: OpenStackCloud, spec: BlobSpec, upload_id: str, segments: Sequence[BlobSegment]
    ) -> Blob:
        swift = session(cloud)
        ordered = sorted(segments, key=lambda segment: segment.order)
        for order, segment in enumerate(ordered, start=1):
            if segment.order != order:
                raise InvalidRequest(f"segment {order} is missing, or another is there twice")
        await _require(swift, spec, upload_id)
        used = {_name(spec, upload_id, s.order) for s in ordered if s.size_bytes}
        async with replacing(swift, spec, used):
            blob = await _join(swift, spec, upload_id, ordered)
        there = await names(
            swift, bucket_path(segments_of(spec.bucket_id)), _prefix(spec, upload_id)
        )
        mark = _name(spec, upload_id, _MARK)
        await destroy_segments(swift, spec.bucket_id, {mark, *there} - used)
        return blob

    @hookimpl
    async def abort_blob_upload(
        self, cloud: OpenStackCloud, spec: BlobSpec, upload_id: str
    ) -> None:
        swift = session(cloud)
        await _require(swift, spec, upload_id)
        # What was completed without ever telling so must not lose its segments.
        kept = {_name(spec, upload_id, _MARK), *await own_segments(swift, spec)}
        there = await names(
            swift, bucket_path(segments_of(spec.bucket_id)), _prefix(spec, upload_id)
        )
        await destroy_segments(swift, spec.bucket_id, (name for name in there if name not in kept))
        # Last: whoever is cancelled in between can abort again.
        path = _path(spec, upload_id, _MARK)
        await ask(swift, "DELETE", path, missing=_missing(upload_id))


async def _make_container(swift: Session, spec: BlobSpec, policy: str | None) -> None:
    """Make the container for segments, in the storage policy of the bucket, unless it is there."""
    path, missing = bucket_path(segments_of(spec.bucket_id)), "account in the object store"
    try:
        await ask(swift, "HEAD", path, missing=missing)
    except NotFound:
        headers = {OURS: "segments", **({"x-storage-policy": policy} if policy else {})}
        await ask(swift, "PUT", path, missing=missing, headers=headers)


async def _join(
    swift: Session, spec: BlobSpec, upload_id: str, segments: Sequence[BlobSegment]
) -> Blob:
    manifest = msgspec.json.encode(
        [
            {
                "path": f"/{segments_of(spec.bucket_id)}/{_name(spec, upload_id, segment.order)}",
                "etag": segment.etag,
                "size_bytes": segment.size_bytes,
            }
            for segment in segments
            if segment.size_bytes  # swift takes no empty ones
        ]
    )
    reply = await ask(
        swift,
        "PUT",
        blob_path(spec.bucket_id, spec.name),
        missing=f"bucket {spec.bucket_id!r}",
        params={"multipart-manifest": "put"},
        headers={
            "content-type": spec.content_type,
            **convert_blobs.metadata_headers(spec.metadata),
        },
        content=manifest,
        timeout=LONG,
    )
    size = sum(segment.size_bytes for segment in segments)
    return convert_blobs.stored_blob(swift.cloud.name, spec, size, reply.headers)


async def _require(swift: Session, spec: BlobSpec, upload_id: str) -> None:
    """Raise NotFound unless there is such an upload."""
    await ask(swift, "HEAD", _path(spec, upload_id, _MARK), missing=_missing(upload_id))


def _prefix(spec: BlobSpec, upload_id: str) -> str:
    return f"{spec.name}/{upload_id}/"


def _name(spec: BlobSpec, upload_id: str, order: int) -> str:
    return f"{_prefix(spec, upload_id)}{order:08}"


def _path(spec: BlobSpec, upload_id: str, order: int) -> str:
    return blob_path(segments_of(spec.bucket_id), _name(spec, upload_id, order))


def _missing(upload_id: str) -> str:
    return f"upload {upload_id!r}"
