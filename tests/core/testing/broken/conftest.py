"""Runs the kit on a driver, in a pytest of its own."""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path

import msgspec
import pytest

from anabranch.testing.conformance import ConformanceReport

_CONFTEST = """
import sys

pytest_plugins = ["anabranch.testing.plugin"]

def pytest_unconfigure():
    timing = sys.modules.get("broken.timing")
    for left in timing.LeavesASocket.kept if timing else ():
        left.close()
"""
_SUITE = """
from anabranch.testing.conformance import DriverConformance
from anabranch.testing.walk import Choices
from broken.acme.simulator import simulator
from broken.{module} import {driver}

class TestConformance(DriverConformance):
    kind = "acme"
    simulator = simulator
    driver = {driver}()
"""


@pytest.fixture
def hasty(monkeypatch) -> str:
    """Cuts what a broken driver would draw out; what the suite says about it."""
    monkeypatch.setattr("anabranch.testing.conformance.endings._GRACE", 1.0)
    monkeypatch.setattr("anabranch.testing.conformance.endings._REQUEST", 1.5)
    return "choices = Choices(wait=2)"


@pytest.fixture
def judged(pytester: pytest.Pytester, blockbuster, tmp_path):
    """Runs these checks (none: all) on a driver, and returns the kit's report of it."""
    blockbuster.deactivate()
    pytester.syspathinsert(Path(__file__).parents[1])
    pytester.makeconftest(_CONFTEST)

    def judge(driver: type, *checks: str, suite: str = "") -> ConformanceReport:
        module = driver.__module__.rpartition("broken.")[2]
        text = _SUITE.format(module=module, driver=driver.__name__)
        text += textwrap.indent(inspect.cleandoc(suite), "    ")
        pytester.makepyfile(test_conformance=text)
        file = tmp_path / "report.json"
        nodes = [f"test_conformance.py::TestConformance::test_{check}" for check in checks]
        pytester.runpytest_inprocess("-q", "-W", "error", f"--conformance-report={file}", *nodes)
        return msgspec.json.decode(file.read_bytes(), type=ConformanceReport)

    yield judge
    blockbuster.activate()
