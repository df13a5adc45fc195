"""What CloudStack answers: envelopes, and errors that come directly or as the end of a job."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NoReturn, TypeVar, cast

import msgspec

from anabranch.cloud import Response, retry_after
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    InsufficientCapacity,
    InvalidRequest,
    InvalidState,
    NotFound,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
    RateLimited,
    error_class,
)
from anabranch.redaction import MASK

__all__ = ["decoded", "envelope", "failed", "failure", "no_document"]

T = TypeVar("T")

_CODES: Final[Mapping[int, type[CloudError]]] = {
    401: AuthenticationError,
    429: RateLimited,
    432: PermissionDenied,
    503: CloudUnavailable,
    511: AuthenticationError,
    530: CloudError,
    531: PermissionDenied,
    532: QuotaExceeded,
    533: InsufficientCapacity,
    534: InsufficientCapacity,
    535: QuotaExceeded,
    536: Conflict,
    537: Conflict,
}
"""The codes whose meaning is sure; 533 is a lack of hosts, 534 of a router."""

_PARAMETER: Final = "incorrect long value format, or entity does not exist"
"""How CloudStack says that the id in a parameter is nobody's: part of an error 431."""

_MISSING: Final = re.compile(
    r"entity does not exist|does(?: not|n't) exist|unable to find|could not find", re.IGNORECASE
)
_STATE: Final = re.compile(
    r"already running|is not running|in state|make sure the virtual machine is stopped"
    r"|not in (?:ready|the right|a valid|running|stopped)\b|current state|is not stopped"
    r"|vm snapshots|support dynamic scaling",
    re.IGNORECASE,
)
_CONFLICT: Final = re.compile(
    r"already|in use|is reserved|not attached to any|nic is default|source nat|crosses other"
    r"|failed to delete|has .* attached|cannot be deleted|can'?t be deleted|conflicts with",
    re.IGNORECASE,
)
_HTML: Final = re.compile(r"<(?:head|style|script)\b.*?</\w+>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_OBJECT: Final = re.compile(r"""\{[^{}]*"uuid": ?"(?P<id>[^"]+)"[^{}]*\}""")
"""How CloudStack puts its own records into its messages."""
_LONGEST: Final = 500
_CLOCK: Final = "Check key and secret, and that this machine's clock is right"

_ENVELOPE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Said(msgspec.Struct, frozen=True):
    errorcode: int | str | None = None
    errortext: str | None = None


_SAID: Final = msgspec.json.Decoder(_Said)


def envelope(reply: Response) -> msgspec.Raw:
    """Return what stands under the one key of a good reply.

    Raises:
        ProtocolError: it is no such document.
    """
    try:
        found = _ENVELOPE.decode(reply.content)
        (inner,) = found.values()
    except (msgspec.DecodeError, ValueError):
        no_document()
    return inner


def decoded(raw: msgspec.Raw, decoder: msgspec.json.Decoder[T]) -> T:
    """Decode a document.

    Raises:
        ProtocolError: it is not of that kind.
    """
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError as exc:
        no_document(str(exc).replace("`", "'"))


def no_document(why: str = "") -> NoReturn:
    """Raise the error for a reply that is none of CloudStack's.

    Raises:
        ProtocolError: always.
    """
    raise ProtocolError("the reply is no document of CloudStack" + (f": {why}" if why else ""))


def failure(reply: Response, hide: Iterable[str] = ()) -> CloudError:
    """Make the error that a reply with a status other than 200 stands for.

    Args:
        reply: The reply.
        hide: What was sent and must not show: CloudStack repeats parameters that it refuses.
    """
    try:
        said = _SAID.decode(envelope(reply))
    except (ProtocolError, msgspec.DecodeError):
        text = " ".join(_HTML.sub(" ", reply.text).split())
        return _error(error_class(reply.status), reply.status, text, hide, reply.headers)
    code = _number(said.errorcode) or reply.status
    kind = _kind(code, said.errortext or "")
    return _error(kind, code, said.errortext or "", hide, reply.headers)


def failed(code: int, result: msgspec.Raw, hide: Iterable[str] = ()) -> CloudError:
    """Make the error that the result of a failed job stands for.

    Args:
        code: The job's `jobresultcode`.
        result: Its `jobresult`: an object with code and text, in old versions a text, or nothing.
        hide: What was sent and must not show.
    """
    try:
        found: Any = msgspec.json.decode(result) if result else None
    except msgspec.DecodeError:
        found = None
    if isinstance(found, dict):
        fields = cast("dict[str, Any]", found)
        code = _number(fields.get("errorcode")) or code
        text = str(fields.get("errortext") or fields.get("displaytext") or "")
    else:
        text = str(found or "")
    return _error(_kind(code, text), code, text, hide, {})


def _kind(code: int, text: str) -> type[CloudError]:
    if code == 431:
        if _MISSING.search(text):
            return NotFound
        if _STATE.search(text):
            return InvalidState
        return Conflict if _CONFLICT.search(text) else InvalidRequest
    if code == 530:
        if _STATE.search(text):
            return InvalidState
        return Conflict if _CONFLICT.search(text) else CloudError
    return _CODES.get(code) or error_class(code)


def _error(
    kind: type[CloudError],
    code: int,
    text: str,
    hide: Iterable[str],
    headers: Mapping[str, str],
) -> CloudError:
    for secret in filter(None, hide):
        text = text.replace(secret, MASK)
    text = _OBJECT.sub(r"\g<id>", text)
    if _PARAMETER in text:
        # The rest of it is about the server's own source code.
        text = text.partition(" due to incorrect long value format")[0] + ": there is no such thing"
    return kind(
        text[:_LONGEST] or f"error {code} without a message",
        provider_code=code,
        retry_after=retry_after(headers),
        remedy=_CLOCK if kind is AuthenticationError else "",
    )


def _number(value: int | str | None) -> int | None:
    try:
        return int(value) if value is not None else None
    except ValueError:
        return None
