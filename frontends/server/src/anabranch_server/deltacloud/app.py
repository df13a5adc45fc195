"""The API as an ASGI application: from a request to its handler, and from an error to its reply."""

from __future__ import annotations

from typing import Final

from anabranch import AnabranchError
from anabranch_server.deltacloud import handlers
from anabranch_server.deltacloud.backends import Backend, Selection
from anabranch_server.deltacloud.call import Call, Receive, Scope, Send
from anabranch_server.deltacloud.links import View
from anabranch_server.deltacloud.parameters import read_parameters
from anabranch_server.deltacloud.problems import Problem, nothing_here, problem_of
from anabranch_server.deltacloud.refusals import refusal
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Collection

__all__ = ["Deltacloud"]

_READS: Final = ("GET", "HEAD")


class Deltacloud:
    """Deltacloud's API over the clouds of a backend."""

    def __init__(self, backend: Backend, *, public_url: str | None = None) -> None:
        """Take whom to ask.

        Args:
            backend: Finds the clouds of a request.
            public_url: The address that clients know the server by, without a slash at its end;
                None: what the header `Host` of each request says.
        """
        self._backend, self._public_url = backend, public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        call = Call(scope, receive)
        try:
            root = call.root(self._public_url)
            async with self._backend.select(call.chosen, call.credentials) as selection:
                reply = await self._reply(call, root, selection)
                await reply.send(call, send)
        except Problem as problem:
            await refusal(call, problem).send(call, send)
        except AnabranchError as error:
            await refusal(call, problem_of(error)).send(call, send)

    async def _reply(self, call: Call, root: str, selection: Selection) -> Reply:
        name, *rest = call.path or ("",)
        collection = COLLECTIONS.get(name)
        if collection is None:
            raise nothing_here(call.url)
        parameters = await read_parameters(call)
        view = View(root, qualified=selection.qualified, offered=selection.offered())
        request = Request(call, parameters, selection, view, call.format())
        return await _handled(request, collection, rest)


async def _handled(request: Request, collection: Collection, rest: list[str]) -> Reply:
    method = request.call.method
    if not rest:
        if method in _READS:
            return await handlers.index(request, collection)
        if method == "POST" and (create := collection.action("create")):
            return await handlers.create(request, collection, create)
        raise nothing_here(request.call.url)
    if request.selection.qualified and "/" not in rest[0] and len(rest) > 1:
        rest = ["/".join(rest[:2]), *rest[2:]]
    ident, *tail = rest
    if not tail:
        if method in _READS:
            return await handlers.show(request, collection, ident)
        if method == "DELETE" and collection.action("destroy"):
            return await handlers.destroy(request, collection, ident)
    elif len(tail) == 1 and (action := collection.action(tail[0])) and method == action.method:
        return await handlers.act(request, collection, action, ident)
    raise nothing_here(request.call.url)
