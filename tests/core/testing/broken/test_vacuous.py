"""No check passes because there was nothing to check."""

from __future__ import annotations

import pytest

from anabranch.testing.conformance import CHECKS, Level, Outcome, level_of

from . import hollow, listings
from .acme import AcmeDriver

IN = """
    def make_cloud(self, name, **options):
        from broken.hollow import {cloud}
        return {cloud}(name, **options)
"""
pytest_plugins = ["pytester"]


def test_what_offers_nothing_has_no_level(judged):
    report = judged(hollow.OffersNothing)
    assert report.level is Level.NONE


def test_no_simulator_is_no_excuse(judged):
    """A driver that has a wire cannot get out of its checks by naming no simulator."""
    report = judged(AcmeDriver, suite="simulator = None")
    assert report.level is Level.NONE
    assert {r.outcome for r in report.checks.values()} == {Outcome.FAILED}
    report = judged(hollow.AsksNobody, suite="simulator = None; wireless = True")
    assert report.level is not Level.GOLD


def test_a_wireless_driver_uses_no_wire(judged):
    report = judged(
        AcmeDriver,
        "paging_is_complete",
        suite="""
            simulator = None
            wireless = True
            settings = {"url": "http://127.0.0.1:1", "user": "wile", "password": "glue"}
        """,
    )
    assert report.checks["paging_is_complete"].outcome is Outcome.FAILED
    assert "wireless" in report.checks["paging_is_complete"].reason


@pytest.mark.parametrize("exempt", ['{"paging": "no time"}', '{"odd_data_is_listed": " "}'])
def test_an_exemption_names_a_check_and_a_reason(judged, exempt):
    report = judged(AcmeDriver, "not_found_is_typed", suite=f"exempt = {exempt}")
    assert report.checks["not_found_is_typed"].outcome is Outcome.FAILED
    assert "exempt" in report.checks["not_found_is_typed"].reason


def test_an_exemption_is_no_gold():
    for check in CHECKS:
        outcomes = {**dict.fromkeys(CHECKS, "passed"), check: "exempt"}
        assert level_of(outcomes) is not Level.GOLD


def test_nobody_is_exempt_from_all():
    assert level_of(dict.fromkeys(CHECKS, "exempt")) is Level.NONE
    assert level_of({}) is Level.NONE


@pytest.mark.parametrize("cloud", ["OnePage", "Flawless", "Dull", "Finished"])
def test_a_simulator_that_does_not_do_its_part_is_found_out(judged, cloud):
    check, says = {
        "OnePage": ("paging_is_complete", "page"),
        "Flawless": ("unavailable_is_typed", "CloudUnavailable"),
        "Dull": ("odd_data_is_listed", "odd"),
        "Finished": ("unknown_fields_are_tolerated", "unknown"),
    }[cloud]
    report = judged(
        AcmeDriver,
        check,
        suite=IN.format(cloud=cloud),
    )
    assert report.checks[check].outcome is Outcome.FAILED
    assert says in report.checks[check].reason


def test_one_back_end_is_not_enough(judged):
    report = judged(AcmeDriver, "paging_is_complete[asyncio]")
    assert "paging_is_complete" not in report.checks


FAULTY = [
    "unauthorized_is_typed",
    "forbidden_is_typed",
    "not_found_is_typed",
    "conflict_is_typed",
    "rate_limit_is_typed",
    "unavailable_is_typed",
    "timeout_is_typed",
    "reset_is_typed",
    "garbage_is_typed",
    "a_hang_is_cut",
    "cancellation_leaves_nothing",
    "a_lost_create_is_not_repeated",
]


def test_without_faults_no_check_of_faults_passes(judged):
    report = judged(AcmeDriver, *FAULTY, suite=IN.format(cloud="Flawless"))
    assert {c: r.outcome for c, r in report.checks.items()} == dict.fromkeys(FAULTY, "failed")


@pytest.mark.parametrize(
    "suite",
    [
        "async def test_paging_is_complete(self): pass",
        "async def _everything(self, bench, broker): return {}",
        "def needs_wire(self): pytest.skip('not today')",
    ],
)
def test_what_is_the_kits_is_not_for_the_suite_to_replace(judged, suite):
    report = judged(listings.DropsTheLastPage, "paging_is_complete", suite=suite)
    assert report.checks["paging_is_complete"].outcome is Outcome.FAILED
    name = suite.partition("def ")[2].partition("(")[0]
    assert name in report.checks["paging_is_complete"].reason


@pytest.mark.parametrize("mark", ["skip", "xfail(strict=False)"])
def test_a_mark_is_no_way_out(judged, mark):
    suite = f"""
        import pytest
        pytestmark = [pytest.mark.anyio, pytest.mark.{mark}]
    """
    report = judged(listings.DropsTheLastPage, "paging_is_complete", suite=suite)
    assert report.checks["paging_is_complete"].outcome is Outcome.FAILED


def test_what_says_that_it_has_no_pages_is_believed_only_if_nothing_is_lost(judged):
    suite = "unpaged = 'it sends all at once'"
    report = judged(listings.StopsAtTheFirstPage, "paging_is_complete", suite=suite)
    assert report.checks["paging_is_complete"].outcome is Outcome.FAILED


def test_what_is_declared_to_cost_more_is_told(judged):
    suite = "budget = {'list_instances': 'n'}"
    report = judged(listings.AsksForEach, "requests_are_few", suite=suite)
    assert report.checks["requests_are_few"].outcome is Outcome.PASSED
    assert report.budget == {"list_instances": "n"}


def test_a_secret_too_short_to_be_found_is_found_out(judged):
    suite = "settings = {'password': 'abc'}"
    report = judged(AcmeDriver, "secrets_stay_secret", suite=suite)
    assert report.checks["secrets_stay_secret"].outcome is Outcome.FAILED
    assert "too short" in report.checks["secrets_stay_secret"].reason


def test_if_the_core_refused_nothing_it_would_be_seen(judged, monkeypatch):
    monkeypatch.setattr("anabranch.capabilities.Capabilities.require", lambda *_: None)
    report = judged(AcmeDriver, "what_is_not_offered_is_refused")
    assert report.checks["what_is_not_offered_is_refused"].outcome is Outcome.FAILED
