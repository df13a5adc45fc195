"""The API as an ASGI application: from a request to its handler, and from an error to its reply."""

from __future__ import annotations

import traceback
from collections.abc import Container
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from anabranch import AnabranchError, EventLog
from anabranch_server.deltacloud import pages
from anabranch_server.deltacloud.allowing import allowed
from anabranch_server.deltacloud.backends import Backend, Selection
from anabranch_server.deltacloud.call import Call, Receive, Scope, Send
from anabranch_server.deltacloud.drivers import drivers, states
from anabranch_server.deltacloud.entry import entry_point
from anabranch_server.deltacloud.guide import guide
from anabranch_server.deltacloud.links import View
from anabranch_server.deltacloud.negotiation import DOCUMENTS, Format
from anabranch_server.deltacloud.parameters import read_parameters
from anabranch_server.deltacloud.refusals import refusal
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.routes import routed
from anabranch_server.deltacloud.running import OPERATION
from anabranch_server.deltacloud.vocabulary import COLLECTIONS
from anabranch_server.problems import Problem, nothing_here, problem_of

__all__ = ["Deltacloud"]

_STATES: Final = (*DOCUMENTS, Format.PNG, Format.GV)
_ABOUT_DRIVERS: Final = ("drivers", "instance_states", "docs")
"""What can be asked without an account."""
_STYLE: Final = "style.css"
_STYLE_AGE: Final = "max-age=300"
_log: Final = EventLog()


class _Runnable(Container[str]):
    """The operations of a cloud, and `run_instance` if its instances can be looked up."""

    def __init__(self, operations: Container[str]) -> None:
        self._operations: Container[Any] = operations

    def __contains__(self, operation: object) -> bool:
        wanted = "get_instance" if operation == OPERATION else operation
        return wanted in self._operations


class Deltacloud:
    """Deltacloud's API over the clouds of a backend."""

    def __init__(
        self, backend: Backend, *, public_url: str | None = None, allow_run: bool = False
    ) -> None:
        """Take whom to ask.

        Args:
            backend: Finds the clouds of a request.
            public_url: The address that clients know the server by, without a slash at its end;
                None: what the header `Host` of each request says.
            allow_run: Whether commands may be run on instances, by SSH from here.
        """
        self._backend, self._public_url, self._allow_run = backend, public_url, allow_run
        kinds = [*backend.drivers()]
        self._told = {"driver": kinds[0]} if len(kinds) == 1 else {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            Exception: an answer that is begun cannot be ended; the server breaks the connection.
        """
        call = Call(scope, receive)
        call.told = self._told
        account = begun = False
        try:
            if (reply := _without_clouds(call)) is not None:
                begun = True
                await reply.send(call, send)
                return
            root = call.root(self._public_url)
            async with self._selected(call) as selection:
                account, call.told = selection.account, _told(selection)
                reply = await self._reply(call, root, selection)
                begun = True
                await reply.send(call, send)
        except Exception as exc:
            if begun:
                _log.warning("reply.broken", path=call.url, error=type(exc).__name__)
                raise
            problem = _problem(call, exc, account=account)
            await refusal(call, problem).send(call, send)

    def _selected(self, call: Call) -> AbstractAsyncContextManager[Selection]:
        about = call.path[0] if call.path else ""
        if about in _ABOUT_DRIVERS:
            return self._backend.select(call.chosen, None, required=False)
        required = about in COLLECTIONS or "force_auth" in call.query
        return self._backend.select(call.chosen, call.credentials, required=required)

    async def _reply(self, call: Call, root: str, selection: Selection) -> Reply:
        name, *rest = call.path or ("",)
        offered = selection.offered()
        if self._allow_run:
            offered = {cloud: _Runnable(operations) for cloud, operations in offered.items()}
        view = View(root, qualified=selection.qualified, offered=offered)
        if name == "buckets" and rest:  # the content of a blob is none of the documents
            kind = call.preferred() or Format.XML
        else:
            kind = call.format(_STATES if name == "instance_states" else DOCUMENTS)
        call.parameters = parameters = await read_parameters(call)
        return await self._handled(Request(call, parameters, selection, view, kind), name, rest)

    async def _handled(self, request: Request, name: str, rest: list[str]) -> Reply:
        if (collection := COLLECTIONS.get(name)) is not None:
            return await routed(request, collection, rest)
        if not (name or any(rest)):
            return await entry_point(request, self._backend.drivers)
        if name == "drivers":
            return await drivers(request, rest, self._backend.drivers())
        if name == "instance_states":
            return await states(request, rest)
        if name == "docs":
            return guide(request, rest)
        raise nothing_here(request.call.url)


def _without_clouds(call: Call) -> Reply | None:
    """Answer what is the same for all clouds and everybody."""
    if call.method == "OPTIONS":
        return Reply(200, headers={"Allow": allowed(call)})
    if call.path == (_STYLE,) and call.method in ("GET", "HEAD"):
        return Reply(200, pages.STYLE, "text/css; charset=utf-8", {"Cache-Control": _STYLE_AGE})
    return None


def _told(selection: Selection) -> dict[str, str]:
    told = {"driver": selection.driver}
    if selection.provider is not None:
        told["provider"] = selection.provider
    return told


def _problem(call: Call, exc: Exception, *, account: bool) -> Problem:
    if isinstance(exc, Problem):
        return exc
    if isinstance(exc, AnabranchError):
        return problem_of(exc, account=account)
    # Neither the message nor the values of the frames: they may be secrets.
    place = "".join(traceback.format_tb(exc.__traceback__))
    _log.warning("bug", method=call.method, path=call.url, error=type(exc).__name__, place=place)
    return Problem(
        500,
        "the server has a bug, and its log tells where",
        kind="InternalError",
        remedy="Report it, with what the log says",
    )
