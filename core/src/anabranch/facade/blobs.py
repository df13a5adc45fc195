"""Blobs in the façade: streamed up and down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio

from anabranch.answer import Answer
from anabranch.broker import BrokerBase
from anabranch.errors import ConfigurationError, NotFound
from anabranch.fanout import FanOut
from anabranch.hooks import Ops
from anabranch.ids import QualifiedId
from anabranch.models import Blob, BlobContent, BlobSegment, BlobSpec

__all__ = ["Blobs"]

_TRANSFER = 24 * 3600.0


class Blobs:
    """The blobs in the buckets of all clouds: `cloud/bucket` and `cloud/bucket/blob`."""

    def __init__(self, broker: BrokerBase) -> None:
        self._broker = broker

    async def list(
        self,
        bucket: str | QualifiedId,
        *,
        timeout: float | None = None,
        limit: int | None = None,
        cursors: Mapping[str, str] | None = None,
    ) -> Answer[Blob]:
        """List the blobs of a bucket; arguments and answer are those of a fan-out to its cloud."""
        where = self._broker.parse(bucket)
        operation: Any = Ops.list_blobs
        fan_out: FanOut[Blob] = self._broker.fan_out(
            operation,
            clouds=[where.cloud],
            timeout=timeout,
            limit=limit,
            cursors=cursors,
            bucket_id=where.id,
        )
        return await fan_out.answer()

    async def get(self, target: str | QualifiedId) -> Blob:
        """Return what a blob is, with its metadata, without its content.

        Raises:
            NotFound: no such bucket or blob.
        """
        blob: Blob = await self._do(target, "get_blob")
        return blob

    @asynccontextmanager
    async def open(self, target: str | QualifiedId) -> AsyncGenerator[BlobContent]:
        """Receive a blob's content while it arrives: `async for chunk in content`.

        Raises:
            NotFound: no such bucket or blob.
        """
        content: BlobContent = await self._do(target, "open_blob")
        async with content:
            yield content

    async def create(
        self,
        cloud: str,
        spec: BlobSpec,
        content: AsyncIterator[bytes],
        *,
        timeout: float = _TRANSFER,
    ) -> Blob:
        """Store a blob while its content arrives, replacing one of that name.

        The content is closed at the end, if it can be, even when it was not read to its end.

        Raises:
            NotFound: no such bucket.
            OutcomeUnknown: the answer was lost.
        """
        async with _closing(content):
            blob: Blob = await self._broker.invoke(
                cloud, "create_blob", {"spec": spec, "content": content}, timeout=timeout
            )
        return blob

    async def set_metadata(self, target: str | QualifiedId, metadata: Mapping[str, str]) -> Blob:
        """Replace a blob's metadata. Idempotent."""
        blob: Blob = await self._do(target, "set_blob_metadata", metadata=metadata)
        return blob

    async def destroy(self, target: str | QualifiedId) -> bool:
        """Destroy a blob, and tell whether it was there. Idempotent."""
        try:
            await self._do(target, "destroy_blob")
        except NotFound:
            return False
        return True

    async def begin_upload(self, cloud: str, spec: BlobSpec) -> str:
        """Begin to store a blob in segments, and return an id for that."""
        upload_id: str = await self._broker.invoke(cloud, "begin_blob_upload", {"spec": spec})
        return upload_id

    async def upload_segment(
        self,
        cloud: str,
        spec: BlobSpec,
        upload_id: str,
        order: int,
        content: AsyncIterator[bytes],
        *,
        timeout: float = _TRANSFER,
    ) -> BlobSegment:
        """Store one segment; `order` counts from 1. The content is closed as by `create`."""
        arguments = {"spec": spec, "upload_id": upload_id, "order": order, "content": content}
        async with _closing(content):
            segment: BlobSegment = await self._broker.invoke(
                cloud, "upload_blob_segment", arguments, timeout=timeout
            )
        return segment

    async def complete_upload(
        self, cloud: str, spec: BlobSpec, upload_id: str, segments: Sequence[BlobSegment]
    ) -> Blob:
        """Make the blob of its segments."""
        blob: Blob = await self._broker.invoke(
            cloud,
            "complete_blob_upload",
            {"spec": spec, "upload_id": upload_id, "segments": segments},
        )
        return blob

    async def abort_upload(self, cloud: str, spec: BlobSpec, upload_id: str) -> None:
        """Throw the segments of an upload away. Idempotent."""
        await self._broker.invoke(
            cloud, "abort_blob_upload", {"spec": spec, "upload_id": upload_id}
        )

    async def _do(self, target: str | QualifiedId, operation: str, **arguments: Any) -> Any:
        where = self._broker.parse(target)
        bucket_id, slash, blob_id = where.id.partition("/")
        if not (slash and blob_id):
            raise ConfigurationError(
                f"{target!s} does not name a blob", remedy="Write CLOUD/BUCKET/BLOB"
            )
        arguments = {"bucket_id": bucket_id, "blob_id": blob_id, **arguments}
        return await self._broker.invoke(where.cloud, operation, arguments)


@asynccontextmanager
async def _closing(content: AsyncIterator[bytes]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        if isinstance(content, AsyncGenerator):
            with anyio.move_on_after(1, shield=True):
                await content.aclose()
