"""Secrets: a string that does not show itself, and the redaction of what is to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

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
# A password may hold an unescaped "@": all up to the last one before the path.
_URL_USERINFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/?#\s]+@", re.IGNORECASE)
_URL_QUERY = re.compile(
    r"(?P<name>[?&][^=&\s]*?(?:token|signature|[._-]sig|\bsig|api_?key|secret|passw|credential|auth)"
    r"[^=&\s]*=)[^&#\s'\"]+",
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

    def __copy__(self) -> SecretStr:
        return self

    def __deepcopy__(self, memo: object) -> SecretStr:
        return self

    def __reduce__(self) -> str | tuple[Any, ...]:
        msg = "a SecretStr is not pickled: its value would lie open in the pickle"
        raise TypeError(msg)


def redact(value: Any) -> Any:
    """Return `value` with every secret in it masked.

    `SecretStr` values, and the values of mapping keys that name a secret (`password`,
    `adminPass`, `X-Auth-Token`, `user_data`, …), become `MASK`; credentials inside URLs are cut
    out. Mappings, lists, tuples and sets are walked; the argument is not changed. Whatever a key
    that names a secret holds is masked whole: Keystone's `token` is a mapping.
    """
    if isinstance(value, SecretStr):
        return str(value)
    if isinstance(value, str):
        return redact_url(value)
    if isinstance(value, Mapping):
        fields: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]
        return {k: _redact_item(str(k), v) for k, v in fields.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(v) for v in cast("Iterable[Any]", value)]
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
    if _SECRET_KEY.search(key) and not _NOT_SECRET.search(key):
        return MASK
    return redact(value)
