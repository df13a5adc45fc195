"""What a request brings to be let in: HTTP Basic credentials."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from anabranch import SecretStr

__all__ = ["Credentials", "basic_credentials"]


class Credentials(NamedTuple):
    """A user and a password, as HTTP Basic carries them (RFC 7617)."""

    user: str
    password: SecretStr


def basic_credentials(header: str | None) -> Credentials | None:
    """Read an `Authorization` header.

    Args:
        header: Its value; None: there was none.

    Returns:
        The credentials; None if there are none of the scheme Basic, or they cannot be read.
    """
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        plain = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = plain.partition(":")
    return Credentials(user, SecretStr(password)) if colon else None
