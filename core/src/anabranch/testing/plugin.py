"""Fixtures for pytest: `pytest_plugins = ["anabranch.testing.plugin"]` in your conftest.py."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack
from typing import Protocol

import pytest

from anabranch.testing.behaviour import Behaviour
from anabranch.testing.fleet import Fleet

__all__ = ["MakeFleet", "simulated_fleet"]


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
