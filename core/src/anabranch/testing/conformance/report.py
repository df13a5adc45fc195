"""What a run of the kit found: as data, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from anabranch.testing.conformance.levels import (
    CHECKS,
    LEVELS,
    Level,
    Outcome,
    level_of,
    missing_for,
)

__all__ = ["CheckResult", "ConformanceReport", "merged"]


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one check.

    Attributes:
        outcome: What became of it.
        reason: Why it failed, is exempt or was skipped; empty if it passed.
    """

    outcome: Outcome
    reason: str = ""


class ConformanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the kit found about one driver.

    Attributes:
        kind: Kind of the driver.
        distribution: Distribution that brings it; empty if it is not installed.
        version: Version of that distribution.
        api_version: Version of the contract that it was written for; None: it cannot be loaded.
        level: The level that it reached.
        missing: The checks that the next level still asks for, by that level; empty at gold.
        budget: The requests that the suite declares for operations that need more than one.
        checks: What became of each check that ran.
    """

    kind: str
    distribution: str = ""
    version: str = ""
    api_version: int | None = None
    level: Level
    missing: Mapping[str, tuple[str, ...]]
    budget: Mapping[str, int | str] = {}
    checks: Mapping[str, CheckResult]

    @classmethod
    def of(cls, checks: Mapping[str, CheckResult], about: Mapping[str, Any]) -> ConformanceReport:
        """Compute the level from what became of the checks; `about` has the other fields."""
        outcomes = {check: result.outcome for check, result in checks.items()}
        level = level_of(outcomes)
        steps = [Level.NONE, *LEVELS]
        beyond = steps[steps.index(level) + 1 :][:1]
        return cls(
            level=level,
            missing={step.value: missing_for(step, outcomes) for step in beyond},
            checks={check: checks[check] for check in CHECKS if check in checks},
            **about,
        )

    @property
    def whole(self) -> bool:
        """Whether every check ran."""
        return len(self.checks) == len(CHECKS)

    def agrees(self, other: ConformanceReport) -> bool:
        """Whether another report says the same of the driver; reasons may be told differently."""
        mine = self.level, self.api_version, self.budget, self.outcomes
        return mine == (other.level, other.api_version, other.budget, other.outcomes)

    @property
    def outcomes(self) -> dict[str, Outcome]:
        """What became of each check that ran, without the reasons."""
        return {check: result.outcome for check, result in self.checks.items()}

    def document(self) -> bytes:
        """Return it as JSON, as it is published in `conformance.json`."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def lines(self, *, all_checks: bool = True) -> list[str]:
        """Return it as lines of text; those that passed only when asked for."""
        head = f"{self.kind}: {self.level.value}"
        if self.distribution:
            head += f" ({self.distribution} {self.version}, contract {self.api_version})"
        if not self.whole:
            head += f", {len(self.checks)} of {len(CHECKS)} checks were run on every back end"
        lines = [head]
        for check, level in CHECKS.items():
            result = self.checks.get(check)
            outcome = result.outcome.value if result else "not run"
            if outcome in (Outcome.PASSED, "not run") and not all_checks:
                continue
            reason = f": {_first_line(result.reason)}" if result and result.reason else ""
            lines.append(f"  {level.value:7} {check:32} {outcome}{reason}")
        if self.budget:
            told = ", ".join(f"{name} {count}" for name, count in self.budget.items())
            lines.append(f"  requests beyond one per page, as declared: {told}")
        for wanted, missing in self.missing.items():
            lines.append(f"  for {wanted}: {', '.join(missing)}")
        return lines


def merged(results: Iterable[CheckResult]) -> CheckResult:
    """Return what became of a check that ran several times (asyncio, trio): the worst counts."""
    order = [Outcome.FAILED, Outcome.EXEMPT, Outcome.PASSED, Outcome.SKIPPED]
    return min(results, key=lambda result: order.index(result.outcome))


def _first_line(text: str) -> str:
    line = text.strip().partition("\n")[0]
    return line if len(line) <= 160 else line[:159] + "…"
