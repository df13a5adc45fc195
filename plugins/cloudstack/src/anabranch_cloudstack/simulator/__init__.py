"""CloudStack's own wire protocol on loopback: the simulator of this driver's platform."""

from __future__ import annotations

from anabranch_cloudstack.simulator.cloud import CloudStackCloud, CloudStackSimulator, simulator
from anabranch_cloudstack.simulator.oddities import ODDITIES

__all__ = ["ODDITIES", "CloudStackCloud", "CloudStackSimulator", "simulator"]
