"""RSA keys for `POST /os-keypairs` without a public key.

They open nothing, so they are short (1024 bits, about a tenth of a second) and need no library.
"""

from __future__ import annotations

import base64
import math
import secrets
from typing import NamedTuple

__all__ = ["GeneratedKey", "generate", "ssh_string"]

_EXPONENT = 65537
_PRIME_BITS = 512
_SMALL_PRIMES = tuple(
    n for n in range(3, 2000, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2))
)


class GeneratedKey(NamedTuple):
    """A pair of keys, as OpenSSH and OpenSSL write them."""

    public: str
    private: str


def generate(comment: str) -> GeneratedKey:
    """Make a pair of keys."""
    p, q = _prime(), _prime()
    modulus, order = p * q, (p - 1) * (q - 1)
    d = pow(_EXPONENT, -1, order)
    numbers = (0, modulus, _EXPONENT, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    content = b"".join(_der(0x02, _signed(n)) for n in numbers)
    text = base64.encodebytes(_der(0x30, content)).decode().replace("\n", "")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    kind = "RSA PRIVATE KEY"
    private = "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])
    blob = ssh_string(b"ssh-rsa") + ssh_string(_signed(_EXPONENT)) + ssh_string(_signed(modulus))
    return GeneratedKey(f"ssh-rsa {base64.b64encode(blob).decode()} {comment}", private)


def ssh_string(content: bytes) -> bytes:
    """Content with its length in front, the way SSH packs everything."""
    return len(content).to_bytes(4, "big") + content


def _prime() -> int:
    while True:
        # The two highest bits are set, so that the product has all its bits.
        n = secrets.randbits(_PRIME_BITS - 2) | (3 << (_PRIME_BITS - 2)) | 1
        if all(n % small for small in _SMALL_PRIMES) and n % _EXPONENT != 1 and _passes(n):
            return n


def _passes(n: int) -> bool:
    """Miller and Rabin's test, eight rounds."""
    twos = ((n - 1) & -(n - 1)).bit_length() - 1
    for _ in range(8):
        x = pow(secrets.randbelow(n - 3) + 2, (n - 1) >> twos, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def _signed(n: int) -> bytes:
    return n.to_bytes(n.bit_length() // 8 + 1, "big")


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + content
