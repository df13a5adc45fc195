"""All commands."""

from __future__ import annotations

from anabranch_cloudstack.simulator import jobqueries
from anabranch_cloudstack.simulator.catalog import discovery, images, offerings, zones
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute import deploy, keys, lifecycle, machines, userdata

__all__ = ["COMMANDS"]

COMMANDS = Commands()
"""All commands that a simulated cloud can have, whatever its release."""

for _module in (
    *(zones, offerings, images, discovery, jobqueries),
    *(machines, deploy, lifecycle, keys, userdata),
):
    COMMANDS.include(_module.commands)
