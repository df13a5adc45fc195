"""Blobs that are sent in segments, with nothing to remember in between.

What has to be known later is told in the ids that clients bring back. They are not secret and not
trusted: who may use the cloud may do all that a made-up id can bring about.

Deltacloud: a PUT with `X-Deltacloud-BlobType: segmented` begins; one that has
`X-Deltacloud-SegmentedBlob` and `X-Deltacloud-SegmentOrder` too is a segment; one without an order
is the end, and its body the manifest: `1=ID, 2=ID, …`. (server/lib/deltacloud/collections/
buckets.rb and helpers/blob_stream_helper.rb of apache/deltacloud.)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from anabranch.models import BlobSegment
from anabranch_server.deltacloud.problems import Problem

__all__ = ["Begun", "manifest", "segment_id"]

_REMEDY: Final = "Send it as it was told"


class Begun(msgspec.Struct, frozen=True, array_like=True):
    """An upload that has begun.

    Attributes:
        upload_id: What the cloud calls it.
        content_type: MIME type of the blob that will be.
        metadata: Its metadata.
    """

    upload_id: str
    content_type: str
    metadata: Mapping[str, str]

    def __str__(self) -> str:
        """Return it as an id of letters, digits, `-` and `_`."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).rstrip(b"=").decode()

    @classmethod
    def of(cls, text: str) -> Begun:
        """Read such an id.

        Raises:
            Problem: it is none.
        """
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            return msgspec.json.decode(plain, type=cls)
        except (binascii.Error, ValueError):  # msgspec's and those of Unicode are ValueErrors
            raise Problem(
                400, f"there is no segmented blob {text[:40]!r}", remedy=_REMEDY
            ) from None


def segment_id(segment: BlobSegment) -> str:
    """Return the id of a segment: its size and hash; it has no `=`, no comma and no space."""
    return f"{segment.size_bytes}-{quote(segment.etag, safe='')}"


def manifest(body: bytes) -> Sequence[BlobSegment]:
    """Read a manifest: `1=ID, 2=ID, …`, in any order.

    Raises:
        Problem: it is none.
    """
    return [_segment(entry.strip()) for entry in body.decode(errors="replace").split(",")]


def _segment(entry: str) -> BlobSegment:
    order, equals, ident = entry.partition("=")
    size, dash, etag = ident.strip().partition("-")
    order, size = order.strip(), size.strip()
    if not (equals and dash and _is_number(order) and _is_number(size)):
        raise Problem(
            400,
            f"the manifest has {entry[:40]!r}",
            remedy="Write 1=ID, 2=ID, …, with the ids as they were told",
        )
    return BlobSegment(order=int(order), etag=unquote(etag), size_bytes=int(size))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15
