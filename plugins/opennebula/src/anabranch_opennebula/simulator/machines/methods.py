"""The methods `one.vm.…` and `one.vmpool.…`."""

from __future__ import annotations

from anabranch_opennebula.simulator.machines import (
    attributes,
    interfaces,
    listing,
    snapshots,
    volumes,
)
from anabranch_opennebula.simulator.machines.actions import act, recover
from anabranch_opennebula.simulator.machines.creation import allocate
from anabranch_opennebula.simulator.methods import Method

__all__ = ["METHODS"]

METHODS = {
    **listing.METHODS,
    **attributes.METHODS,
    **volumes.METHODS,
    **interfaces.METHODS,
    **snapshots.METHODS,
    "one.vm.action": Method("si", act),
    "one.vm.allocate": Method("s|b", allocate),
    "one.vm.recover": Method("ii", recover),
}
