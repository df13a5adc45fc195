"""The account and its containers."""

from __future__ import annotations

from anabranch_openstack.simulator.object_store.records import POLICIES, Container
from anabranch_openstack.simulator.object_store.replies import (
    Headers,
    http_time,
    listing,
    page,
    plain,
    timestamp,
)
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, precise_time

__all__ = ["answer_account", "answer_container", "object_documents"]

_LONGEST_NAME = 256
_META = "x-container-meta-"


def answer_account(request: Request) -> Reply:
    """Answer what is asked of the account."""
    containers = request.region.objects.account(request.token.project_id)
    headers = [
        ("x-account-container-count", str(len(containers))),
        ("x-account-object-count", str(sum(len(c.objects) for c in containers.values()))),
        ("x-account-bytes-used", str(sum(c.used for c in containers.values()))),
        ("x-timestamp", timestamp(request.now)),
    ]
    if request.method in ("GET", "HEAD"):
        return listing(request, {c.name: _document(c) for c in containers.values()}, headers)
    if request.method == "POST":
        return Reply(status=204)
    raise Refusal(405, "")


def answer_container(request: Request, name: str) -> Reply:
    """Answer what is asked of a container."""
    containers = request.region.objects.account(request.token.project_id)
    if request.method == "PUT":
        return _put(request, containers, name)
    container = containers.get(name)
    if container is None:
        raise Refusal(404, "")
    if request.method in ("GET", "HEAD"):
        return listing(request, object_documents(container), _headers(container))
    if request.method == "POST":
        container.metadata |= _metadata(request)
        return Reply(status=204)
    if request.method == "DELETE":
        if container.objects:
            return page(409)
        del containers[name]
        return Reply(status=204)
    raise Refusal(405, "")


def object_documents(container: Container) -> dict[str, Document]:
    """The objects of a container as its list shows them, by name."""
    shown: dict[str, Document] = {}
    for stored in container.objects.values():
        document: Document = {
            "bytes": stored.size,
            "hash": stored.hash,
            "name": stored.name,
            "content_type": stored.content_type.replace("; ", ";"),
            "last_modified": precise_time(stored.modified),
        }
        if stored.manifest is not None:
            document["slo_etag"] = stored.etag
        shown[stored.name] = document
    return shown


def _put(request: Request, containers: dict[str, Container], name: str) -> Reply:
    size = len(name.encode())
    if size > _LONGEST_NAME:
        text = f"Container name length of {size} longer than {_LONGEST_NAME}"
        return plain(400, text, "text/html; charset=UTF-8")
    policy = request.header(b"x-storage-policy")
    if policy and policy not in POLICIES:
        return plain(400, f"Invalid X-Storage-Policy '{policy}'")
    container = containers.get(name)
    if container is not None:
        if policy and policy != container.policy:
            return page(409)
        container.metadata |= _metadata(request)
        return page(202)
    containers[name] = Container(
        name=name,
        created=request.now,
        policy=policy or POLICIES[0],
        metadata=_metadata(request),
    )
    return page(201)


def _metadata(request: Request) -> dict[str, str]:
    return {n: v for n, v in request.headers() if n.startswith(_META)}


def _headers(container: Container) -> Headers:
    return [
        ("x-container-object-count", str(len(container.objects))),
        ("x-container-bytes-used", str(container.used)),
        ("x-timestamp", timestamp(container.created)),
        ("last-modified", http_time(container.created)),
        ("accept-ranges", "bytes"),
        ("x-storage-policy", container.policy),
        *container.metadata.items(),
    ]


def _document(container: Container) -> Document:
    return {
        "name": container.name,
        "count": len(container.objects),
        "bytes": container.used,
        "last_modified": precise_time(container.created),
        "storage_policy": container.policy,
    }
