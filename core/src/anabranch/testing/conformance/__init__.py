"""The conformance kit: what a driver must keep, as tests that its author runs.

A driver's suite names the driver and its simulator, and no more:

    from anabranch.testing.conformance import DriverConformance
    from anabranch_acme.simulator import simulator

    class TestConformance(DriverConformance):
        kind = "acme"
        simulator = simulator

with `pytest_plugins = ["anabranch.testing.plugin"]` in conftest.py. Each check is a test, on
asyncio and on trio; the run ends in a report with the level that the driver reached.
"""

from __future__ import annotations

from anabranch.testing.conformance.levels import CHECKS, LEVELS, Level, Outcome, level_of
from anabranch.testing.conformance.report import CheckResult, ConformanceReport
from anabranch.testing.conformance.suite import DriverConformance

__all__ = [
    "CHECKS",
    "LEVELS",
    "CheckResult",
    "ConformanceReport",
    "DriverConformance",
    "Level",
    "Outcome",
    "level_of",
]
