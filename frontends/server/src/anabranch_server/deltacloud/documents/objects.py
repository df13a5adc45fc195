"""Buckets and blobs as documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from anabranch.models import Blob, Bucket
from anabranch_server.deltacloud.documents.markup import attribute, element, text
from anabranch_server.deltacloud.documents.sheet import Sheet, when

__all__ = ["BlobContents", "BucketContents", "blob_plain", "blob_xml", "bucket_plain", "bucket_xml"]


class BucketContents(msgspec.Struct, frozen=True):
    """A bucket together with its blobs, as it is told when it stands alone.

    Attributes:
        bucket: The bucket.
        blobs: What it holds.
        whole: Whether these are all; else only the bucket tells how many there are.
    """

    bucket: Bucket
    blobs: Sequence[Blob]
    whole: bool = True


class BlobContents(msgspec.Struct, frozen=True):
    """A blob together with its content, for JSON, where Deltacloud told it.

    Attributes:
        blob: The blob.
        content: Its content as text; None: too long to be told, or no text.
    """

    blob: Blob
    content: str | None


def _opened(item: Bucket | BucketContents) -> tuple[Bucket, Sequence[Blob], int | None]:
    """Return the bucket, its blobs as far as they are known, and how many there are."""
    if isinstance(item, Bucket):
        return item, (), item.blob_count
    size = len(item.blobs) if item.whole else item.bucket.blob_count
    return item.bucket, item.blobs, size


def bucket_xml(item: Bucket | BucketContents, sheet: Sheet) -> str:
    """Return a bucket as a member of a list, with its blobs where those are known."""
    bucket, blobs, size = _opened(item)
    inner = "".join(
        f"    <blob href='{sheet.view.blob(bucket.cloud, bucket.id, one.id)}'"
        f" id='{attribute(one.id)}'></blob>\n"
        for one in blobs
    )
    return (
        f"  <bucket {sheet.target('buckets', bucket.cloud, bucket.id)}>\n"
        f"    <name>{text(bucket.name)}</name>\n"
        f"{element('    ', 'size', None if size is None else str(size))}"
        f"{inner}"
        "  </bucket>\n"
    )


def bucket_plain(item: Bucket | BucketContents, sheet: Sheet) -> dict[str, Any]:
    """Return a bucket for JSON; without `blob_list` where its blobs are not known."""
    bucket, blobs, size = _opened(item)
    view, cloud = sheet.view, bucket.cloud
    plain: dict[str, Any] = {
        "id": view.id(cloud, bucket.id),
        "href": view.member("buckets", cloud, bucket.id),
        "name": bucket.name,
        "size": size,
    }
    if not isinstance(item, Bucket):
        plain["blob_list"] = [
            {"rel": "blob", "href": view.blob(cloud, bucket.id, one.id), "id": one.id}
            for one in blobs
        ]
    return plain


def blob_xml(item: Blob | BlobContents, sheet: Sheet) -> str:
    """Return a blob as a member of a list; of its content, the address."""
    blob = item if isinstance(item, Blob) else item.blob
    view, cloud = sheet.view, blob.cloud
    href = view.blob(cloud, blob.bucket_id, blob.id)
    length = None if blob.content_length is None else str(blob.content_length)
    entries = "".join(
        f"      <entry key='{attribute(key)}'>{text(value)}</entry>\n"
        for key, value in blob.metadata.items()
    )
    return (
        f"  <blob href='{href}' id='{attribute(blob.id)}'>\n"
        f"    <bucket>{text(view.id(cloud, blob.bucket_id))}</bucket>\n"
        f"{element('    ', 'content_length', length)}"
        f"{element('    ', 'content_type', blob.content_type)}"
        f"{element('    ', 'last_modified', when(blob.last_modified))}"
        f"    <user_metadata>\n{entries}    </user_metadata>\n"
        f"    <content href='{href}/content' rel='blob_content'></content>\n"
        "  </blob>\n"
    )


def blob_plain(item: Blob | BlobContents, sheet: Sheet) -> dict[str, Any]:
    """Return a blob for JSON, with its content if that is at hand, and the address of it."""
    blob = item if isinstance(item, Blob) else item.blob
    view, cloud = sheet.view, blob.cloud
    href = view.blob(cloud, blob.bucket_id, blob.id)
    return {
        "id": blob.id,
        "href": href,
        "bucket": sheet.link("bucket", "buckets", cloud, blob.bucket_id),
        "content_length": blob.content_length,
        "content_type": blob.content_type,
        "last_modified": when(blob.last_modified),
        "content": None if isinstance(item, Blob) else item.content,
        "content_href": f"{href}/content",
        "user_metadata": dict(blob.metadata),
    }
