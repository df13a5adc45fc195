"""A document in the format that was asked for: XML, JSON, or a page for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from anabranch import CloudReport
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS, Collection

__all__ = ["frame_of", "member", "members", "page", "rendered", "see"]


def frame_of(request: Request) -> pages.Frame:
    """Return what stands around the page that answers a request."""
    selection = request.selection
    here = request.call.address(request.view.root, without="format")
    return pages.Frame(request.view.root, here, selection.driver, selection.provider)


def page(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a page as a reply, with the policy that lets no script run in it."""
    return Reply(status, body, Format.HTML, {**(headers or {}), **pages.GUARDS})


def see(where: str) -> Reply:
    """Lead people to the page of what they made, changed, or destroyed a member of."""
    return Reply(303, headers={"Location": where})


def rendered(
    request: Request,
    title: str,
    *,
    xml: Callable[[], bytes],
    plain: Callable[[], Any],
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Return a document that is of no collection; only the form that is asked for is made.

    Args:
        request: The request.
        title: The title of its page.
        xml: Makes the XML.
        plain: Makes the plain document, of which JSON and the page are made.
        headers: Further headers.
    """
    if request.format is Format.JSON:
        return Reply(200, documents.encode(plain()), Format.JSON, headers)
    if request.format is not Format.HTML:
        return Reply(200, xml(), Format.XML, headers)
    return page(pages.plain_page(frame_of(request), title, plain()), headers=headers)


def members(
    request: Request,
    collection: Collection,
    items: Sequence[Any],
    *,
    clouds: Sequence[CloudReport] | None = None,
    secrets: bool = False,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    next_page: str | None = None,
) -> Reply:
    """Return a list of members of a collection as a reply.

    Args:
        request: The request.
        collection: The collection.
        items: Its members.
        clouds: What became of each cloud, where several were asked.
        secrets: Whether passwords are told: only in the answer to a create.
        status: HTTP status.
        headers: Further headers.
        next_page: URL of the next page of the list, if there is one.
    """
    name, view = collection.name, request.view
    if request.format is Format.JSON:
        body = documents.index_json(name, items, view, clouds, secrets=secrets)
        return Reply(status, body, Format.JSON, headers)
    if request.format is not Format.HTML:
        body = documents.index_xml(name, items, view, clouds, secrets=secrets)
        return Reply(status, body, Format.XML, headers)
    document = documents.index_plain(name, items, view, clouds, secrets=secrets)
    create = collection.action("create")
    creates = create is not None and any(
        view.offers(cloud, create.operation) for cloud in request.selection.clouds
    )
    body = pages.index_page(frame_of(request), collection, document, next_page, creates=creates)
    return page(body, status=status, headers=headers)


def member(
    request: Request,
    name: str,
    item: Any,
    *,
    wrapped: bool = True,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Return a member of a collection, or a blob, as a reply.

    Args:
        request: The request.
        name: The collection's name; `blobs` too is one.
        item: The member.
        wrapped: Whether JSON has it as the value of a key.
        status: HTTP status.
        headers: Further headers.
    """
    view = request.view
    if request.format is Format.JSON:
        plain = documents.show_plain(name, item, view, wrapped=wrapped)
        return Reply(status, documents.encode(plain), Format.JSON, headers)
    if request.format is not Format.HTML:
        return Reply(status, documents.show_xml(name, item, view), Format.XML, headers)
    frame, plain = frame_of(request), documents.show_plain(name, item, view, wrapped=False)
    body = (
        pages.show_page(frame, COLLECTIONS[name], plain)
        if name in COLLECTIONS
        else pages.plain_page(frame, name, plain)
    )
    return page(body, status=status, headers=headers)
