"""The documents of the Acme API, as far as the driver reads them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

__all__ = ["Failure", "Image", "Key", "Login", "Machine", "Size", "decoded"]

T = TypeVar("T")


class Login(msgspec.Struct):
    token: str
    expires_in: float


class Problem(msgspec.Struct):
    code: str = ""
    message: str = ""


class Failure(msgspec.Struct):
    error: Problem


class Machine(msgspec.Struct):
    id: str
    name: str | None = None
    status: str | None = None
    image: str | None = None
    size: str | None = None
    key: str | None = None
    address: str | None = None
    token: str | None = None


class Image(msgspec.Struct):
    id: str
    name: str | None = None


class Size(msgspec.Struct):
    id: str
    name: str | None = None
    cpus: int | None = None
    memory: int | None = None


class Key(msgspec.Struct):
    id: str
    fingerprint: str | None = None
    public: str | None = None


def decoded(content: bytes, kind: type[T]) -> T:
    """Read a document.

    Raises:
        msgspec.DecodeError: it is none of that kind.
    """
    found: Any = msgspec.json.decode(content, type=kind)
    return found
