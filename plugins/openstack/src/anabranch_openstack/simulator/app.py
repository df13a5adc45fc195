"""The ASGI application of a simulated cloud: all services at one port, told apart by the path."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from anabranch.testing.simulation import Fault, FaultKind, plain_reply
from anabranch.testing.simulation import Reply as PlainReply
from anabranch_openstack.simulator.compute.service import ComputeService
from anabranch_openstack.simulator.identity.service import Identity
from anabranch_openstack.simulator.image.service import ImageService
from anabranch_openstack.simulator.load_balancer.service import LoadBalancerService
from anabranch_openstack.simulator.metric.service import MetricService
from anabranch_openstack.simulator.network.service import NetworkService
from anabranch_openstack.simulator.object_store.service import ObjectStoreService
from anabranch_openstack.simulator.service import UNAUTHENTICATED, Service
from anabranch_openstack.simulator.volume.service import VolumeService
from anabranch_openstack.simulator.wire import Refusal, Reply, Request, json_reply

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from anabranch_openstack.simulator.state import Region, State

__all__ = ["Application", "render_fault"]

_LARGEST_BODY = 64 * 1024 * 1024
_PIECE = 256 * 1024
_SERVICES: dict[str, Service] = {
    service.prefix: service
    for service in (
        Identity(),
        ComputeService(),
        ImageService(),
        NetworkService(),
        VolumeService(),
        LoadBalancerService(),
        ObjectStoreService(),
        MetricService(),
    )
}

_SAID = {
    FaultKind.UNAUTHORIZED: UNAUTHENTICATED,
    FaultKind.FORBIDDEN: "Policy does not allow this request to be performed.",
    FaultKind.NOT_FOUND: "The resource could not be found.",
    FaultKind.CONFLICT: "There was a conflict when trying to complete your request.",
    FaultKind.BROKEN: "Unexpected API Error.",
}
_NOVA = {
    FaultKind.FORBIDDEN: "forbidden",
    FaultKind.NOT_FOUND: "itemNotFound",
    FaultKind.CONFLICT: "conflictingRequest",
    FaultKind.BROKEN: "computeFault",
}


class Application:
    """Answers for one cloud."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body: bytes | None = b""
        headers = dict(scope["headers"])
        if headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers:
            body = await _read(receive)
        if body is None:
            return  # it broke off: nobody is there to be answered, and nothing has happened
        reply = self._answer(scope, headers, body)
        await _send(scope, send, reply)

    def _answer(self, scope: Scope, headers: dict[bytes, bytes], body: bytes) -> Reply:
        region, prefix, path = self._locate(scope["path"])
        service = _SERVICES.get(prefix)
        if service is None:
            message = {"message": "There is no such service."}
            return json_reply(message, HTTPStatus.NOT_FOUND)
        request = Request(
            self._state,
            region,
            scope["method"],
            path,
            region.prefix + prefix if prefix != "/identity" else prefix,
            scope["query_string"],
            headers,
            body,
            scope["scheme"],
        )
        if len(body) > _LARGEST_BODY:
            return service.refuse(request, Refusal(413, "The body is too large."))
        return service.answer(request)

    def _locate(self, path: str) -> tuple[Region, str, str]:
        """The region, the service and what is left of a path."""
        regions = list(self._state.regions.values())
        for region in regions[1:]:
            if path.startswith(region.prefix + "/"):
                prefix, rest = _split(path[len(region.prefix) :])
                return region, prefix, rest
        prefix, rest = _split(path)
        return regions[0], prefix, rest


def render_fault(scope: Scope, fault: Fault) -> PlainReply:
    """What OpenStack and the proxies in front of it say when something is wrong.

    Limits and an overload are the proxies' to tell; of the services nova has a document of its
    own, and the others nearly the same one.
    """
    plain = plain_reply(scope, fault)
    if fault.kind not in _SAID:
        return plain
    status = HTTPStatus(plain.status)
    error = {"code": status.value, "title": status.phrase, "message": _SAID[fault.kind]}
    name = _NOVA.get(fault.kind, "error") if "/compute/" in scope["path"] else "error"
    reply = json_reply({name: error})
    headers: tuple[tuple[str, str], ...] = ()
    if fault.kind is FaultKind.UNAUTHORIZED:
        host = dict(scope["headers"]).get(b"host", b"localhost").decode("latin-1")
        uri = f'Keystone uri="{scope["scheme"]}://{host}/identity/v3"'
        headers = (("www-authenticate", uri),)
    return PlainReply(
        status=status, body=reply.body, content_type=reply.content_type, headers=headers
    )


def _split(path: str) -> tuple[str, str]:
    end = path.find("/", 1)
    return (path, "/") if end < 0 else (path[:end], path[end:])


async def _read(receive: Receive) -> bytes | None:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= _LARGEST_BODY + len(chunk):  # what is beyond that is read but not kept
            chunks.append(chunk)
        if not message.get("more_body"):
            return b"".join(chunks)


async def _send(scope: Scope, send: Send, reply: Reply) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
    if reply.body or reply.status != HTTPStatus.NO_CONTENT:
        headers.append((b"content-type", reply.content_type.encode()))
        headers.append((b"content-length", str(len(reply.body)).encode()))
    body = b"" if scope["method"] == "HEAD" else reply.body
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    for start in range(0, len(body) - _PIECE, _PIECE):
        piece = body[start : start + _PIECE]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    rest = (len(body) - 1) // _PIECE * _PIECE if body else 0
    await send({"type": "http.response.body", "body": body[rest:]})
