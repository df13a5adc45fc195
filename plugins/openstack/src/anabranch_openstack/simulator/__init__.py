"""OpenStack's own wire protocol on loopback: the simulator of this driver's platform.

`python -m anabranch_openstack.simulator --clouds 20` serves a fleet in a process of its own.
"""

from __future__ import annotations

from anabranch_openstack.simulator.cloud import OpenStackCloud, OpenStackSimulator, simulator
from anabranch_openstack.simulator.oddities import ODDITIES

__all__ = ["ODDITIES", "OpenStackCloud", "OpenStackSimulator", "simulator"]
