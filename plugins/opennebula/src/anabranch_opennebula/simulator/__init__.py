"""OpenNebula's own wire protocol on loopback: the simulator of this driver's platform."""

from __future__ import annotations

from anabranch_opennebula.simulator.cloud import (
    OpenNebulaCloud,
    OpenNebulaSimulator,
    simulator,
)
from anabranch_opennebula.simulator.oddities import ODDITIES

__all__ = ["ODDITIES", "OpenNebulaCloud", "OpenNebulaSimulator", "simulator"]
