"""Buckets with their blobs, and blobs, as pages; and the form to upload one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from anabranch import QualifiedId
from anabranch.models import Blob
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.rendering import frame_of, page
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Action, Parameter

__all__ = ["CONFIRM", "UPLOAD_FORM", "blob_page", "bucket_page", "confirmation", "upload_form"]

CONFIRM: Final = "confirm"
"""The parameter that asks for the form which destroys a bucket or blob. Below a bucket every path
is a blob's, so that none is left for it."""

UPLOAD_FORM: Final = "new_blob_form_d15cfd90"
"""Where Deltacloud has the form to upload a blob, in place of the blob's id."""
_BUCKETS: Final = COLLECTIONS["buckets"]
_UPLOAD: Final = Action(
    name="upload",
    operation="create_blob",
    parameters=(
        Parameter(name="blob_id", required=True, help="its name in the bucket"),
        Parameter(name="blob_data", required=True, kind="file"),
        *(
            Parameter(name=f"meta_{part}{number}")
            for number in (1, 2, 3)
            for part in ("name", "value")
        ),
    ),
)


def upload_form(request: Request, bucket: QualifiedId) -> Reply:
    """Return the form to upload a blob into a bucket."""
    target = request.view.member("buckets", bucket.cloud, bucket.id)
    return page(
        pages.form_page(
            frame_of(request),
            _UPLOAD,
            target,
            _UPLOAD.parameters,
            {},
            request.parameters,
            member=f"in {request.view.id(bucket.cloud, bucket.id)}",
        )
    )


def confirmation(request: Request, bucket: QualifiedId, blob: str | None = None) -> Reply:
    """Return the form that destroys a bucket or, if one is named, a blob in it."""
    view, operation = request.view, "destroy_bucket"
    target = view.member("buckets", bucket.cloud, bucket.id)
    member = view.id(bucket.cloud, bucket.id)
    if blob is not None:
        operation = "destroy_blob"
        target = view.blob(bucket.cloud, bucket.id, blob)
        member = f"{member}/{blob}"
    action = Action(name="destroy", operation=operation, method="DELETE")
    return page(pages.form_page(frame_of(request), action, target, (), {}, {}, member=member))


def bucket_page(
    request: Request,
    contents: documents.BucketContents,
    headers: Mapping[str, str],
    next_page: str | None = None,
) -> Reply:
    """Return a bucket with its blobs, or a part of them, as a page."""
    bucket, view = contents.bucket, request.view
    here = view.member("buckets", bucket.cloud, bucket.id)
    form = view.blob(bucket.cloud, bucket.id, UPLOAD_FORM)
    item = documents.show_plain("buckets", contents, view)["bucket"]
    links = [_link("upload", form, form=form), _destroying(here)]
    body = pages.show_page(frame_of(request), _BUCKETS, {**item, "actions": links}, next_page)
    return page(body, headers=headers)


def blob_page(request: Request, blob: Blob, headers: Mapping[str, str]) -> Reply:
    """Return a blob as a page."""
    here = request.view.blob(blob.cloud, blob.bucket_id, blob.id)
    item = documents.show_plain("blobs", blob, request.view)["blob"]
    links = [
        _link("download", here, form=item["content_href"]),
        _destroying(here),
    ]
    shown = {name: value for name, value in item.items() if not name.startswith("content_h")}
    del shown["content"]
    # Names that a user chose: none of them may be taken for a link of ours.
    shown["user_metadata"] = [f"{name}: {value}" for name, value in blob.metadata.items()]
    name = f"buckets/{request.view.path(blob.cloud, blob.bucket_id)}"
    within = msgspec.structs.replace(
        _BUCKETS, name=name, singular="blob", title=f"Blobs in {blob.bucket_id}"
    )
    body = pages.show_page(frame_of(request), within, {**shown, "actions": links})
    return page(body, headers=headers)


def _destroying(href: str) -> dict[str, Any]:
    return _link("destroy", href, method="delete", form=f"{href}?{CONFIRM}=destroy")


def _link(rel: str, href: str, **more: Any) -> dict[str, Any]:
    return {"rel": rel, "href": href, "method": "post", **more}
