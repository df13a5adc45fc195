"""Plain documents (dicts, lists, strings, numbers) as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from anabranch_server.deltacloud.documents.markup import clean

__all__ = ["encode"]


def encode(plain: Any) -> bytes:
    """Return a plain document as JSON; lone surrogates in it become U+FFFD."""
    try:
        return msgspec.json.encode(plain)
    except UnicodeEncodeError:
        return msgspec.json.encode(_cleaned(plain))


def _cleaned(plain: Any) -> Any:
    if isinstance(plain, str):
        return clean(plain)
    if isinstance(plain, (list, tuple)):
        return [_cleaned(one) for one in cast("Sequence[Any]", plain)]
    if isinstance(plain, dict):
        fields: dict[str, Any] = plain  # pyright: ignore[reportUnknownVariableType]
        return {clean(key): _cleaned(value) for key, value in fields.items()}
    return plain
