"""OpenStack's own wire protocol on loopback: the simulator of this driver's platform."""

from __future__ import annotations

from anabranch_openstack.simulator.cloud import OpenStackCloud, OpenStackSimulator, simulator
from anabranch_openstack.simulator.oddities import ODDITIES

__all__ = ["ODDITIES", "OpenStackCloud", "OpenStackSimulator", "simulator"]
