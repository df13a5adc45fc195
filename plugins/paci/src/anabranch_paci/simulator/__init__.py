"""PACI's own wire protocol on loopback: the simulator of this driver's platform."""

from __future__ import annotations
