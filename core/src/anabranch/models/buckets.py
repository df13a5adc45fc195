"""Buckets and the blobs in them: object storage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self

import msgspec

from anabranch.models._base import Resource

__all__ = ["Blob", "BlobContent", "BlobSegment", "BlobSpec", "Bucket", "BucketSpec"]


class Bucket(Resource, frozen=True, kw_only=True):
    """A bucket.

    Attributes:
        blob_count: How many blobs it holds; None: not told.
        size_bytes: How much they hold; None: not told.
        created_at: When it was made, UTC.
        location: Where it is, in the platform's words.
    """

    blob_count: int | None = None
    size_bytes: int | None = None
    created_at: datetime | None = None
    location: str | None = None


class BucketSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The bucket to make.

    Attributes:
        name: Its name, and on most platforms its id.
        location: Where to put it (`bucket_location`); None: the cloud chooses.
    """

    name: str
    location: str | None = None


class Blob(Resource, frozen=True, kw_only=True):
    """What a blob is, without its content. Its id is its name within the bucket.

    Attributes:
        bucket_id: Bucket that holds it.
        content_length: Bytes.
        content_type: MIME type.
        last_modified: UTC.
        etag: The platform's hash of the content.
        metadata: Names and values that users gave it; names in lower case.
    """

    bucket_id: str
    content_length: int | None = None
    content_type: str | None = None
    last_modified: datetime | None = None
    etag: str | None = None
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class BlobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The blob to make.

    Attributes:
        bucket_id: Bucket to put it in.
        name: Its name there, and its id.
        content_type: MIME type.
        content_length: Bytes, if known beforehand.
        metadata: Names and values to give it.
    """

    bucket_id: str
    name: str
    content_type: str = "application/octet-stream"
    content_length: int | None = None
    metadata: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])


class BlobSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a blob that is sent in segments.

    Attributes:
        order: Its place, counted from 1.
        etag: Its hash, as the platform tells it.
        size_bytes: Bytes.
    """

    order: int
    etag: str
    size_bytes: int


class BlobContent:
    """The content of a blob as it arrives; an async context manager to iterate in.

    Closing it early ends the transfer.
    """

    def __init__(
        self, blob: Blob, chunks: AsyncIterator[bytes], aclose: Callable[[], Awaitable[None]]
    ) -> None:
        self.blob, self._chunks, self._aclose = blob, chunks, aclose

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._aclose()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks
