"""Secrets: a string that does not show itself, and the redaction of what is to be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["MASK", "SecretStr", "redact", "redact_url"]

MASK: Final = "**********"

_SECRET_KEY = re.compile(
    r"pass(word|wd|phrase)?$|adminpass|secret|token|api_?key|private_?key|credential|signature|authorization"
    r"|user_?data|cookie",
    re.IGNORECASE,
)
_NOT_SECRET = re.compile(
    r"(key_?name|public_key|password_expires_at|client_token|credential_id)$", re.I
)
_URL_USERINFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/@\s]+@", re.IGNORECASE)
_URL_QUERY = re.compile(
    r"(?P<name>[?&](?:token|signature|apikey|secret|password|temp_url_sig|auth)[^=&\s]*=)[^&\s]+",
    re.IGNORECASE,
)


class SecretStr:
    """A string whose value is shown only on request; `str`, `repr` and encoders show a mask.

    Equal to another `SecretStr` of the same value; hashable. It is no `str`, so that it cannot
    be written anywhere by accident.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return f"SecretStr({MASK!r})" if self._value else "SecretStr('')"

    def __str__(self) -> str:
        return MASK if self._value else ""

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._value == other._value

    def __hash__(self) -> int:
        return hash((SecretStr, self._value))

    def __reduce__(self) -> str | tuple[Any, ...]:
        msg = "a SecretStr is not pickled: its value would lie open in the pickle"
        raise TypeError(msg)


def redact(value: Any) -> Any:
    """Return `value` with every secret in it masked.

    `SecretStr` values, and the values of mapping keys that name a secret (`password`,
    `adminPass`, `X-Auth-Token`, `user_data`, …), become `MASK`; credentials inside URLs are cut
    out. Mappings, lists, tuples and sets are walked; the argument is not changed.
    """
    if isinstance(value, SecretStr):
        return str(value)
    if isinstance(value, str):
        return redact_url(value)
    if isinstance(value, Mapping):
        return {k: _redact_item(str(k), v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(v) for v in value]
    return value


def redact_url(text: str) -> str:
    """Cut user names, passwords and signed query parameters out of the URLs in `text`."""
    if "://" not in text and "=" not in text:
        return text
    text = _URL_USERINFO.sub(rf"\g<scheme>{MASK}@", text)
    return _URL_QUERY.sub(rf"\g<name>{MASK}", text)


def _redact_item(key: str, value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if _SECRET_KEY.search(key) and not _NOT_SECRET.search(key) and not isinstance(value, Mapping):
        return MASK
    return redact(value)
