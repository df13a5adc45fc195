"""Swift's documents and headers to models, and back: pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.models import Blob, BlobSpec, Bucket, Extra
from anabranch_openstack import wire_blobs
from anabranch_openstack.times import utc

__all__ = [
    "blob",
    "bucket",
    "described_blob",
    "described_bucket",
    "etag",
    "metadata_headers",
    "stored_blob",
]

_META: Final = "x-object-meta-"
_BUCKET_KEYS: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire_blobs.Container))
_BLOB_KEYS: Final = frozenset(f.encode_name for f in msgspec.structs.fields(wire_blobs.Object))
_TRANSPORT: Final = frozenset(
    {"connection", "content-length", "content-type", "date", "etag", "last-modified", "server"}
    | {"vary", "x-openstack-request-id", "x-timestamp", "x-trans-id"}
)
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")
"""What a header's name may consist of (RFC 9110, 5.6.2), less `_`, which swift loses."""


def bucket(cloud: str, found: wire_blobs.Container, raw: msgspec.Raw) -> Bucket:
    """Convert a container of a list."""
    return Bucket(
        cloud=cloud,
        id=found.name,
        name=found.name,
        blob_count=found.count,
        size_bytes=found.bytes,
        created_at=utc(found.last_modified),
        location=found.storage_policy,
        extra=Extra(raw, _BUCKET_KEYS),
    )


def described_bucket(cloud: str, bucket_id: str, headers: Mapping[str, str]) -> Bucket:
    """Convert the headers of a container."""
    return Bucket(
        cloud=cloud,
        id=bucket_id,
        name=bucket_id,
        blob_count=_number(headers.get("x-container-object-count")),
        size_bytes=_number(headers.get("x-container-bytes-used")),
        created_at=_timestamp(headers),
        location=headers.get("x-storage-policy"),
        extra=_rest(headers),
    )


def blob(cloud: str, bucket_id: str, found: wire_blobs.Object, raw: msgspec.Raw) -> Blob:
    """Convert an object of a list, which tells no metadata."""
    return Blob(
        cloud=cloud,
        id=found.name,
        name=found.name,
        bucket_id=bucket_id,
        content_length=found.bytes,
        content_type=found.content_type,
        last_modified=utc(found.last_modified),
        etag=etag(found.slo_etag or found.hash),
        extra=Extra(raw, _BLOB_KEYS),
    )


def described_blob(cloud: str, bucket_id: str, blob_id: str, headers: Mapping[str, str]) -> Blob:
    """Convert the headers of an object."""
    return Blob(
        cloud=cloud,
        id=blob_id,
        name=blob_id,
        bucket_id=bucket_id,
        content_length=_number(headers.get("content-length")),
        content_type=headers.get("content-type"),
        last_modified=_timestamp(headers),
        etag=etag(headers.get("etag")),
        metadata={
            name.removeprefix(_META): value
            for name, value in headers.items()
            if name.startswith(_META)
        },
        extra=_rest(headers),
    )


def stored_blob(cloud: str, spec: BlobSpec, size: int, headers: Mapping[str, str]) -> Blob:
    """Make the blob of what was sent and the headers of the answer to it."""
    return Blob(
        cloud=cloud,
        id=spec.name,
        name=spec.name,
        bucket_id=spec.bucket_id,
        content_length=size,
        content_type=spec.content_type,
        last_modified=_timestamp(headers),
        etag=etag(headers.get("etag")),
        metadata={name.lower(): value for name, value in spec.metadata.items()},
    )


def metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """Make the headers that carry metadata.

    Raises:
        InvalidRequest: a name or a value would not come back as it is.
    """
    for name, value in metadata.items():
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name!r} cannot be a name of metadata",
                remedy="Use letters, digits, '-' and '.'",
            )
        if not value.isprintable() or value != value.strip():
            raise InvalidRequest(
                f"the value of the metadata {name!r} is no line without spaces around it",
                remedy="Encode it, in Base64 for example",
            )
    headers = {f"{_META}{name.lower()}": value for name, value in metadata.items()}
    if len(headers) < len(metadata):
        raise InvalidRequest("a name of metadata is there twice: they do not differ by case")
    return headers


def etag(text: str | None) -> str | None:
    """Return an etag without the quotes that those of segmented objects have."""
    return text.strip('"') if text else None


def _rest(headers: Mapping[str, str]) -> Extra:
    return Extra(
        lambda: {
            name: value
            for name, value in headers.items()
            if name not in _TRANSPORT and not name.startswith(_META)
        }
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None


def _timestamp(headers: Mapping[str, str]) -> datetime | None:
    """Read when a thing was made; `last-modified` is the same, rounded up to seconds."""
    try:
        if exact := headers.get("x-timestamp"):
            return datetime.fromtimestamp(float(exact), UTC)
        return utc(parsedate_to_datetime(headers["last-modified"]))
    except (KeyError, ValueError, OverflowError):
        return None
