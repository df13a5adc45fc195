"""What the driver writes into templates: attributes of its own, which oned passes through.

Names of attributes are folded to upper case by oned, and take letters, digits and underscores
alone. So tags, whose names are free, go into one attribute together, as JSON; and what others
wrote into the same template is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

__all__ = [
    "CLIENT_TOKEN",
    "HARDWARE_PROFILE",
    "KEY",
    "KEYS",
    "TAGS",
    "is_spoilt",
    "mapping_of",
    "written",
]

CLIENT_TOKEN: Final = "ANABRANCH_CLIENT_TOKEN"
"""Of an instance: the token of its create."""
HARDWARE_PROFILE: Final = "ANABRANCH_HARDWARE_PROFILE"
"""Of an instance: the profile that it was made with."""
KEY: Final = "ANABRANCH_KEY"
"""Of an instance: the name of the key that it was made with."""
TAGS: Final = "ANABRANCH_TAGS"
"""Of an instance, image or volume: its tags."""
KEYS: Final = "ANABRANCH_KEYS"
"""Of the user: the public keys by name."""

_DECODER: Final = msgspec.json.Decoder(dict[str, str])


def written(values: Mapping[str, str]) -> str:
    """Write names and values as one text."""
    return msgspec.json.encode(values).decode()


def mapping_of(text: str | None) -> dict[str, str]:
    """Read names and values; a text that somebody spoilt holds none."""
    return _read(text) or {}


def is_spoilt(text: str | None) -> bool:
    """Whether there is a text, and it cannot be read."""
    return _read(text) is None


def _read(text: str | None) -> dict[str, str] | None:
    try:
        return _DECODER.decode(text) if text else {}
    except msgspec.DecodeError:
        return None
