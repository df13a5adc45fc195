"""Objects."""

from __future__ import annotations

import hashlib
import re

from anabranch_openstack.simulator.object_store import manifests
from anabranch_openstack.simulator.object_store.records import Container, Stored
from anabranch_openstack.simulator.object_store.replies import (
    HTML,
    Headers,
    http_time,
    page,
    plain,
    timestamp,
)
from anabranch_openstack.simulator.wire import Refusal, Reply, Request

__all__ = ["answer_object"]

_LONGEST_NAME = 1024
_META = "x-object-meta-"
_DESCRIBED = frozenset(
    {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"}
    | {"x-delete-at", "x-object-manifest", "x-robots-tag"}
)
_OCTETS = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def answer_object(request: Request, container_name: str, name: str) -> Reply:
    """Answer what is asked of an object."""
    container = request.region.objects.account(request.token.project_id).get(container_name)
    multipart = request.param("multipart-manifest")
    if request.method == "DELETE" and multipart == "delete":
        return manifests.delete(request, container_name, name)
    if container is None:
        raise Refusal(404, "")
    if request.method == "PUT":
        return _put(request, container, name, multipart == "put")
    stored = container.objects.get(name)
    if stored is None:
        raise Refusal(404, "")
    if request.method in ("GET", "HEAD"):
        if multipart == "get" and stored.manifest is not None:
            return manifests.show(stored, _headers(stored))
        return _show(request, stored)
    if request.method == "POST":
        stored.metadata, stored.described = _metadata(request), _described(request)
        stored.content_type = request.header(b"content-type") or stored.content_type
        stored.modified = request.now
        return page(202)
    if request.method == "DELETE":
        del container.objects[name]
        return Reply(status=204)
    raise Refusal(405, "")


def _put(request: Request, container: Container, name: str, manifest: bool) -> Reply:
    size = len(name.encode())
    if size > _LONGEST_NAME:
        return plain(400, f"Object name length of {size} longer than {_LONGEST_NAME}", HTML)
    stored = Stored(
        name=name,
        content=request.body,
        content_type=request.header(b"content-type") or _OCTETS,
        modified=request.now,
        metadata=_metadata(request),
        described=_described(request),
    )
    if manifest:
        stored.manifest = manifests.read(request)
    elif (etag := request.header(b"etag").strip('"')) and etag != stored.hash:
        return page(422)
    container.objects[name] = stored
    return page(201, [("etag", stored.etag), ("last-modified", http_time(stored.modified))])


def _show(request: Request, stored: Stored) -> Reply:
    content = request.region.objects.content(request.token.project_id, stored)
    etag = stored.etag
    if "x-object-manifest" in stored.described:
        etag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
    headers = [*_headers(stored), ("etag", etag)]
    if stored.manifest is not None:
        headers += [("x-static-large-object", "True"), ("x-manifest-etag", stored.hash)]
    status = 200
    match = _RANGE.fullmatch(request.header(b"range"))
    if match is not None and (match[1] or match[2]):
        size = len(content)
        first = int(match[1]) if match[1] else max(0, size - int(match[2]))
        last = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
        if first > last:
            return page(416, [("content-range", f"bytes */{size}")])
        status, content = 206, content[first : last + 1]
        headers.append(("content-range", f"bytes {first}-{last}/{size}"))
    return Reply(status=status, body=content, content_type=stored.content_type, headers=headers)


def _headers(stored: Stored) -> Headers:
    return [
        *((f"{_META}{name}", value) for name, value in stored.metadata.items()),
        *stored.described.items(),
        ("last-modified", http_time(stored.modified)),
        ("x-timestamp", timestamp(stored.modified)),
        ("accept-ranges", "bytes"),
    ]


def _metadata(request: Request) -> dict[str, str]:
    """The metadata; swift's server loses headers with an underscore in the name."""
    return {
        name.removeprefix(_META): value
        for name, value in request.headers()
        if name.startswith(_META) and "_" not in name
    }


def _described(request: Request) -> dict[str, str]:
    found = {name: value for name, value in request.headers() if name in _DESCRIBED}
    if after := request.header(b"x-delete-after"):
        found["x-delete-at"] = str(int(request.now) + int(after))
    return found
