"""The page of the conformance levels: each check, and how the drivers here fare."""

import functools
import importlib.util
import inspect
from collections.abc import Mapping
from pathlib import Path

import msgspec

from anabranch.entries import REPORT_NAME
from anabranch.testing.conformance import LEVELS, ConformanceReport, DriverConformance
from anabranch.testing.conformance.levels import Level, Outcome
from reference_pages.drivers import bundled
from reference_pages.markdown import member_docs, table

__all__ = ["page", "reports"]

INTRODUCTION = """# Conformance levels

Made from `anabranch.testing.conformance` and from the reports that the drivers' packages hold. A
driver's suite is five lines ([how](../tutorials/first-driver.md)); its run ends in a report, and
`pytest --conformance-report=FILE` writes it as JSON. As `conformance.json` in the driver's package
it is published: `anabranch plugins` shows the level from there.

The level is the highest of which every check, and of those below it, passed. A check that does not
apply is skipped and lowers nothing. One that a platform makes impossible may be exempt, with the
reason; then silver is the most.
"""


def page() -> str:
    """The whole page."""
    kinds, docs = list(bundled()), member_docs(Level)
    rows = [[kind, _level(kind)] for kind in kinds]
    parts = [INTRODUCTION, f"## The drivers of this repository\n\n{table(['kind', 'level'], rows)}"]
    for level, checks in LEVELS.items():
        rows = [
            [f"`{check}`", _wanted(check), *(_outcome(kind, check) for kind in kinds)]
            for check in checks
        ]
        titles = ["check", "what is asked", *kinds]
        parts.append(f"## {level.capitalize()}\n\n{docs[level.name]}\n\n{table(titles, rows)}")
    reasons: dict[tuple[str, str, str], list[str]] = {}
    for kind, report in reports().items():
        for check, result in report.checks.items():
            if result.outcome in (Outcome.EXEMPT, Outcome.SKIPPED):
                reasons.setdefault((kind, result.outcome, result.reason), []).append(f"`{check}`")
    told = [[*why, ", ".join(checks)] for why, checks in reasons.items()]
    parts.append(
        "## Exempt and skipped\n\n" + table(["kind", "outcome", "reason", "checks"], told)
        if told
        else ""
    )
    budgets = [
        [kind, f"`{operation}`", str(cost)]
        for kind, report in reports().items()
        for operation, cost in report.budget.items()
    ]
    parts.append(
        "## Declared requests\n\nA page of a list costs one request, but where a suite declares "
        "another number; *n* is one more for each item.\n\n"
        + table(["kind", "operation", "requests"], budgets)
    )
    return "\n".join(part for part in parts if part)


@functools.cache
def reports() -> Mapping[str, ConformanceReport]:
    """Return the published reports of the drivers here, by kind."""
    found: dict[str, ConformanceReport] = {}
    for kind, driver in bundled().items():
        package = type(driver).__module__.partition(".")[0]
        spec = importlib.util.find_spec(package)
        file = Path(spec.origin or "").parent / REPORT_NAME if spec else None
        if file and file.is_file():
            found[kind] = msgspec.json.decode(file.read_bytes(), type=ConformanceReport)
    return found


def _level(kind: str) -> str:
    return f"**{reports()[kind].level}**" if kind in reports() else "not published"


def _outcome(kind: str, check: str) -> str:
    result = reports()[kind].checks.get(check) if kind in reports() else None
    return result.outcome.value if result else ""


def _wanted(check: str) -> str:
    said = inspect.getdoc(getattr(DriverConformance, f"test_{check}")) or ""
    return " ".join(said.partition("\n\n")[0].split())
