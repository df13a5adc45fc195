"""Hooks of the blobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Generic, TypeVar

from anabranch.cloud import Cloud
from anabranch.hooks._markers import operation
from anabranch.models import Blob, BlobContent, BlobSegment, BlobSpec
from anabranch.paging import Page
from anabranch.settings import CloudSettings

__all__ = ["BlobsSpec"]

S = TypeVar("S", bound=CloudSettings)


class BlobsSpec(Generic[S]):
    """What can be done with blobs. A blob's id is its name within its bucket."""

    @operation
    async def list_blobs(self, cloud: Cloud[S], cursor: str | None, bucket_id: str) -> Page[Blob]:
        """Return one page of a bucket's blobs.

        Args:
            cloud: Where.
            cursor: The cursor of the page before; None: the first page.
            bucket_id: The bucket.

        Raises:
            NotFound: no such bucket.
        """
        raise NotImplementedError

    @operation
    async def get_blob(self, cloud: Cloud[S], bucket_id: str, blob_id: str) -> Blob:
        """Return what a blob is, with its metadata, without its content.

        Raises:
            NotFound: no such bucket or blob.
        """
        raise NotImplementedError

    @operation
    async def open_blob(self, cloud: Cloud[S], bucket_id: str, blob_id: str) -> BlobContent:
        """Begin to receive a blob's content; the caller enters and leaves what is returned.

        Raises:
            NotFound: no such bucket or blob.
        """
        raise NotImplementedError

    @operation
    async def create_blob(
        self, cloud: Cloud[S], spec: BlobSpec, content: AsyncIterator[bytes]
    ) -> Blob:
        """Store a blob while its content arrives, replacing one of that name.

        Raises:
            NotFound: no such bucket.
            OutcomeUnknown: the answer was lost.
        """
        raise NotImplementedError

    @operation
    async def set_blob_metadata(
        self, cloud: Cloud[S], bucket_id: str, blob_id: str, metadata: Mapping[str, str]
    ) -> Blob:
        """Replace a blob's metadata. Idempotent.

        Raises:
            NotFound: no such bucket or blob.
        """
        raise NotImplementedError

    @operation
    async def destroy_blob(self, cloud: Cloud[S], bucket_id: str, blob_id: str) -> None:
        """Destroy a blob. The broker takes NotFound for success: it is gone.

        Raises:
            NotFound: no such bucket or blob.
        """
        raise NotImplementedError

    @operation
    async def begin_blob_upload(self, cloud: Cloud[S], spec: BlobSpec) -> str:
        """Begin to store a blob in segments, and return an id for that.

        Raises:
            NotFound: no such bucket.
        """
        raise NotImplementedError

    @operation
    async def upload_blob_segment(
        self,
        cloud: Cloud[S],
        spec: BlobSpec,
        upload_id: str,
        order: int,
        content: AsyncIterator[bytes],
    ) -> BlobSegment:
        """Store one segment; `order` counts from 1, and may come in any order or again.

        Raises:
            NotFound: no such upload.
        """
        raise NotImplementedError

    @operation
    async def complete_blob_upload(
        self, cloud: Cloud[S], spec: BlobSpec, upload_id: str, segments: Sequence[BlobSegment]
    ) -> Blob:
        """Make the blob of its segments.

        Raises:
            NotFound: no such upload.
            InvalidRequest: a segment is missing.
        """
        raise NotImplementedError

    @operation
    async def abort_blob_upload(self, cloud: Cloud[S], spec: BlobSpec, upload_id: str) -> None:
        """Throw the segments of an upload away. Idempotent.

        Raises:
            NotFound: no such upload.
        """
        raise NotImplementedError
