"""Buckets one by one, and the blobs in them: everything below `/api/buckets/…`."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any, Final, Self
from urllib.parse import quote

import msgspec

from anabranch import Answer, CloudError, InvalidRequest, QualifiedId, both
from anabranch.models import Blob, BlobSpec, Bucket
from anabranch_server.deltacloud import documents
from anabranch_server.deltacloud.blob_pages import (
    CONFIRM,
    UPLOAD_FORM,
    blob_page,
    bucket_page,
    confirmation,
    upload_form,
)
from anabranch_server.deltacloud.body import Body
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.downloads import content_headers, download
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.paging import leading_on, part_of
from anabranch_server.deltacloud.parameters import Parameters, read_body
from anabranch_server.deltacloud.rendering import member, see
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.segments import Upload
from anabranch_server.problems import Problem, nothing_here, nothing_to_destroy

__all__ = ["serve"]

_READS: Final = ("GET", "HEAD")
_CONTENT: Final = "content"
_META: Final = "x-deltacloud-blobmeta-"
_SEGMENTED: Final = "X-Deltacloud-SegmentedBlob"
_BINARY: Final = "application/octet-stream"
_MOST_INLINE: Final = 64 * 1024
"""Bytes of a text up to which JSON holds the content itself."""
_MOST_MANIFEST: Final = 4 * 1024 * 1024


async def serve(request: Request, name: str, *tail: str) -> Reply:
    """Show a bucket with its blobs, or do something with one of them.

    A blob whose id has slashes is written with `%2F`; bare slashes do as well, but for an id that
    ends with `/content`.

    Args:
        request: The request; the body of a PUT is not read yet.
        name: The bucket, with its cloud where the request is about several.
        tail: What the path has after the bucket, decoded.
    """
    bucket, method = request.target(name), request.call.method
    if "/" in bucket.id:
        raise nothing_here(request.call.url)
    people = method in _READS and request.format is Format.HTML
    confirming = people and CONFIRM in request.parameters
    if not tail:
        if confirming:
            return confirmation(request, bucket)
        if method in _READS:
            return await _contents(request, bucket)
        if method == "POST":
            return await _create(request, bucket)
        raise nothing_here(request.call.url)
    content = len(tail) > 1 and tail[-1] == _CONTENT
    blob = "/".join(tail[:-1] if content else tail)
    if people and blob == UPLOAD_FORM:
        return upload_form(request, bucket)
    if confirming and not content:
        return confirmation(request, bucket, blob)
    act = _ON_CONTENT.get(method) if content else _ON_BLOBS.get(method)
    if act is None or not blob:
        raise nothing_here(request.call.url)
    return await act(request, QualifiedId(bucket.cloud, f"{bucket.id}/{blob}"))


async def _contents(request: Request, where: QualifiedId) -> Reply:
    """Show a bucket with its blobs, all, or as many as `limit` says.

    What it is and what it holds are asked for at the same time.
    """
    broker = request.selection.broker
    about = ["blobs", where.cloud, where.id, *request.asker]
    limit, cursors = part_of(request, about)
    next_page: str | None = None

    async def ask() -> tuple[Bucket, Answer[Blob]]:
        bucket, answer = await both(
            lambda: broker.buckets.get(where),
            lambda: broker.blobs.list(where, limit=limit, cursors=cursors),
        )
        for error in answer.errors.values():
            raise error
        return bucket, answer

    (bucket, answer), headers = await request.timed(ask)
    if limit is not None:
        links, next_page = leading_on(request, answer.cursors, about)
        headers = {**headers, **links}
    whole = not (cursors or answer.cursors)
    contents = documents.BucketContents(bucket, answer.items, whole)
    if request.format is Format.HTML:
        return bucket_page(request, contents, headers, next_page)
    return member(request, "buckets", contents, headers=headers)


async def _show(request: Request, where: QualifiedId) -> Reply:
    """Show a blob, or to HEAD its metadata; JSON has the content in it if it is a small text."""
    blob, headers = await request.timed(lambda: request.selection.broker.blobs.get(where))
    if request.call.method == "HEAD":
        return Reply(204, headers={**headers, **_metadata_headers(blob.metadata)})
    if request.format is Format.HTML:
        return blob_page(request, blob, headers)
    content = await _small_text(request, where, blob) if request.format is Format.JSON else None
    return member(request, "blobs", documents.BlobContents(blob, content), headers=headers)


async def _small_text(request: Request, where: QualifiedId, blob: Blob) -> str | None:
    """Read a text of at most 64 KiB; None: it is none, or larger."""
    size, kind = blob.content_length, blob.content_type or ""
    if size is None or size > _MOST_INLINE or not kind.startswith("text/"):
        return None
    content = bytearray()
    async with request.selection.broker.blobs.open(where) as chunks:
        async for chunk in chunks:
            content += chunk
            if len(content) > _MOST_INLINE:
                return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


async def _content(request: Request, where: QualifiedId) -> Reply:
    blobs = request.selection.broker.blobs
    if request.call.method == "HEAD":
        return Reply(200, _whole(b""), headers=content_headers(await blobs.get(where)))
    return await download(blobs, where)


async def _put(request: Request, where: QualifiedId) -> Reply:
    """Store a blob, or do one of the steps of storing it in segments."""
    call = request.call
    if call.scope["method"] != "PUT":  # a form that says so; its body is read, and is no blob
        raise nothing_here(call.url)
    said = _said(request)
    ident = said("SegmentedBlob", "segmented_blob")
    if said("BlobType", "blob_type") != "segmented" and ident is None:
        return await _replace(request, where)
    if ident is None:
        return await _begin(request, where)
    order = said("SegmentOrder", "segment_order")
    upload = Upload.resumed(request, where, ident)
    if order is None:
        return await _complete(request, upload)
    return await _segment(request, upload, order)


async def _replace(request: Request, where: QualifiedId) -> Reply:
    call = request.call
    length = call.headers.get("content-length", "")
    spec = _spec(
        where,
        content_type=call.headers.get("content-type") or _BINARY,
        content_length=int(length) if length.isascii() and length.isdecimal() else None,
        metadata=_metadata(call),
    )
    blob, headers = await _store(request, where.cloud, spec, Body(call))
    return member(request, "blobs", blob, headers=headers)


async def _begin(request: Request, where: QualifiedId) -> Reply:
    spec = _spec(
        where,
        content_type=request.call.headers.get("content-type") or _BINARY,
        metadata=_metadata(request.call),
    )
    upload_id = await request.selection.broker.blobs.begin_upload(where.cloud, spec)
    return Reply(204, headers={_SEGMENTED: str(Upload(request, where.cloud, spec, upload_id))})


async def _segment(request: Request, upload: Upload, order: str) -> Reply:
    if not (order.isascii() and order.isdecimal() and len(order) < 10 and int(order)):
        raise Problem(400, f"the order of a segment is {order[:40]!r}: 1, 2, 3, … are wanted")
    blobs = request.selection.broker.blobs
    with _Source(Body(request.call)) as source:
        segment = await blobs.upload_segment(
            upload.cloud, upload.spec, upload.upload_id, int(order), source
        )
    return Reply(204, headers={"X-Deltacloud-BlobSegmentId": upload.segment_id(segment)})


async def _complete(request: Request, upload: Upload) -> Reply:
    """Make the blob of its segments; metadata that comes only now is added."""
    segments = upload.segments(await read_body(request.call, _MOST_MANIFEST))
    metadata = {**upload.spec.metadata, **_metadata(request.call)}
    spec = msgspec.structs.replace(upload.spec, metadata=metadata)
    blobs = request.selection.broker.blobs
    blob, headers = await request.timed(
        lambda: blobs.complete_upload(upload.cloud, spec, upload.upload_id, segments)
    )
    return member(request, "blobs", blob, headers=headers)


async def _create(request: Request, bucket: QualifiedId) -> Reply:
    """Store the blob that a form has: streamed, if the form names it before its content."""
    given, upload, told = request.parameters, request.parameters.upload, _metadata(request.call)
    if upload is None:
        spec = _form_spec(bucket, given, told, "text/plain")
        content = _whole(given.required("blob_data").encode())
        blob, headers = await _store(request, bucket.cloud, spec, content)
    else:
        async with upload:
            if "blob_id" not in given:
                await upload.keep()
            given = given.extended(upload.fields)
            spec = _form_spec(bucket, given, told, upload.content_type or _BINARY)
            blob, headers = await _store(request, bucket.cloud, spec, upload.content())
        metadata = {**told, **_form_metadata(given.extended(upload.fields))}
        if metadata != spec.metadata:  # some of it came after the content
            where = QualifiedId(bucket.cloud, f"{bucket.id}/{spec.name}")
            blob = await request.selection.broker.blobs.set_metadata(where, metadata)
    place = request.view.blob(bucket.cloud, bucket.id, spec.name)
    if request.format is Format.HTML:
        return see(place)
    return member(request, "blobs", blob, status=201, headers={**headers, "Location": place})


async def _describe(request: Request, where: QualifiedId) -> Reply:
    """Replace a blob's metadata by what the headers say, and the form if there is one."""
    metadata = {**_form_metadata(request.parameters), **_metadata(request.call)}
    blob = await request.selection.broker.blobs.set_metadata(where, metadata)
    if request.format is Format.HTML:
        return see(request.view.blob(where.cloud, blob.bucket_id, blob.id))
    return Reply(204, headers=_metadata_headers(blob.metadata))


async def _destroy(request: Request, where: QualifiedId) -> Reply:
    """Destroy a blob; or give up an upload in segments, which Deltacloud had no way to do."""
    blobs = request.selection.broker.blobs
    ident = _said(request)("SegmentedBlob", "segmented_blob")
    if ident is not None:
        upload = Upload.resumed(request, where, ident)
        await blobs.abort_upload(upload.cloud, upload.spec, upload.upload_id)
        return Reply(204)
    there, headers = await request.timed(lambda: blobs.destroy(where))
    if not there:
        raise nothing_to_destroy("blob", where)
    if request.format is Format.HTML:
        bucket, _, _ = where.id.partition("/")
        return see(request.view.member("buckets", where.cloud, bucket))
    return Reply(204, headers=headers)


_ON_CONTENT: Final = {"GET": _content, "HEAD": _content}
_ON_BLOBS: Final = {
    "GET": _show,
    "HEAD": _show,
    "PUT": _put,
    "POST": _describe,
    "DELETE": _destroy,
}


async def _store(
    request: Request, cloud: str, spec: BlobSpec, content: AsyncIterator[bytes]
) -> tuple[Blob, Mapping[str, str]]:
    blobs = request.selection.broker.blobs
    with _Source(content) as source:
        return await request.timed(lambda: blobs.create(cloud, spec, source))


class _Source(AsyncIterator[bytes]):
    """Content from a client, for a driver; what goes wrong on the client's side stays that.

    To the broker it is a wrong argument; leaving the context, it is the Problem again.
    """

    def __init__(self, content: AsyncIterator[bytes]) -> None:
        self._content = content
        self._problem: Problem | None = None

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._content)
        except Problem as problem:
            self._problem = problem
            raise InvalidRequest(problem.message) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, value: BaseException | None, trace: object) -> None:
        if self._problem is not None and isinstance(value, CloudError):
            raise self._problem


async def _whole(content: bytes) -> AsyncGenerator[bytes]:
    yield content


def _form_spec(
    bucket: QualifiedId, given: Parameters, told: Mapping[str, str], content_type: str
) -> BlobSpec:
    return BlobSpec(
        bucket_id=bucket.id,
        name=given.required("blob_id"),
        content_type=content_type,
        metadata={**told, **_form_metadata(given)},
    )


def _form_metadata(given: Parameters) -> dict[str, str]:
    """Read `meta_name1`, `meta_value1` and so on; what `meta_params` counts need no count."""
    names = given.numbered("meta_name{}")
    return {given[name]: given.get(f"meta_value{number}", "") for number, name in names.items()}


def _spec(where: QualifiedId, **fields: Any) -> BlobSpec:
    bucket, _, name = where.id.partition("/")
    return BlobSpec(bucket_id=bucket, name=name, **fields)


def _metadata(call: Call) -> dict[str, str]:
    """Read the metadata in the headers; values are UTF-8, or else Latin-1."""
    return {
        name.removeprefix(_META): _text(value)
        for name, value in call.headers.items()
        if name.startswith(_META) and name != _META
    }


def _text(value: str) -> str:
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def _metadata_headers(metadata: Mapping[str, str]) -> dict[str, str]:
    """Write metadata as headers: in UTF-8; what no header can hold is left out of a value."""
    return {
        f"X-Deltacloud-Blobmeta-{quote(name, safe=_TOKENS)}": _UNSENDABLE.sub("", value)
        .encode()
        .decode("latin-1")
        for name, value in metadata.items()
    }


_TOKENS: Final = "!#$%&'*+^`|"
_UNSENDABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


def _said(request: Request) -> Any:
    """Return what looks something up in the headers, and else among the parameters."""

    def said(header: str, parameter: str) -> str | None:
        name = f"x-deltacloud-{header.lower()}"
        return request.call.headers.get(name) or request.parameters.get(parameter)

    return said
