"""Suites run in a pytest of their own, and what the plugin reports of them."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import msgspec
import pytest

from anabranch.testing.conformance import CHECKS, CheckResult, ConformanceReport, Level, Outcome
from anabranch.testing.conformance.collecting import ConformanceCollector

pytest_plugins = ["pytester"]

SUITE = """
from anabranch.testing.conformance import DriverConformance
from broken.acme import AcmeDriver
from broken.acme.simulator import simulator

class TestConformance(DriverConformance):
    kind = "acme"
    driver = AcmeDriver()
"""
QUICK = "what_is_not_offered_is_refused"


@pytest.fixture
def run(pytester: pytest.Pytester, blockbuster):
    """Runs a suite of acme with these lines in its class."""
    blockbuster.deactivate()
    pytester.syspathinsert(Path(__file__).parents[1])
    pytester.makeconftest('pytest_plugins = ["anabranch.testing.plugin"]')

    def running(lines: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=SUITE + textwrap.indent(lines, "    "))
        return pytester.runpytest_inprocess("-W", "error", "-p", "no:cacheprovider", *options)

    yield running
    blockbuster.activate()


def test_a_check_runs_on_both_back_ends_and_is_reported(run, tmp_path):
    file = tmp_path / "new" / "acme.json"
    result = run("simulator = simulator", "-k", QUICK, f"--conformance-report={file}")
    result.assert_outcomes(passed=2, deselected=2 * len(CHECKS) - 2)
    result.stdout.fnmatch_lines(["*= conformance =*", f"acme: none*1 of {len(CHECKS)} checks*"])
    document = json.loads(file.read_bytes())
    assert document["checks"] == {QUICK: {"outcome": "passed", "reason": ""}}
    assert document["level"] == "none"


def test_a_run_on_one_back_end_keeps_nothing(run, tmp_path):
    file = tmp_path / "acme.json"
    run("simulator = simulator", "-k", f"{QUICK} and trio", f"--conformance-report={file}")
    assert json.loads(file.read_bytes())["checks"] == {}


def test_an_exemption_is_told_with_its_reason(run, tmp_path):
    file = tmp_path / "{kind}.json"
    lines = f'simulator = simulator\nexempt = {{"{QUICK}": "nobody asks"}}'
    run(lines, "-k", QUICK, f"--conformance-report={file}")
    checks = json.loads((tmp_path / "acme.json").read_bytes())["checks"]
    assert checks == {QUICK: {"outcome": "exempt", "reason": "nobody asks"}}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "*name the simulator of the platform*"),
        ('kind = ""\nsimulator = simulator', "*name the driver: kind*"),
        ("wireless = True", "*wireless = True says that the driver talks to nobody*"),
        (
            'simulator = simulator\nexempt = {"typo": "why"}',
            "*exempt: 'typo' is no check*requests_are_few*",
        ),
        ('simulator = simulator\nexempt = {"ids_are_stable": " "}', "*has no reason*"),
        (
            'simulator = simulator\nexempt = {"paging_is_complete": "why"}',
            "*one that none is exempt from*",
        ),
        ('simulator = simulator\nkind = "nobody"\ndriver = None', "*there is no driver 'nobody'*"),
    ],
)
def test_a_suite_that_says_what_cannot_be_fails(run, lines, says):
    # Wireless: acme's entry needs an address, and what is there does not matter.
    entry = '\nsettings = {"url": "http://127.0.0.1:9", "user": "u", "password": "p"}'
    result = run(lines + entry, "-k", "ids_are_stable")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([says])


def report_of(**changes: str) -> ConformanceReport:
    checks = {check: CheckResult(outcome=Outcome(changes.get(check, "passed"))) for check in CHECKS}
    return ConformanceReport.of(checks, {"kind": "acme"})


@pytest.fixture
def collected(tmp_path):
    """A collector that has seen a whole run, all of it passed, beside what is published."""

    def collect(published: bytes | None) -> ConformanceCollector:
        file = tmp_path / "conformance.json"
        if published is not None:
            file.write_bytes(published)
        about = {"kind": "acme", "published": str(file) if published is not None else ""}
        collector = ConformanceCollector("")
        for check in CHECKS:
            for backend in ("asyncio", "trio"):
                found = {
                    "suite": "test_it.py::TestIt",
                    "about": about,
                    "check": check,
                    "backend": backend,
                    "result": {"outcome": "passed"},
                }
                report = pytest.TestReport(
                    "x", ("", 0, ""), {}, "passed", None, "call", [], user_properties=()
                )
                report.user_properties.append(("anabranch.conformance", found))
                collector.pytest_runtest_logreport(report)
        return collector

    return collect


def test_what_is_published_and_so_is_not_told(collected):
    collector = collected(report_of().document())
    assert [report.level for report in collector.reports().values()] == [Level.GOLD]
    assert not collector.outdated()
    assert not collected(None).outdated()


@pytest.mark.parametrize(
    "published",
    [report_of(odd_data_is_listed="failed").document(), b"{}", b"no report"],
)
def test_what_is_published_and_not_so_is_told(collected, published):
    assert list(collected(published).outdated()) == ["acme"]


@pytest.mark.parametrize(("published", "code"), [("failed", 1), ("passed", 0)])
def test_a_run_fails_when_it_contradicts_what_is_published(collected, published, code):
    class Session:
        config = object()
        exitstatus = pytest.ExitCode.OK

    session = Session()
    document = report_of(odd_data_is_listed=published).document()
    collected(document).pytest_sessionfinish(session)
    assert session.exitstatus == code


def test_a_report_is_read_back():
    found = report_of(odd_data_is_listed="failed")
    assert msgspec.json.decode(found.document(), type=ConformanceReport).agrees(found)
