"""The paper's figures."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

__all__ = ["PLATFORMS", "Figures", "figures_of"]

PLATFORMS = {"opennebula": "OpenNebula", "openstack": "OpenStack", "paci": "PACI"}
"""Names by kind of driver."""


class Figures(NamedTuple):
    """One operation in the paper; times in seconds, sizes in bytes."""

    operation: str
    direct_s: float
    broker_s: float
    direct_request_b: int
    direct_response_b: int
    broker_request_b: int
    broker_response_b: int

    @property
    def ratio(self) -> float:
        """How much longer it took through the paper's broker."""
        return self.broker_s / self.direct_s


def figures_of(kind: str) -> dict[str, Figures]:
    """Read what the paper has for a platform, by operation."""
    with Path(__file__).with_name(f"{kind}.csv").open() as lines:
        rows = [
            Figures(name, float(direct), float(broker), *map(int, sizes))
            for name, direct, broker, *sizes in list(csv.reader(lines))[1:]
        ]
    return {row.operation: row for row in rows}
