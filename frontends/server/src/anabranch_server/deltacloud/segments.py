"""Blobs that are sent in segments, with nothing to remember in between.

What has to be known later is sealed in the ids that clients bring back: the cloud's id of the
upload, the type and metadata that were told at the beginning, the size and hash of each segment.

Deltacloud: a PUT with `X-Deltacloud-BlobType: segmented` begins and is answered with
`X-Deltacloud-SegmentedBlob`; one that brings this and `X-Deltacloud-SegmentOrder` is a segment and
is answered with `X-Deltacloud-BlobSegmentId`; one without an order is the end, and its body the
manifest: `1=ID, 2=ID, …`. (server/lib/deltacloud/collections/buckets.rb and
helpers/blob_stream_helper.rb of apache/deltacloud.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from anabranch import QualifiedId
from anabranch.models import BlobSegment, BlobSpec
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.sealing import opened, sealed
from anabranch_server.problems import Problem

__all__ = ["Upload"]

_LIFE: Final = 7 * 24 * 3600.0
"""Seconds that an upload may take from its beginning to its end."""
_META: Final = "meta:"


class Upload:
    """An upload in segments that has begun.

    Attributes:
        cloud: Where.
        spec: The blob that it will be.
        upload_id: What the cloud calls the upload.
    """

    def __init__(self, request: Request, cloud: str, spec: BlobSpec, upload_id: str) -> None:
        """Take an upload that has begun now."""
        self.cloud, self.spec, self.upload_id = cloud, spec, upload_id
        self._about = _about(request, QualifiedId(cloud, f"{spec.bucket_id}/{spec.name}"))

    @classmethod
    def resumed(cls, request: Request, where: QualifiedId, ident: str) -> Upload:
        """Find an upload by the id that its client was told.

        Raises:
            Problem: it is none of that blob, or a week old.
        """
        found = opened(ident, _about(request, where), life=_LIFE)
        if found is None:
            raise Problem(
                400,
                f"{ident[:40]!r} is no upload in segments that was begun for this blob, or a week "
                "old",
                remedy="Send the id as it was told, or begin again",
            )
        bucket, _, name = where.id.partition("/")
        metadata = {k.removeprefix(_META): v for k, v in found.items() if k.startswith(_META)}
        spec = BlobSpec(bucket_id=bucket, name=name, content_type=found["type"], metadata=metadata)
        return cls(request, where.cloud, spec, found["id"])

    def __str__(self) -> str:
        """Return the id to tell to the client."""
        metadata = {_META + name: value for name, value in self.spec.metadata.items()}
        values = {"id": self.upload_id, "type": self.spec.content_type, **metadata}
        return sealed(values, self._about)

    def segment_id(self, segment: BlobSegment) -> str:
        """Return the id of a segment that was stored; it has no `=`, no comma and no space."""
        values = {"etag": segment.etag, "size": str(segment.size_bytes)}
        return sealed(values, self._of_segment(segment.order))

    def segments(self, manifest: bytes) -> Sequence[BlobSegment]:
        """Read a manifest: `1=ID, 2=ID, …`, in any order.

        Raises:
            Problem: it is none, or has an id that was not told for a segment of that order.
        """
        return [self._segment(entry) for entry in manifest.decode(errors="replace").split(",")]

    def _segment(self, entry: str) -> BlobSegment:
        order, _, ident = (part.strip() for part in entry.partition("="))
        number = int(order) if order.isascii() and order.isdecimal() and len(order) < 10 else 0
        found = opened(ident, self._of_segment(number), life=_LIFE)
        if found is None:
            raise Problem(
                400,
                f"the manifest has {entry.strip()[:40]!r}, which names no segment of this upload",
                remedy="Write 1=ID, 2=ID, …, each id as it was told for the segment of that order",
            )
        return BlobSegment(order=number, etag=found["etag"], size_bytes=int(found["size"]))

    def _of_segment(self, order: int) -> list[Any]:
        return ["segment", *self._about[1:], self.upload_id, order]


def _about(request: Request, where: QualifiedId) -> list[Any]:
    """Return what an upload belongs to: the same account, cloud and blob."""
    return ["upload", where.cloud, where.id, *request.asker]
