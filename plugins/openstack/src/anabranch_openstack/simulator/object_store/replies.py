"""How swift answers: texts for people, times, lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from math import ceil
from typing import TypeVar

from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["HTML", "Headers", "http_time", "listing", "page", "plain", "timestamp"]

T = TypeVar("T")
Headers = list[tuple[str, str]]

HTML = "text/html; charset=UTF-8"
TEXT = "text/plain; charset=utf-8"
_MOST_ITEMS = 10_000
_WORDS = {
    400: "The server could not comply with the request since it is either malformed or otherwise"
    " incorrect.",
    202: "The request is accepted for processing.",
    401: "This server could not verify that you are authorized to access the document you"
    " requested.",
    403: "Access was denied to this resource.",
    404: "The resource could not be found.",
    405: "The method is not allowed for this resource.",
    409: "There was a conflict when trying to complete your request.",
    413: "The body of your request was too large for this server.",
    416: "The Range requested is not available.",
    422: "Unable to process the contained instructions",
}
_TITLES = {416: "Requested Range Not Satisfiable", 422: "Unprocessable Entity"}


def page(status: int, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    """The page that swift has for a status; an empty one where it has none."""
    body = ""
    if status in _WORDS:
        title = _TITLES.get(status) or HTTPStatus(status).phrase
        body = f"<html><h1>{title}</h1><p>{_WORDS[status]}</p></html>"
    return Reply(status=status, body=body.encode(), content_type=HTML, headers=list(headers))


def plain(status: int, text: str, content_type: str = "text/plain") -> Reply:
    """An answer in words of its own."""
    return Reply(status=status, body=text.encode(), content_type=content_type)


def timestamp(moment: float) -> str:
    """Time as swift's own headers have it: seconds with five decimals."""
    return f"{moment:.5f}"


def http_time(moment: float) -> str:
    """Time as HTTP has it, rounded up."""
    return formatdate(ceil(moment), usegmt=True)


def listing(
    request: Request,
    items: Mapping[str, Document],
    headers: Headers,
) -> Reply:
    """A page of a list, in the order of the names' bytes; for HEAD, what would be said of it.

    Args:
        request: What is asked: `limit`, `marker`, `end_marker`, `prefix`, `delimiter`, `reverse`.
        items: How they are shown, by name.
        headers: What the reply says besides.

    Raises:
        Refusal: More are asked for than there are on a page.
    """
    text = request.param("limit") or ""
    limit = int(text) if text.isdecimal() else _MOST_ITEMS
    if limit > _MOST_ITEMS:
        raise Refusal(412, f"Maximum limit is {_MOST_ITEMS}")
    asked = request.param("format") or ""
    headers = headers if asked else [*headers, ("vary", "Accept")]
    if request.method == "HEAD":
        return Reply(status=204, headers=headers)
    shown = _select(request, items)[:limit]
    if asked == "json" or (not asked and "application/json" in request.header(b"accept")):
        reply = json_reply(shown)
        reply.content_type = "application/json; charset=utf-8"
    else:
        lines = "".join(f"{item.get('name', item.get('subdir'))}\n" for item in shown)
        reply = Reply(status=200 if lines else 204, body=lines.encode(), content_type=TEXT)
    reply.headers = headers
    return reply


def _select(request: Request, items: Mapping[str, Document]) -> list[Document]:
    prefix, delimiter = request.param("prefix") or "", request.param("delimiter") or ""
    reverse = (request.param("reverse") or "").lower() in ("true", "1", "yes", "on")
    after, before = request.param("marker") or "", request.param("end_marker") or ""
    if reverse:
        after, before = before, after
    shown: dict[str, Document] = {}
    for name in sorted(items, key=str.encode, reverse=reverse):
        if not name.startswith(prefix):
            continue
        end = name.find(delimiter, len(prefix)) if delimiter else -1
        key = name if end < 0 else name[: end + len(delimiter)]
        if key.encode() > after.encode() and (not before or key.encode() < before.encode()):
            shown.setdefault(key, items[name] if end < 0 else {"subdir": key})
    return list(shown.values())
