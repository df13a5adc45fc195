"""All commands."""

from __future__ import annotations

from anabranch_cloudstack.simulator import jobqueries
from anabranch_cloudstack.simulator.catalog import (
    discovery,
    images,
    making,
    offerings,
    operation,
    zones,
)
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute import (
    affinity,
    changes,
    deploy,
    keys,
    lifecycle,
    machines,
    metrics,
    userdata,
)
from anabranch_cloudstack.simulator.compute import snapshots as machine_snapshots
from anabranch_cloudstack.simulator.network import (
    acls,
    addresses,
    balancers,
    firewall,
    forwarding,
    groups,
    networks,
    nics,
    policies,
    vpcs,
)
from anabranch_cloudstack.simulator.storage import snapshots, volumes
from anabranch_cloudstack.simulator.tenancy import limits, projects, tags
from anabranch_cloudstack.simulator.tenancy import userdata as registered_user_data

__all__ = ["COMMANDS"]

COMMANDS = Commands()
"""All commands that a simulated cloud can have, whatever its release."""

for _module in (
    *(zones, offerings, images, making, discovery, operation, jobqueries),
    *(machines, deploy, lifecycle, changes, keys, userdata, affinity),
    *(machine_snapshots, metrics, networks, vpcs, acls, addresses, firewall, forwarding),
    *(balancers, policies, groups, nics, volumes, snapshots),
    *(limits, projects, tags, registered_user_data),
):
    COMMANDS.include(_module.commands)
