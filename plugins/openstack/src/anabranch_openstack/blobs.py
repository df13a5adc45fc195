"""Blobs: swift's objects. A blob's id is its name within its bucket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Final

from anabranch.cloud import Response, StreamedResponse
from anabranch.errors import InvalidRequest
from anabranch.hooks import hookimpl
from anabranch.hooks.blobs import BlobsSpec
from anabranch.models import Blob, BlobContent, BlobSpec
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack import convert_blobs, wire_blobs
from anabranch_openstack.blob_segments import destroy_with_segments, replacing
from anabranch_openstack.catalog import OBJECT_STORE
from anabranch_openstack.client import OpenStackCloud, Session, session
from anabranch_openstack.object_store import ask, blob_path, bucket_path, page, refusal
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.uploads import Upload

__all__ = ["Blobs"]

_OBJECT: Final = Reader(wire_blobs.Object)
_KEPT: Final = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
    | {"x-delete-at", "x-object-manifest", "x-robots-tag"}
)
"""What a change of the metadata would take away unless it is sent again."""
_MOST_ERROR_BYTES: Final = 64 * 1024


class Blobs(BlobsSpec[OpenStackSettings]):
    """Objects: list, read, store, describe, destroy."""

    @hookimpl
    async def list_blobs(
        self, cloud: OpenStackCloud, cursor: str | None, bucket_id: str
    ) -> Page[Blob]:
        return await page(
            session(cloud),
            bucket_path(bucket_id),
            missing=f"bucket {bucket_id!r}",
            reader=_OBJECT,
            convert=partial(convert_blobs.blob, cloud.name, bucket_id),
            cursor=cursor,
        )

    @hookimpl
    async def get_blob(self, cloud: OpenStackCloud, bucket_id: str, blob_id: str) -> Blob:
        reply = await _head(session(cloud), bucket_id, blob_id)
        return convert_blobs.described_blob(cloud.name, bucket_id, blob_id, reply.headers)

    @hookimpl
    async def open_blob(self, cloud: OpenStackCloud, bucket_id: str, blob_id: str) -> BlobContent:
        path = blob_path(bucket_id, blob_id)
        async with AsyncExitStack() as stack:

            async def send(url: str, token: str) -> StreamedResponse:
                await stack.aclose()
                return await stack.enter_async_context(
                    cloud.http.stream("GET", url + path, headers={"x-auth-token": token})
                )

            reply = await session(cloud).authorized(OBJECT_STORE, send)
            if reply.status >= 300:
                raise refusal(await _whole(reply), _missing(bucket_id, blob_id))
            blob = convert_blobs.described_blob(cloud.name, bucket_id, blob_id, reply.headers)
            return BlobContent(blob, reply.chunks, stack.pop_all().aclose)
        raise AssertionError  # nothing in the stack swallows an exception

    @hookimpl
    async def create_blob(
        self, cloud: OpenStackCloud, spec: BlobSpec, content: AsyncIterator[bytes]
    ) -> Blob:
        swift = session(cloud)
        headers = {
            "content-type": spec.content_type,
            **convert_blobs.metadata_headers(spec.metadata),
        }
        upload = Upload(swift, content, spec.content_length)
        async with replacing(swift, spec):
            try:
                reply = await upload.put(
                    blob_path(spec.bucket_id, spec.name),
                    missing=f"bucket {spec.bucket_id!r}",
                    headers=headers,
                )
            except InvalidRequest as exc:
                if exc.provider_code == "413":
                    exc.remedy = "Upload it in segments"
                raise
        return convert_blobs.stored_blob(cloud.name, spec, upload.size, reply.headers)

    @hookimpl
    async def set_blob_metadata(
        self, cloud: OpenStackCloud, bucket_id: str, blob_id: str, metadata: Mapping[str, str]
    ) -> Blob:
        swift = session(cloud)
        changed = convert_blobs.metadata_headers(metadata)
        before = (await _head(swift, bucket_id, blob_id)).headers
        kept = {name: before[name] for name in _KEPT if name in before}
        await ask(
            swift,
            "POST",
            blob_path(bucket_id, blob_id),
            missing=_missing(bucket_id, blob_id),
            headers={**kept, **changed},
        )
        reply = await _head(swift, bucket_id, blob_id)
        return convert_blobs.described_blob(cloud.name, bucket_id, blob_id, reply.headers)

    @hookimpl
    async def destroy_blob(self, cloud: OpenStackCloud, bucket_id: str, blob_id: str) -> None:
        swift = session(cloud)
        path, missing = blob_path(bucket_id, blob_id), _missing(bucket_id, blob_id)
        found = await _head(swift, bucket_id, blob_id)
        if "x-static-large-object" in found.headers:
            await destroy_with_segments(swift, path, missing=missing)
        else:
            await ask(swift, "DELETE", path, missing=missing)


async def _head(swift: Session, bucket_id: str, blob_id: str) -> Response:
    return await ask(
        swift, "HEAD", blob_path(bucket_id, blob_id), missing=_missing(bucket_id, blob_id)
    )


async def _whole(reply: StreamedResponse) -> Response:
    """Read an error's body, as far as it is of use."""
    body = b""
    async for chunk in reply.chunks:
        body += chunk
        if len(body) > _MOST_ERROR_BYTES:
            break
    return Response(reply.status, reply.headers, body)


def _missing(bucket_id: str, blob_id: str) -> str:
    return f"blob {blob_id!r} in the bucket {bucket_id!r}"
