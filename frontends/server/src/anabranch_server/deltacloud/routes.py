"""What the paths below a collection lead to."""

from __future__ import annotations

from typing import Final

from anabranch_server.deltacloud import blobs, handlers, running
from anabranch_server.deltacloud.forms import form
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import Collection
from anabranch_server.problems import nothing_here

__all__ = ["routed"]

_READS: Final = ("GET", "HEAD")
_NEW: Final = "new"


async def routed(request: Request, collection: Collection, rest: list[str]) -> Reply:
    """Answer a request for a collection, a member, or something below a member.

    What a `POST` does to a collection or member, a page asks for: `GET` of `/instances/new`, or of
    the action's own path.

    Args:
        request: The request.
        collection: The collection.
        rest: The segments of the path after the collection, decoded. Where ids are `cloud/id`,
            the cloud is a segment of its own, or `%2F` joins the two.

    Raises:
        Problem: the path leads nowhere, or not by this method.
    """
    method = request.call.method
    create = collection.action("create")
    people = method in _READS and request.format is Format.HTML
    if not rest:
        if method in _READS:
            return await handlers.index(request, collection)
        if method == "POST" and create:
            return await handlers.create(request, collection, create)
        raise nothing_here(request.call.url)
    if rest == [_NEW] and people and create:
        return await form(request, collection, create)
    if len(rest) > 1 and request.selection.qualified and "/" not in rest[0]:
        rest = ["/".join(rest[:2]), *rest[2:]]
    ident, *tail = rest
    if not ident or (tail[-1:] == [""] and (len(tail) == 1 or collection.name != "buckets")):
        raise nothing_here(request.call.url)  # `client.realm(nil)` wants no list
    request.target(ident)
    if collection.name == "buckets" and (tail or method != "DELETE"):
        return await blobs.serve(request, ident, *tail)
    if not tail and method in _READS:
        return await handlers.show(request, collection, ident)
    for action in collection.actions:
        if not action.member:
            continue
        named = tail in ([action.name], [action.form or action.name])
        if people and (named or action.matches("POST", tail) is not None):
            return await form(request, collection, action, ident)
        found = action.matches(method, tail)
        if found is None:
            continue
        if action.name == "destroy":
            return await handlers.destroy(request, collection, ident)
        if action.operation == running.OPERATION:
            return await running.run(request, ident)
        return await handlers.act(request, collection, action, ident, found)
    raise nothing_here(request.call.url)
