"""What is given to clients to be given back, sealed, so that nothing is kept here in between.

A driver trusts its cursors and upload ids, and may put a path into one. So what comes back is
believed only if it was written here: it is authenticated by HMAC-SHA256, together with what it
belongs to. Clients can read it, and change nothing. The key is random in each process; where
several serve, or to outlive a restart, `ANABRANCH_SERVE_SECRET` makes it theirs in common.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import time
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

__all__ = ["SECRET_VARIABLE", "opened", "sealed"]

SECRET_VARIABLE: Final = "ANABRANCH_SERVE_SECRET"
"""Environment variable with the secret that several processes share."""
_MAC: Final = 32
_SALT: Final = b"anabranch-server sealing"


def sealed(values: Mapping[str, str], about: Sequence[Any]) -> str:
    """Return a text that stands for values; of letters, digits, `-` and `_`.

    Args:
        values: The values.
        about: What they belong to: plain values, the same when the text comes back; the first
            says what sort of thing it is.
    """
    payload = zlib.compress(msgspec.msgpack.encode((int(time.time()), dict(values))))
    return base64.urlsafe_b64encode(_mac(payload, about) + payload).rstrip(b"=").decode()


def opened(text: str, about: Sequence[Any], *, life: float) -> Mapping[str, str] | None:
    """Return the values that a text stands for.

    Args:
        text: What came back.
        about: What the values belong to.
        life: Seconds that they are good for.

    Returns:
        The values; None: the text was not written here, belongs to something else, or is too old.
    """
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    mac, payload = raw[:_MAC], raw[_MAC:]
    if not hmac.compare_digest(mac, _mac(payload, about)):
        return None
    when, values = msgspec.msgpack.decode(zlib.decompress(payload), type=tuple[int, dict[str, str]])
    return values if time.time() - when <= life else None


def _mac(payload: bytes, about: Sequence[Any]) -> bytes:
    context = hashlib.sha256(msgspec.msgpack.encode(about)).digest()
    return hmac.digest(_key(), context + payload, "sha256")


@cache
def _key() -> bytes:
    secret = os.environ.get(SECRET_VARIABLE, "")
    if not secret:
        return secrets.token_bytes(_MAC)
    # Slow on purpose, once: clients hold texts to try guesses on.
    return hashlib.scrypt(secret.encode(), salt=_SALT, n=2**14, r=8, p=1, dklen=_MAC)
