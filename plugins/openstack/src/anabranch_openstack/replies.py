"""What the services answer: documents, and errors in each service's own shape."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from anabranch.cloud import Response, retry_after
from anabranch.errors import (
    CloudError,
    InvalidState,
    OperationNotSupported,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
    error_class,
)
from anabranch.redaction import MASK

__all__ = ["decoded", "failure", "request_id"]

T = TypeVar("T")

_REQUEST_ID: Final = ("x-openstack-request-id", "x-compute-request-id", "x-trans-id")
_QUOTA: Final = re.compile(r"quota", re.IGNORECASE)
_STATE: Final = re.compile(
    r"\b(vm_state|task_state|power_state|locked|not yet ready|not ready|immutable|Invalid state)\b"
)
_HEADING: Final = re.compile(r"</h1>", re.IGNORECASE)
_UNSEEN: Final = re.compile(r"<(head|style|script)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_BREAK: Final = re.compile(r"(?:<br\s*/?>\s*)+", re.IGNORECASE)
_TAG: Final = re.compile(r"<[^>]*>")
_LONGEST: Final = 500


def request_id(reply: Response) -> str | None:
    """Return the id under which the service's operators find the request."""
    for name in _REQUEST_ID:
        if found := reply.headers.get(name):
            return found
    return None


def decoded(reply: Response, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode the document of a good reply.

    Raises:
        ProtocolError: it is not such a document.
    """
    try:
        return decoder.decode(reply.content)
    except msgspec.DecodeError as exc:
        what = str(exc).replace("`", "'")
        raise ProtocolError(
            f"the reply is no document of OpenStack: {what}", request_id=request_id(reply)
        ) from exc


def failure(reply: Response, hide: Iterable[str] = ()) -> CloudError:
    """Make the error that a reply of status 300 or more stands for.

    Args:
        reply: The reply.
        hide: Secrets that were sent, and which the service may repeat in its message.
    """
    said = _read(reply)
    message = said.message
    for secret in filter(None, hide):
        message = message.replace(secret, MASK)
    # Keystone appends the schema, and with it the request, to what it has to say.
    message = message.partition("\n\n")[0][:_LONGEST]
    kind = _kind(reply, said)
    return kind(
        message or f"status {reply.status} without a message",
        provider_code=said.code or reply.status,
        request_id=request_id(reply),
        retry_after=retry_after(reply.headers),
    )


class _Said(NamedTuple):
    message: str
    code: str = ""


def _kind(reply: Response, said: _Said) -> type[CloudError]:
    status = reply.status
    if status == 413 and (said.code == "overLimit" or _QUOTA.search(said.message)):
        return RateLimited if retry_after(reply.headers) else QuotaExceeded
    if status == 403 and _QUOTA.search(said.message):
        return QuotaExceeded
    if status == 409:
        if said.code == "OverQuota":
            return QuotaExceeded
        if _STATE.search(said.message):
            return InvalidState
    if status == 406:
        return OperationNotSupported
    if status == 498:
        return RateLimited
    return error_class(status)


def _read(reply: Response) -> _Said:
    try:
        document: Any = msgspec.json.decode(reply.content)
    except msgspec.DecodeError:
        return _Said(_from_text(reply.text))
    if isinstance(document, dict):
        return _from_object(cast("dict[str, Any]", document))
    return _Said(str(document)[:_LONGEST])


def _from_object(document: dict[str, Any]) -> _Said:
    if "faultstring" in document:
        return _Said(str(document["faultstring"]))
    errors: Any = document.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        first: dict[str, Any] = cast("Any", errors)[0]
        return _Said(str(first.get("detail") or first.get("title")), str(first.get("code", "")))
    if isinstance(document.get("message"), str):
        return _Said(_BREAK.sub(" ", document["message"]).strip())
    if isinstance(document.get("description"), str):
        return _Said(document["description"] or str(document.get("title", "")))
    for key, inner in document.items():
        if isinstance(inner, dict):
            told: dict[str, Any] = cast("Any", inner)
            code = str(told.get("type", "")) if key == "NeutronError" else key
            return _Said(str(told.get("message", "")), "" if key == "error" else code)
        if isinstance(inner, str):
            return _Said(inner)
    return _Said("")


def _from_text(text: str) -> str:
    """Read an HTML page of glance, swift, the middleware or a proxy: what follows the heading."""
    body = _HEADING.split(text, maxsplit=1)[-1]
    plain = " ".join(_TAG.sub(" ", _UNSEEN.sub(" ", body)).split())
    return (plain or " ".join(_TAG.sub(" ", text).split()))[:_LONGEST]
