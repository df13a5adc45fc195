"""The ASGI application of a simulated cloud: who asks, for what, and how the reply is sent."""

from __future__ import annotations

import base64
import binascii
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote

from anabranch.testing.simulation import Fault, FaultKind, plain_reply
from anabranch.testing.simulation import Reply as PlainReply
from anabranch_paci.simulator import (
    accounting,
    applications,
    autoscale,
    backups,
    balancers,
    copies,
    creation,
    firewall,
    images,
    modification,
    servers,
    templates,
)
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import Refusal, Reply, Request, text_reply, xml_reply

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import Receive, Scope, Send

    from anabranch_paci.simulator.state import ErrorShape, State

__all__ = ["PREFIX", "Application", "render_fault"]

PREFIX = "/paci/v1.0"

_REALM = 'Basic realm="Parallels Instance Manager"'  # Salt sends its password to no other
_CHALLENGE = (("www-authenticate", _REALM),)
_LARGEST_BODY = 4 * 1024 * 1024
_SAID = {
    FaultKind.FORBIDDEN: "This is not allowed to you.",
    FaultKind.NOT_FOUND: "There is no such resource.",
    FaultKind.CONFLICT: "The resource is being changed.",
    FaultKind.BROKEN: "Internal error.",
}

_ROUTES = Routes()
for _part in (
    accounting,
    applications,
    autoscale,
    backups,
    balancers,
    copies,
    creation,
    firewall,
    images,
    modification,
    servers,
    templates,
):
    _ROUTES.include(_part.routes)


class Application:
    """Answers for one cloud.

    Args:
        state: What the cloud holds.
        credentials: Who may ask: `user:password` of the account, and with its API key.
    """

    def __init__(self, state: State, credentials: Collection[str]) -> None:
        self._state = state
        self._credentials = [text.encode() for text in credentials]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(receive)
        await _send(send, self._answer(scope, body))

    def _answer(self, scope: Scope, body: bytes) -> Reply:
        try:
            if not self._authenticated(dict(scope["headers"])):
                return _unauthorized(self._state.error_shape)
            if len(body) > _LARGEST_BODY:
                return _error(self._state.error_shape, 413, "The body is too large.")
            now = self._state.clock()
            self._state.advance(now)
            query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
            return _dispatch(scope, Request(self._state, query, body, now))
        except Refusal as refusal:
            return _error(self._state.error_shape, refusal.status, refusal.message)

    def _authenticated(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, encoded = headers.get(b"authorization", b"").partition(b" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            return False
        known = [hmac.compare_digest(given, right) for right in self._credentials]
        return scheme.lower() == b"basic" and any(known)


def render_fault(scope: Scope, fault: Fault) -> PlainReply:
    """What the platform and the proxies in front of it say when something is wrong."""
    plain = plain_reply(scope, fault)
    if fault.kind is FaultKind.UNAUTHORIZED:
        reply = _unauthorized("xml")
    elif fault.kind in _SAID:
        reply = _error("xml", plain.status, _SAID[fault.kind])
    else:
        return plain
    return PlainReply(
        status=reply.status,
        body=reply.body,
        content_type=reply.content_type,
        headers=reply.headers,
    )


def _dispatch(scope: Scope, request: Request) -> Reply:
    """Take the path as it came, where a name may hold an escaped slash, and find who answers."""
    raw = scope["raw_path"].decode("latin-1")
    if raw != PREFIX and not raw.startswith(PREFIX + "/"):
        raise Refusal(HTTPStatus.NOT_FOUND, "There is no such service.")
    path = raw[len(PREFIX) + 1 :].removesuffix("/")
    segments = [unquote(segment) for segment in path.split("/")]
    found = _ROUTES.find(scope["method"], segments)
    if found is not None:
        handler, args = found
        return handler(request, *args)
    if _ROUTES.methods(segments):
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, f"{scope['method']} is not possible here.")
    raise Refusal(HTTPStatus.NOT_FOUND, "There is no such resource.")


def _error(shape: ErrorShape, status: int, message: str) -> Reply:
    """A refusal.

    That its body is XML is inferred, and so are its elements: Salt parses every error as XML,
    other clients print whatever comes.
    """
    if shape == "text":
        return text_reply(message, status)
    return xml_reply(Element("error", None, Element("message", message)), status)


def _unauthorized(shape: ErrorShape) -> Reply:
    reply = _error(shape, HTTPStatus.UNAUTHORIZED, "Authentication is required.")
    return Reply(reply.status, reply.body, reply.content_type, reply.sized, _CHALLENGE)


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= _LARGEST_BODY + len(chunk):  # what is beyond that is read but not kept
            chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _send(send: Send, reply: Reply) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers]
    if reply.content_type:
        headers.append((b"content-type", reply.content_type.encode()))
    if reply.sized:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
