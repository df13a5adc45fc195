"""A document in the format that was asked for: XML, JSON, or a page for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.reply import Reply
from anabranch_server.deltacloud.request import Request
from anabranch_server.deltacloud.vocabulary import COLLECTIONS

__all__ = ["frame_of", "page", "rendered"]


def frame_of(request: Request) -> pages.Frame:
    """Return what stands around the page that answers a request."""
    selection = request.selection
    here = request.call.address(request.view.root, without="format")
    return pages.Frame(request.view.root, here, selection.driver, selection.provider)


def page(body: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a page as a reply, with the policy that lets no script run in it."""
    return Reply(status, body, Format.HTML, {**(headers or {}), **pages.GUARDS})


def rendered(
    request: Request,
    name: str,
    *,
    xml: Callable[[], bytes],
    plain: Callable[[], Any],
    json: Callable[[], bytes] | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    next_page: str | None = None,
) -> Reply:
    """Return a document as a reply; only the form that is asked for is made.

    Args:
        request: The request.
        name: What it is: `instances.index` or `instances.show`, and so for every collection; for
            anything else the title of its page.
        xml: Makes the XML.
        plain: Makes the plain document, of which JSON and the page are made.
        json: Makes the JSON, where there is a faster way than by the plain document.
        status: HTTP status.
        headers: Further headers.
        next_page: URL of the next page of a list, if there is one.
    """
    if request.format is Format.JSON:
        return Reply(status, json() if json else documents.encode(plain()), Format.JSON, headers)
    if request.format is not Format.HTML:
        return Reply(status, xml(), Format.XML, headers)
    collection, _, form = name.partition(".")
    frame, document = frame_of(request), plain()
    if collection not in COLLECTIONS:
        body = pages.plain_page(frame, collection, document)
    elif form == "index":
        create = COLLECTIONS[collection].action("create")
        creates = create is not None and any(
            request.view.offers(cloud, create.operation) for cloud in request.selection.clouds
        )
        body = pages.index_page(
            frame, COLLECTIONS[collection], document, next_page, creates=creates
        )
    else:
        body = pages.show_page(frame, COLLECTIONS[collection], _unwrapped(document))
    return page(body, status=status, headers=headers)


def _unwrapped(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take a member out of `{"instance": …}`, which the answer to an action is not wrapped in."""
    inner = list(document.values())
    if len(inner) == 1 and isinstance(inner[0], Mapping):
        return cast("Mapping[str, Any]", inner[0])
    return document
