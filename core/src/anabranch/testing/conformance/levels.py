"""The checks of the kit, in one table, and the level that their outcomes make."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

__all__ = ["CHECKS", "LEVELS", "Level", "Outcome", "level_of", "missing_for"]


class Level(StrEnum):
    """How far a driver can be relied on."""

    NONE = "none"
    """Not even what bronze asks for."""
    BRONZE = "bronze"
    """It lists completely, does not take a failure for an empty list, and keeps secrets."""
    SILVER = "silver"
    """Every failure has its name, every call its end, and what is offered works."""
    GOLD = "gold"
    """It blocks nobody, asks little, and survives what the platform may become."""


class Outcome(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    EXEMPT = "exempt"
    """The author says why it is not kept; caps the level at silver, and is nothing for bronze."""
    SKIPPED = "skipped"
    """It does not apply; does not lower the level."""


LEVELS: Final[Mapping[Level, tuple[str, ...]]] = {
    Level.BRONZE: (
        "paging_is_complete",
        "unauthorized_is_typed",
        "unavailable_is_typed",
        "garbage_is_typed",
        "secrets_stay_secret",
    ),
    Level.SILVER: (
        "ids_are_stable",
        "forbidden_is_typed",
        "not_found_is_typed",
        "conflict_is_typed",
        "rate_limit_is_typed",
        "timeout_is_typed",
        "reset_is_typed",
        "a_hang_is_cut",
        "cancellation_leaves_nothing",
        "what_is_offered_works",
        "what_is_not_offered_is_refused",
        "destroy_is_idempotent",
        "a_lost_create_is_not_repeated",
        "an_account_is_a_login_and_no_more",
    ),
    Level.GOLD: (
        "nothing_blocks_the_loop",
        "requests_are_few",
        "unknown_fields_are_tolerated",
        "odd_data_is_listed",
    ),
}
"""What each level asks for beyond the one before."""

CHECKS: Final[Mapping[str, Level]] = {
    check: level for level, checks in LEVELS.items() for check in checks
}
"""Every check, by its id, and the level that asks for it."""

_GOOD: Final = (Outcome.PASSED, Outcome.SKIPPED)


def level_of(outcomes: Mapping[str, str]) -> Level:
    """Return the level that the outcomes of the checks make; one that did not run is not kept."""
    reached = Level.NONE
    for level in LEVELS:
        if missing_for(level, outcomes):
            break
        reached = level
    return reached


def missing_for(level: Level, outcomes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the checks that a level asks for beyond the one before, and that are not kept."""
    good = (*_GOOD, Outcome.EXEMPT) if level is Level.SILVER else _GOOD
    missing = [check for check in LEVELS[level] if outcomes.get(check) not in good]
    if level is Level.GOLD:  # an exemption, of whatever check, is no gold
        exempt = [c for c in LEVELS[Level.SILVER] if outcomes.get(c) == Outcome.EXEMPT]
        missing = exempt + missing
    return tuple(missing)
