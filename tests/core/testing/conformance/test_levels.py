from __future__ import annotations

import pytest

from anabranch.testing.conformance import CHECKS, LEVELS, DriverConformance, Level, Outcome
from anabranch.testing.conformance.levels import level_of, missing_for
from anabranch.testing.conformance.report import CheckResult, ConformanceReport, merged

ALL_PASSED = dict.fromkeys(CHECKS, Outcome.PASSED)


def outcomes(**changes: str) -> dict[str, str]:
    return {**ALL_PASSED, **changes}


def test_every_check_has_a_test_and_every_test_is_a_check():
    tests = {n.removeprefix("test_") for n in dir(DriverConformance) if n.startswith("test_")}
    assert tests == set(CHECKS)


def test_no_name_of_the_suite_is_in_two_of_its_parts():
    names = [name for part in DriverConformance.__bases__ for name in vars(part)]
    own = [name for name in names if not name.startswith("__")]
    assert len(own) == len(set(own))


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, Level.GOLD),
        ({"requests_are_few": "failed"}, Level.SILVER),
        ({"requests_are_few": "exempt"}, Level.SILVER),
        ({"requests_are_few": "skipped"}, Level.GOLD),
        ({"ids_are_stable": "failed"}, Level.BRONZE),
        ({"ids_are_stable": "exempt"}, Level.SILVER),
        ({"garbage_is_typed": "failed"}, Level.NONE),
        ({"garbage_is_typed": "exempt"}, Level.NONE),
    ],
)
def test_a_level_is_what_its_checks_and_those_before_make_it(changes, level):
    assert level_of(outcomes(**changes)) is level


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_that_did_not_run_is_not_kept(check):
    ran = {name: outcome for name, outcome in ALL_PASSED.items() if name != check}
    assert level_of(ran) is [Level.NONE, *LEVELS][list(LEVELS).index(CHECKS[check])]
    assert check in missing_for(CHECKS[check], ran)


def test_what_gold_misses_names_the_exemption():
    exempt = outcomes(ids_are_stable="exempt", odd_data_is_listed="failed")
    assert missing_for(Level.GOLD, exempt) == ("ids_are_stable", "odd_data_is_listed")


def report(**changes: str) -> ConformanceReport:
    checks = {
        check: CheckResult(outcome=Outcome(outcome), reason="why\nand where")
        for check, outcome in outcomes(**changes).items()
    }
    return ConformanceReport.of(checks, {"kind": "acme", "distribution": "x", "version": "1"})


def test_a_report_says_the_level_and_what_the_next_one_misses():
    found = report(requests_are_few="failed", a_hang_is_cut="failed")
    assert found.level is Level.BRONZE
    assert found.missing == {"silver": ("a_hang_is_cut",)}
    lines = found.lines(all_checks=False)
    assert lines[0].startswith("acme: bronze (x 1")
    assert lines[-1] == "  for silver: a_hang_is_cut"
    assert len(lines) == 4
    assert "and where" not in "".join(lines)
    assert len(found.lines()) == 2 + len(CHECKS)


def test_gold_misses_nothing():
    assert report().missing == {}


def test_reports_agree_on_what_they_say_and_not_on_how():
    other = ConformanceReport.of(
        {check: CheckResult(outcome=Outcome.PASSED) for check in CHECKS},
        {"kind": "acme", "version": "2"},
    )
    assert report().agrees(other)
    assert not report(odd_data_is_listed="skipped").agrees(other)


def test_the_worst_of_several_runs_counts():
    runs = [CheckResult(outcome=o) for o in (Outcome.SKIPPED, Outcome.PASSED)]
    assert merged(runs).outcome is Outcome.PASSED
    assert merged([*runs, CheckResult(outcome=Outcome.FAILED)]).outcome is Outcome.FAILED
