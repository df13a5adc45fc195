"""The rules for names."""

from __future__ import annotations

from typing import TypeVar

from anabranch_opennebula.simulator.records import Pool, Resource
from anabranch_opennebula.simulator.refusals import Code, Refusal

__all__ = ["check_name", "check_unique"]

_R = TypeVar("_R", bound=Resource)

_LONGEST = 128
_FORBIDDEN = frozenset("&|:\\\";/'#{}$<>")


def check_name(name: str) -> None:
    """Refuse a name that oned does not take.

    Raises:
        Refusal: It is empty, longer than 128 characters or has a character with a meaning in XML
            or in templates.
    """
    if not name:
        raise Refusal(Code.ALLOCATE, "Invalid NAME, it cannot be empty")
    if bad := next((c for c in name if c in _FORBIDDEN), None):
        raise Refusal(Code.ALLOCATE, f"Invalid NAME, char '{bad}' is not allowed")
    if len(name) > _LONGEST:
        raise Refusal(Code.ALLOCATE, f"Invalid NAME, max length is {_LONGEST} chars")


def check_unique(pool: Pool[_R], name: str, uid: int) -> None:
    """Refuse a name that another object of the same owner has; machines do without this.

    Raises:
        Refusal: It is taken.
    """
    other = pool.named(name, uid)
    if other is not None:
        raise Refusal(Code.ALLOCATE, f"NAME is already taken by {pool.tag} {other.id}.", other.id)
