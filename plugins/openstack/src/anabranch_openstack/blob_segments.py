"""Segmented blobs: swift's static large objects, and what becomes of their segments.

The segments lie in a container of their own, as OpenStack's own client has it: those of the blob
`b` in the bucket `a` are `a_segments/b/UPLOAD/00000001` and so on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Final

import anyio
import msgspec

from anabranch.errors import CloudError, NotFound, error_class
from anabranch.models import BlobSpec
from anabranch_openstack import wire_blobs
from anabranch_openstack.client import Session
from anabranch_openstack.object_store import ask, blob_path, bucket_path
from anabranch_openstack.replies import decoded, request_id

__all__ = [
    "LONG",
    "OURS",
    "destroy_container",
    "destroy_segments",
    "destroy_with_segments",
    "own_segments",
    "replacing",
    "segments_of",
]

LONG: Final = 300.0
"""Seconds for what swift does with all segments of a blob before it answers."""
OURS: Final = "x-container-meta-anabranch"
"""The header that marks containers which are made for segments without being asked for."""
_AT_ONCE: Final = 4
_DELETED: Final = msgspec.json.Decoder(wire_blobs.Deleted)
_MANIFEST: Final = msgspec.json.Decoder(list[wire_blobs.Segment])


def segments_of(bucket_id: str) -> str:
    """Return the name of the container for the segments of a bucket's blobs."""
    return f"{bucket_id}_segments"


async def destroy_with_segments(swift: Session, path: str, *, missing: str) -> None:
    """Destroy a segmented blob and its segments.

    Args:
        swift: Whom to ask.
        path: Path of the blob.
        missing: What there is not, if there is no such blob.

    Raises:
        NotFound: there is no such blob.
        CloudError: something of it is still there.
    """
    params = {"multipart-manifest": "delete"}
    reply = await ask(swift, "DELETE", path, missing=missing, params=params, timeout=LONG)
    told = decoded(reply, _DELETED)
    status = told.status.partition(" ")[0]
    if told.errors or not status.startswith("2"):
        kind = error_class(int(status)) if status.isdecimal() else CloudError
        text = ", ".join(": ".join(error) for error in told.errors) or told.status
        raise kind(text, provider_code=status, request_id=request_id(reply))


async def destroy_segments(swift: Session, bucket_id: str, names: Iterable[str]) -> None:
    """Destroy segments of a bucket's blobs; those that are gone do not matter.

    Raises:
        CloudError: one cannot be destroyed.
    """
    container = segments_of(bucket_id)
    limit = anyio.CapacityLimiter(_AT_ONCE)
    failures: list[CloudError] = []

    async def destroy(name: str) -> None:
        async with limit:
            try:
                await ask(swift, "DELETE", blob_path(container, name), missing="such segment")
            except NotFound:
                return
            except CloudError as exc:
                failures.append(exc)

    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(destroy, name)
    if failures:
        raise failures[0]


async def destroy_container(swift: Session, bucket_id: str) -> None:
    """Destroy the container for segments of a bucket that is gone, if we made it and it is empty.

    That it cannot be is told in the log only: the bucket is gone.
    """
    container = segments_of(bucket_id)
    path = bucket_path(container)
    try:
        found = await ask(swift, "HEAD", path, missing="such bucket")
        if OURS in found.headers:
            await ask(swift, "DELETE", path, missing="such bucket")
    except NotFound:
        return
    except CloudError as exc:
        swift.cloud.log.warning(
            "openstack.bucket.segments_left", bucket_id=container, error=str(exc)
        )


@asynccontextmanager
async def replacing(
    swift: Session, spec: BlobSpec, used: Collection[str] = ()
) -> AsyncGenerator[None]:
    """Destroy the segments of the blob that the block replaces, once it has.

    Segments that lie in other places than ours are left: they may belong to other blobs too.

    Args:
        swift: Whom to ask.
        spec: The new blob.
        used: Its segments, which the old one may have as well: an upload that was completed
            without ever telling so is completed again.
    """
    names = [name for name in await own_segments(swift, spec) if name not in used]
    yield
    if names:
        try:
            await destroy_segments(swift, spec.bucket_id, names)
        except CloudError as exc:
            swift.cloud.log.warning(
                "openstack.blob.segments_left",
                bucket_id=segments_of(spec.bucket_id),
                prefix=f"{spec.name}/",
                error=str(exc),
            )


async def own_segments(swift: Session, spec: BlobSpec) -> list[str]:
    """Return the names of the segments of the blob that there is now, if it has any of its own."""
    path = blob_path(spec.bucket_id, spec.name)
    try:
        found = await ask(swift, "HEAD", path, missing="such blob")
        if "x-static-large-object" not in found.headers:
            return []
        params = {"multipart-manifest": "get"}
        reply = await ask(swift, "GET", path, missing="such blob", params=params)
    except NotFound:
        return []
    own = f"/{segments_of(spec.bucket_id)}/"
    names = [segment.name for segment in decoded(reply, _MANIFEST)]
    return [n.removeprefix(own) for n in names if n.startswith(f"{own}{spec.name}/")]
