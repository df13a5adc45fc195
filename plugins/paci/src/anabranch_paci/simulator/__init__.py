"""PACI's own wire protocol on loopback: the simulator of this driver's platform."""

from __future__ import annotations

from anabranch_paci.simulator.cloud import API_KEY, PaciCloud, PaciSimulator, simulator
from anabranch_paci.simulator.oddities import ODDITIES

__all__ = ["API_KEY", "ODDITIES", "PaciCloud", "PaciSimulator", "simulator"]
