"""The plugin for pytest: `pytest_plugins = ["anabranch.testing.plugin"]` in your conftest.py.

It brings the fixture `simulated_fleet`, and the report of conformance suites: a section at the end
of the run, and with `--conformance-report=FILE` a JSON document.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Protocol

import pytest

from anabranch.testing.behaviour import Behaviour
from anabranch.testing.conformance.collecting import OPTION, ConformanceCollector
from anabranch.testing.fleet import Fleet

__all__ = ["MakeFleet", "pytest_addoption", "pytest_configure", "simulated_fleet"]


class MakeFleet(Protocol):
    """Makes a fleet and serves it until the test ends; see `Fleet.of`."""

    def __call__(
        self,
        *,
        instances: int = 10,
        behaviour: Behaviour | None = None,
        odd: bool = False,
        **counts: int,
    ) -> Fleet:
        """Serve so many clouds of each kind: `simulated_fleet(openstack=2, paci=1)`."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--conformance-report`."""
    parser.getgroup("anabranch").addoption(
        OPTION,
        default="",
        metavar="FILE",
        help="write the report of a driver's conformance suite as JSON; {kind} in the name makes"
        " a file for each of several",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect what becomes of the checks."""
    collector = ConformanceCollector(config.getoption(OPTION) or "")
    config.pluginmanager.register(collector, "anabranch-conformance")


@pytest.fixture
def simulated_fleet() -> Generator[MakeFleet]:
    """Serves simulated clouds on loopback for the length of a test."""
    with ExitStack() as stack:

        def make(
            *,
            instances: int = 10,
            behaviour: Behaviour | None = None,
            odd: bool = False,
            **counts: int,
        ) -> Fleet:
            fleet = Fleet.of(counts, instances=instances, behaviour=behaviour, odd=odd)
            return stack.enter_context(fleet.serving())

        yield make
