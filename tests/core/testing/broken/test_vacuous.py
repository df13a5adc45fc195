"""No check passes because there was nothing to check."""

from __future__ import annotations

import pytest

from anabranch.testing.conformance import CHECKS, Level, Outcome, level_of

from . import hollow
from .acme import AcmeDriver

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
        suite=f"""
            def make_cloud(self, name, **options):
                from broken.hollow import {cloud}
                return {cloud}(name, **options)
        """,
    )
    assert report.checks[check].outcome is Outcome.FAILED
    assert says in report.checks[check].reason


def test_one_back_end_is_not_enough(judged):
    report = judged(AcmeDriver, "paging_is_complete[asyncio]")
    assert "paging_is_complete" not in report.checks
