"""The ASGI application: one URL, one method, one connection per call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import unescape

from anabranch.testing.growth import grown_xml
from anabranch.testing.simulation import Fault, FaultKind, plain_reply
from anabranch.testing.simulation import Reply as PlainReply
from anabranch_opennebula.simulator import (
    images,
    infrastructure,
    security_groups,
    templates_pool,
    users,
    xmlrpc,
)
from anabranch_opennebula.simulator.access import authenticate
from anabranch_opennebula.simulator.machines import methods as machines
from anabranch_opennebula.simulator.methods import Method
from anabranch_opennebula.simulator.networks import methods as networks
from anabranch_opennebula.simulator.networks import templates as network_templates
from anabranch_opennebula.simulator.refusals import Code, Refusal, RpcFault

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from anabranch_opennebula.simulator.state import State

__all__ = ["METHODS", "PATH", "Application", "grow", "label", "render_fault"]

PATH = "/RPC2"

METHODS: dict[str, Method] = {
    **machines.METHODS,
    **templates_pool.METHODS,
    **images.METHODS,
    **networks.METHODS,
    **network_templates.METHODS,
    **security_groups.METHODS,
    **users.METHODS,
    **infrastructure.METHODS,
}
_ADDED = {"one.vm.attachsg": (6, 4), "one.vm.detachsg": (6, 4), "one.vmpool.infoset": (6, 0)}
_XML = "text/xml; charset=utf-8"
_DOCUMENT = re.compile(rb"<string>(&lt;.*?)</string>", re.DOTALL)
_FREE = ("TEMPLATE", "USER_TEMPLATE")
_SAID = {
    FaultKind.UNAUTHORIZED: (
        Code.AUTHENTICATION,
        "User couldn't be authenticated, aborting call.",
    ),
    FaultKind.FORBIDDEN: (Code.AUTHORIZATION, "User [2] : Not authorized to perform USE VM [0]."),
    FaultKind.NOT_FOUND: (Code.NO_EXISTS, "Error getting virtual machine [0]."),
    FaultKind.CONFLICT: (Code.ACTION, "This action is not available for state LOCKED"),
}
_SERVER = (b"server", b"Xmlrpc-c_Abyss/1.33.14")


class Application:
    """Answers for one cloud."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and have its connection closed."""
        body = await _read(receive)
        refused = _refused(scope)
        if refused is None:
            await _send(send, 200, _XML.encode(), self._answer(body))
        else:
            status, title = refused
            page = f"<HTML><HEAD><TITLE>Error {status}</TITLE></HEAD><BODY><H1>Error {status}</H1>"
            await _send(send, status, b"text/html", f"{page}<P>{title}</P></BODY></HTML>".encode())

    def _answer(self, body: bytes) -> bytes:
        name = ""
        try:
            name, parameters = xmlrpc.read_call(body)
            return xmlrpc.success(self._call(name, parameters))
        except RpcFault as fault:
            return xmlrpc.fault(fault)
        except Refusal as refusal:
            return xmlrpc.refusal(name, refusal)

    def _call(self, name: str, parameters: list[xmlrpc.Scalar]) -> xmlrpc.Payload:
        method = METHODS.get(name)
        if method is None or _ADDED.get(name, (0, 0)) > self._state.release:
            raise RpcFault(RpcFault.NO_SUCH_METHOD, f"Method '{name}' not defined")
        session, arguments = method.check(parameters)
        now = self._state.clock()
        self._state.settle(now)
        return method(authenticate(self._state, session, now), arguments)


def label(scope: Scope, body: bytes) -> str:
    """The path under which a request counts: `/RPC2/one.vm.info`."""
    name = xmlrpc.method_name(body)
    path: str = scope["path"]
    return f"{path}/{name}" if name else path


def render_fault(scope: Scope, fault: Fault) -> PlainReply:
    """What oned and the proxies in front of it say when something is wrong.

    oned answers with status 200 whatever it refuses; what else there is, is a proxy's.
    """
    if fault.kind not in _SAID:
        return plain_reply(scope, fault)
    answer = xmlrpc.refusal("one.call", Refusal(*_SAID[fault.kind]))
    return PlainReply(status=200, body=answer, content_type=_XML)


def grow(body: bytes, content_type: str) -> bytes:
    """Add unknown elements to the document that an answer carries as an escaped string."""
    del content_type

    def grown_one(match: re.Match[bytes]) -> bytes:
        document = unescape(match[1].decode())
        grown = grown_xml(document.encode(), leave=_FREE).partition(b"?>\n")[2].decode()
        return b"<string>" + xmlrpc.escaped(grown) + b"</string>"

    return _DOCUMENT.sub(grown_one, body)


def _refused(scope: Scope) -> tuple[int, str] | None:
    if scope["path"] != PATH:
        return 404, "Not Found"
    if scope["method"] != "POST":
        return 405, "Method Not Allowed"
    if any(name == b"transfer-encoding" for name, _ in scope["headers"]):
        return 411, "Length Required"
    return None


async def _read(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    more = True
    while more:
        message = await receive()
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _send(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
        _SERVER,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
