"""Drivers of a part of the contract get what they deserve for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anabranch.testing.conformance import Level, Outcome

pytest_plugins = ["pytester"]

SUITE = """
from anabranch.hooks import DriverSpec
from anabranch.testing.conformance import DriverConformance
from broken.acme import AcmeDriver
from broken.acme.simulator import simulator

HELP = ("title", "settings_type", "instance_states", "client_type", "client", "_act")
PART = {{name: vars(AcmeDriver)[name] for name in (*HELP, *{hooks!r})}}

class TestConformance(DriverConformance):
    kind = "acme"
    simulator = simulator
    driver = type("Partial", (DriverSpec,), {{**PART, "__module__": AcmeDriver.__module__}})()
"""


@pytest.fixture
def judged(pytester: pytest.Pytester, blockbuster, tmp_path):
    """Runs the suite of a driver with only these hooks, and returns the kit's report."""
    blockbuster.deactivate()
    pytester.syspathinsert(Path(__file__).parents[1])
    pytester.makeconftest('pytest_plugins = ["anabranch.testing.plugin"]')

    def judge(*hooks: str, only: str = "") -> dict:
        pytester.makepyfile(test_it=SUITE.format(hooks=hooks))
        file = tmp_path / "report.json"
        options = ["-q", "-p", "no:cacheprovider", f"--conformance-report={file}", "-k", only]
        pytester.runpytest_inprocess(*options)
        return json.loads(file.read_bytes())

    yield judge
    blockbuster.activate()


def skipped(report: dict) -> set[str]:
    checks = report["checks"].items()
    return {check for check, result in checks if result["outcome"] == Outcome.SKIPPED}


@pytest.mark.timeout(120)
def test_one_that_lists_and_no_more_can_be_gold(judged):
    report = judged("list_instances")
    assert report["level"] == Level.GOLD, report["checks"]
    assert skipped(report) == {
        "not_found_is_typed",
        "conflict_is_typed",
        "destroy_is_idempotent",
        "a_lost_create_is_not_repeated",
        "an_account_is_a_login_and_no_more",
    }


@pytest.mark.timeout(120)
def test_one_that_makes_nothing_uses_what_is_there(judged):
    report = judged("list_instances", "get_instance", "start_instance", "stop_instance")
    assert report["level"] == Level.GOLD, report["checks"]
    assert skipped(report) == {
        "destroy_is_idempotent",
        "a_lost_create_is_not_repeated",
        "an_account_is_a_login_and_no_more",
    }


@pytest.mark.timeout(120)
def test_one_that_lists_nothing_has_no_level(judged):
    report = judged("get_instance", only="paging")
    assert report["level"] == Level.NONE
    assert "no list" in report["checks"]["paging_is_complete"]["reason"]
