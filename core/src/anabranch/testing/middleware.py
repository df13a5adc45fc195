"""ASGI middleware that makes a well-behaved simulator slow, broken and counted."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import anyio
import msgspec

from anabranch.testing.behaviour import Behaviour, Fault, FaultKind
from anabranch.testing.growth import grown

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from anabranch.testing.traffic import RequestLog

__all__ = ["CUT", "Grow", "Misbehaving", "Reply", "plain_reply"]

CUT = "anabranch.cut"
"""Key in the ASGI `state` under which a server offers a callable that cuts the connection."""

_STATUS = {
    FaultKind.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    FaultKind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    FaultKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    FaultKind.CONFLICT: HTTPStatus.CONFLICT,
    FaultKind.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    FaultKind.BROKEN: HTTPStatus.INTERNAL_SERVER_ERROR,
    FaultKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole HTTP reply.

    Args:
        status: The status code.
        body: The body.
        content_type: What the body is.
        headers: Further headers, names in lower case.
    """

    status: int
    body: bytes = b""
    content_type: str = "text/html"
    headers: tuple[tuple[str, str], ...] = ()


class _Simulated(Protocol):
    """What the middleware needs of a simulated cloud."""

    @property
    def behaviour(self) -> Behaviour: ...
    @property
    def requests(self) -> RequestLog: ...


Render = Callable[["Scope", Fault], Reply]
"""Writes the reply of a fault in the platform's own words."""

Label = Callable[["Scope", bytes], str]
"""Tells, from the scope and the whole body, the path under which a request counts."""

Grow = Callable[[bytes, str], bytes]
"""Adds unknown fields to a body, given its content type."""


class Misbehaving:
    """Puts the behaviour of a simulated cloud between it and its callers.

    Args:
        app: The simulator proper.
        cloud: Whose behaviour counts, looked up anew for every request.
        render: Writes the replies of the faults that have one, in the platform's own words; the
            default is what a proxy in front of it would say.
        label: For a protocol with one URL for everything: makes the path under which a request
            is counted and meets its faults (`/RPC2/one.vm.info`). The body is read beforehand.
        grow: Adds to the body of a reply what `Behaviour.unknown_fields` asks for, given its
            content type; the default knows JSON and XML.
    """

    def __init__(
        self,
        app: ASGIApp,
        cloud: _Simulated,
        render: Render | None = None,
        *,
        label: Label | None = None,
        grow: Grow | None = None,
    ) -> None:
        self._app = app
        self._cloud = cloud
        self._render = render or plain_reply
        self._label = label
        self._grow = grow or grown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or fail to."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        cloud = self._cloud
        method, path = scope["method"], scope["path"]
        if self._label:
            body = await _whole(receive)
            path, receive = self._label(scope, body), _replayed(body, receive)
        cloud.requests.record(method, path, scope.get("query_string", b"").decode("latin-1"))
        behaviour = cloud.behaviour
        if behaviour.latency:
            await anyio.sleep(behaviour.latency)
        fault = behaviour.take_fault(method, path) if behaviour.faults else None
        if fault is None and behaviour.unknown_fields:
            await self._app(scope, receive, self._growing(send))
        elif fault is None:
            await self._app(scope, receive, send)
        elif fault.kind is FaultKind.HANG:
            await _until_disconnect(receive)
        elif fault.kind is FaultKind.RESET:
            await _cut(scope, receive)
        elif fault.kind is FaultKind.LOST:
            await self._app(scope, receive, _unsent)
            await _cut(scope, receive)
        else:
            render = plain_reply if fault.by_proxy else self._render
            await _send(send, render(scope, fault))

    def _growing(self, send: Send) -> Send:
        """A `send` that gathers the reply and sends it on with unknown fields."""
        start: Message = {}
        chunks: list[bytes] = []

        async def gather(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            chunks.append(message.get("body", b""))
            if message.get("more_body"):
                return
            headers = dict(start["headers"])
            content_type = headers.get(b"content-type", b"").decode("latin-1")
            body = b"".join(chunks)
            larger = self._grow(body, content_type) if body else body
            if larger != body:
                self._cloud.requests.grown += 1
                headers[b"content-length"] = str(len(larger)).encode()
                start = {**start, "headers": list(headers.items())}
            await send(start)
            await send({"type": "http.response.body", "body": larger})

        return gather


def plain_reply(scope: Scope, fault: Fault) -> Reply:
    """What a proxy in front of a cloud says in the place of the cloud."""
    del scope
    headers = () if fault.retry_after is None else (("retry-after", str(fault.retry_after)),)
    if fault.kind is FaultKind.GARBAGE:
        page = b"<!doctype html><title>Welcome</title><p>Accept the terms to go on line."
        return Reply(status=200, body=page)
    if fault.kind is FaultKind.UNAUTHORIZED:
        headers = (("www-authenticate", "Basic"),)
    elif fault.kind is FaultKind.RATE_LIMITED:
        headers = headers or (("retry-after", "1"),)
    status = _STATUS[fault.kind]
    body = f"<html><body><h1>{status.value} {status.phrase}</h1></body></html>"
    return Reply(status=status, body=body.encode(), headers=headers)


async def _whole(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body once more, and then what else comes."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return pending.pop() if pending else await receive()

    return again


async def _unsent(message: Message) -> None:
    del message


async def _send(send: Send, reply: Reply) -> None:
    headers = [
        (b"content-type", reply.content_type.encode()),
        (b"content-length", str(len(reply.body)).encode()),
        *((name.encode(), value.encode()) for name, value in reply.headers),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})


async def _until_disconnect(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()


async def _cut(scope: Scope, receive: Receive) -> None:
    cut = scope.get("state", {}).get(CUT)
    if cut is None:
        raise ConnectionResetError("the simulated cloud cut the connection")
    cut()
    await _until_disconnect(receive)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
