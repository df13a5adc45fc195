"""Blobs: their content comes and goes in chunks, in one piece or in segments."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Final

import anyio.lowlevel

from anabranch.errors import InvalidRequest, QuotaExceeded
from anabranch.hooks import hookimpl
from anabranch.hooks.blobs import BlobsSpec
from anabranch.models import Blob, BlobContent, BlobSegment, BlobSpec
from anabranch.paging import Page
from anabranch_mock import objects
from anabranch_mock.calls import call, listing
from anabranch_mock.settings import MockSettings
from anabranch_mock.store import MockCloud

__all__ = ["Blobs"]

_CHUNK: Final = 64 * 1024


class Blobs(BlobsSpec[MockSettings]):
    """The hooks of the blobs."""

    @hookimpl
    async def list_blobs(self, cloud: MockCloud, cursor: str | None, bucket_id: str) -> Page[Blob]:
        return await listing(
            cloud, "list_blobs", lambda store: store.page(store.blobs_of(bucket_id), cursor)
        )

    @hookimpl
    async def get_blob(self, cloud: MockCloud, bucket_id: str, blob_id: str) -> Blob:
        return await call(cloud, "get_blob", lambda store: store.blobs_of(bucket_id).get(blob_id))

    @hookimpl
    async def open_blob(self, cloud: MockCloud, bucket_id: str, blob_id: str) -> BlobContent:
        blob, content = await call(
            cloud, "open_blob", lambda store: objects.read(store, bucket_id, blob_id)
        )
        chunks = _chunks(content)
        return BlobContent(blob, chunks, chunks.aclose)

    @hookimpl
    async def create_blob(
        self, cloud: MockCloud, spec: BlobSpec, content: AsyncIterator[bytes]
    ) -> Blob:
        data = await _receive(cloud, content)
        return await call(cloud, "create_blob", lambda store: objects.write(store, spec, data))

    @hookimpl
    async def set_blob_metadata(
        self, cloud: MockCloud, bucket_id: str, blob_id: str, metadata: Mapping[str, str]
    ) -> Blob:
        return await call(
            cloud,
            "set_blob_metadata",
            lambda store: objects.describe(store, bucket_id, blob_id, metadata),
        )

    @hookimpl
    async def destroy_blob(self, cloud: MockCloud, bucket_id: str, blob_id: str) -> None:
        await call(cloud, "destroy_blob", lambda store: objects.erase(store, bucket_id, blob_id))

    @hookimpl
    async def begin_blob_upload(self, cloud: MockCloud, spec: BlobSpec) -> str:
        return await call(cloud, "begin_blob_upload", lambda store: objects.begin(store, spec))

    @hookimpl
    async def upload_blob_segment(
        self,
        cloud: MockCloud,
        spec: BlobSpec,
        upload_id: str,
        order: int,
        content: AsyncIterator[bytes],
    ) -> BlobSegment:
        del spec  # the upload knows it
        if order < 1:
            raise InvalidRequest(f"order: {order}; segments are counted from 1")
        data = await _receive(cloud, content)
        return await call(
            cloud,
            "upload_blob_segment",
            lambda store: objects.add_segment(store, upload_id, order, data),
        )

    @hookimpl
    async def complete_blob_upload(
        self, cloud: MockCloud, spec: BlobSpec, upload_id: str, segments: Sequence[BlobSegment]
    ) -> Blob:
        return await call(
            cloud,
            "complete_blob_upload",
            lambda store: objects.complete(store, spec, upload_id, segments),
        )

    @hookimpl
    async def abort_blob_upload(self, cloud: MockCloud, spec: BlobSpec, upload_id: str) -> None:
        del spec  # the upload knows it
        await call(cloud, "abort_blob_upload", lambda store: objects.abort(store, upload_id))


async def _receive(cloud: MockCloud, content: AsyncIterator[bytes]) -> bytes:
    """Read all of `content`; a cloud made of memory has nowhere else to put it."""
    limit = cloud.settings.quotas.blob_bytes
    data = bytearray()
    async for chunk in content:
        data += chunk
        if len(data) > limit:
            raise QuotaExceeded(f"the account may have {limit} bytes in blobs")
    return bytes(data)


async def _chunks(content: bytes) -> AsyncGenerator[bytes, None]:
    for start in range(0, len(content), _CHUNK):
        await anyio.lowlevel.checkpoint()
        yield content[start : start + _CHUNK]
