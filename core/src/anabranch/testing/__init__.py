"""What authors of drivers test with; part of the extra `testing`."""

from __future__ import annotations

from anabranch.testing.fleet import Fleet
from anabranch.testing.simulation import (
    Behaviour,
    Fault,
    FaultKind,
    RequestLog,
    SimulatedCloud,
    Simulator,
    serve,
)

__all__ = [
    "Behaviour",
    "Fault",
    "FaultKind",
    "Fleet",
    "RequestLog",
    "SimulatedCloud",
    "Simulator",
    "serve",
]
