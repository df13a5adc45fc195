"""What the platform answers: errors, in whatever form it says them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from anabranch.cloud import Response, retry_after
from anabranch.errors import (
    CloudError,
    Conflict,
    InvalidState,
    ProtocolError,
    QuotaExceeded,
    error_class,
)
from anabranch.redaction import MASK
from anabranch_paci.markup import Node, parse

__all__ = ["failure", "is_html"]

_LONGEST: Final = 500
_QUOTA: Final = re.compile(r"\b(?:limit|quota)\b.*exceed|exceed.*\b(?:limit|quota)\b", re.I | re.S)
_EXISTS: Final = re.compile(r"already exist|already (?:taken|in use)|not unique|duplicate", re.I)
_STATE: Final = re.compile(
    r"\bstate\b|_IN_PROGRESS|in progress|\bSTARTED\b|\bSTOPPED\b|\bCREATED\b"
    r"|(?:is|not|still|be|while) (?:running|started|stopped)|transition",
    re.I,
)
_UNSEEN: Final = re.compile(r"<(head|style|script)\b.*?</\1>", re.I | re.S)
_TAG: Final = re.compile(r"<[^>]*>")
_HTML: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml\b[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
    rb"<(?:!doctype\s+html|html)\b",
    re.I | re.S,
)
_TELLING: Final = frozenset({"message", "error", "reason", "detail", "details", "description"})


def is_html(reply: Response) -> bool:
    """Whether the reply is a page for a person: a proxy's or a portal's, never PACI's."""
    return bool(_HTML.match(reply.content))


def failure(reply: Response, hide: Iterable[str] = ()) -> CloudError:
    """Make the error that a reply of status 300 or more stands for.

    What the bodies of errors look like is not published: XML, HTML and text are all read.

    Args:
        reply: The reply.
        hide: Secrets that were sent, and which the platform may repeat in its message.
    """
    message = _message(reply)
    for secret in filter(None, hide):
        message = message.replace(secret, MASK)
    kind = _kind(reply.status, message)
    return kind(
        message[:_LONGEST] or f"status {reply.status} without a message",
        provider_code=reply.status,
        retry_after=retry_after(reply.headers),
    )


def _kind(status: int, message: str) -> type[CloudError]:
    if status == 406:  # the one refusal that the vendor documents: the subscription's limit
        return QuotaExceeded
    if status in (400, 403, 409, 500):
        if _QUOTA.search(message):
            return QuotaExceeded
        if _EXISTS.search(message):
            return Conflict
        if status != 403 and _STATE.search(message):
            return InvalidState
    return error_class(status)


def _message(reply: Response) -> str:
    if is_html(reply):
        return " ".join(_TAG.sub(" ", _UNSEEN.sub(" ", reply.text)).split())
    if reply.content.lstrip()[:1] == b"<":
        try:
            nodes = list(_walk(parse(reply.content)))
        except ProtocolError:
            return " ".join(_TAG.sub(" ", reply.text).split())
        told = [n.text for n in nodes if n.tag.lower() in _TELLING and n.text.strip()]
        told += [v for n in nodes for k, v in n.attributes.items() if k.lower() in _TELLING]
        texts = told or [n.text for n in nodes]
        return " ".join(" ".join(texts).split())
    return " ".join(reply.text.split())


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)
