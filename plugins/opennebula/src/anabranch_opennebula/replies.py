"""What oned refuses, in our errors: by its code, and by its words where the code is too wide."""

from __future__ import annotations

import re
from typing import Final
from xml.sax.saxutils import escape

from anabranch.errors import (
    AuthenticationError,
    CloudError,
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    InvalidState,
    NotFound,
    OperationNotSupported,
    PermissionDenied,
    ProtocolError,
    QuotaExceeded,
)
from anabranch.redaction import MASK
from anabranch_opennebula.xmlrpc import Fault, Value

__all__ = ["NO_SUCH_METHOD", "failure", "fault_error", "payload", "without_secret"]

NO_SUCH_METHOD: Final = -506

_AUTHENTICATION, _AUTHORIZATION, _NO_EXISTS, _ACTION = 0x100, 0x200, 0x400, 0x800
_RPC_API, _INTERNAL, _ALLOCATE, _LOCKED, _REPLICATION = 0x1000, 0x2000, 0x4000, 0x8000, 0x10000

_BY_CODE: Final[dict[int, type[CloudError]]] = {
    _AUTHENTICATION: AuthenticationError,
    _AUTHORIZATION: PermissionDenied,
    _NO_EXISTS: NotFound,
    _ACTION: Conflict,
    _RPC_API: InvalidRequest,
    _INTERNAL: CloudError,
    _ALLOCATE: InvalidRequest,
    _LOCKED: Conflict,
    _REPLICATION: CloudUnavailable,
}
_BY_WORDS: Final[tuple[tuple[frozenset[int], re.Pattern[str], type[CloudError]], ...]] = tuple(
    (frozenset(codes), re.compile(words, re.IGNORECASE), kind)
    for codes, words, kind in (
        ((_AUTHORIZATION, _ACTION, _INTERNAL, _ALLOCATE), r"\bquota\b", QuotaExceeded),
        ((_AUTHORIZATION, _ACTION), r"\b(un)?locked\b|\block\b", Conflict),
        ((_AUTHORIZATION, _ACTION), r"not supported", OperationNotSupported),
        ((_INTERNAL, _ALLOCATE), r"already (taken|exists)|is taken", Conflict),
        (
            (_ACTION, _INTERNAL, _ALLOCATE),
            r"getting \[?(image|virtual|template|datastore|host)|does not exist",
            NotFound,
        ),
        ((_INTERNAL,), r"\bin use\b", Conflict),
        ((_ACTION,), r"\bstates?\b|not available for|not running in any host", InvalidState),
        ((_ACTION,), r"missing|invalid|syntax|wrong (value|format)|parse", InvalidRequest),
        (
            (_INTERNAL,),
            r"syntax|parse|wrong|invalid|missing|malformed|rule|template|not support",
            InvalidRequest,
        ),
    )
)
_METHOD: Final = re.compile(r"^\[[\w.]+\]\s*")
_LONGEST: Final = 500


def payload(value: Value, hide: str) -> Value:
    """Return what a method answered.

    Args:
        value: The value of the reply: success, payload, code and, in newer versions, more.
        hide: A secret that must not show in an error.

    Raises:
        CloudError: of the class that the refusal stands for.
        ProtocolError: it is no answer of oned.
    """
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[0], bool):
        raise ProtocolError("the reply is no answer of OpenNebula")
    if value[0]:
        return value[1]
    code = value[2] if len(value) > 2 and isinstance(value[2], int) else 0
    raise failure(str(value[1]), code, hide)


def failure(message: str, code: int, hide: str = "") -> CloudError:
    """Make the error that a refusal stands for.

    Args:
        message: oned's words.
        code: Its code.
        hide: A secret that must not show.
    """
    kind = _BY_CODE.get(code, CloudError)
    for codes, words, narrower in _BY_WORDS:
        if code in codes and words.search(message):
            kind = narrower
            break
    return kind(_clean(message, hide) or f"refused with code {code}", provider_code=code)


def fault_error(fault: Fault, method: str, hide: str) -> CloudError:
    """Make the error that a fault stands for."""
    if fault.code == NO_SUCH_METHOD:
        return OperationNotSupported(
            f"this OpenNebula has no method {method}", provider_code=fault.code
        )
    text = _clean(fault.text, hide)
    return InvalidRequest(f"{method}: {text}", provider_code=fault.code)


def without_secret(text: str, hide: str) -> str:
    """Mask a secret in what somebody answered, also as it stands in XML."""
    for secret in (hide, escape(hide)) if hide else ():
        text = text.replace(secret, MASK)
    return text


def _clean(message: str, hide: str) -> str:
    return _METHOD.sub("", without_secret(message, hide))[:_LONGEST]
