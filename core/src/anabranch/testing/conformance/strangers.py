"""Ids of things that are not there, of the shape that ids have there."""

from __future__ import annotations

__all__ = ["stranger"]


def stranger(known: str) -> str:
    """Return an id like a known one that nothing has: digits become 9, hexadecimal letters f.

    A number becomes one with more digits: a platform that counts will not have come that far.
    """
    if known.isdecimal():
        return "9" * max(len(known), 8)
    return "".join(_other(character) for character in known)


def _other(character: str) -> str:
    if character.isdecimal():
        return "9"
    return "f" if character.isalpha() else character
