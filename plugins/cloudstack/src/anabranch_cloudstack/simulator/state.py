"""The state of one simulated cloud."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import Any

from anabranch.testing.simulation import Behaviour
from anabranch_cloudstack.simulator.accounts import Account
from anabranch_cloudstack.simulator.catalog.records import (
    DiskOffering,
    Image,
    NetworkOffering,
    OsType,
    ServiceOffering,
    VpcOffering,
    Zone,
)
from anabranch_cloudstack.simulator.commands import Command, release
from anabranch_cloudstack.simulator.compute.records import (
    AffinityGroup,
    KeyPair,
    Machine,
    MachineSnapshot,
)
from anabranch_cloudstack.simulator.jobs import Jobs
from anabranch_cloudstack.simulator.network.records import (
    AclItem,
    AclList,
    Address,
    Balancer,
    FirewallRule,
    ForwardingRule,
    Network,
    SecurityGroup,
    Vpc,
)
from anabranch_cloudstack.simulator.records import Record
from anabranch_cloudstack.simulator.storage.records import Snapshot, SnapshotPolicy, Volume
from anabranch_cloudstack.simulator.tenancy.records import Project, UserData

__all__ = ["State"]

_REMEMBERED = 60.0
"""Seconds for which a list by the id of a machine that is gone is empty, and no error."""


class State:
    """One cloud: its accounts, its objects, its jobs, its behaviour and its clock.

    Args:
        name: The cloud's name.
        behaviour: How it behaves.
        clock: Says what time it is, seconds since the epoch.
        version: The release that it says it is.
        accounts: Its accounts by name.
        expunge_by_users: Whether users may expunge and recover (`allow.user.expunge.recover.vm`).
        show_destroyed: Whether users see destroyed machines (`allow.user.view.destroyed.vm`).
        capacity: The processors that the hosts of a zone have for one machine.
    """

    def __init__(
        self,
        name: str,
        behaviour: Behaviour,
        clock: Callable[[], float],
        version: str,
        accounts: dict[str, Account],
        *,
        expunge_by_users: bool,
        show_destroyed: bool,
        capacity: int,
    ) -> None:
        self.name = name
        self.behaviour = behaviour
        self.clock = clock
        self.now = self.born = clock()
        self.version_name = version
        self.version = release(version)
        self.accounts = accounts
        self.expunge_by_users = expunge_by_users
        self.show_destroyed = show_destroyed
        self.capacity = capacity
        self.jobs = Jobs(self)
        self.zones: dict[str, Zone] = {}
        self.service_offerings: dict[str, ServiceOffering] = {}
        self.disk_offerings: dict[str, DiskOffering] = {}
        self.network_offerings: dict[str, NetworkOffering] = {}
        self.vpc_offerings: dict[str, VpcOffering] = {}
        self.os_types: dict[str, OsType] = {}
        self.images: dict[str, Image] = {}
        self.machines: dict[str, Machine] = {}
        self.machine_snapshots: dict[str, MachineSnapshot] = {}
        self.affinity_groups: dict[str, AffinityGroup] = {}
        self.key_pairs: dict[str, KeyPair] = {}
        self.networks: dict[str, Network] = {}
        self.vpcs: dict[str, Vpc] = {}
        self.acl_lists: dict[str, AclList] = {}
        self.acl_items: dict[str, AclItem] = {}
        self.addresses: dict[str, Address] = {}
        self.firewall_rules: dict[str, FirewallRule] = {}
        self.forwarding_rules: dict[str, ForwardingRule] = {}
        self.balancers: dict[str, Balancer] = {}
        self.security_groups: dict[str, SecurityGroup] = {}
        self.volumes: dict[str, Volume] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.snapshot_policies: dict[str, SnapshotPolicy] = {}
        self.projects: dict[str, Project] = {}
        self.user_data: dict[str, UserData] = {}
        self._stores: list[Mapping[str, Record]] = [
            value for value in vars(self).values() if value == {}
        ]
        self.commands: dict[str, Command] = {}
        self._domains = {account.domain_id for account in accounts.values()}
        self._space = uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.cloudstack.invalid")
        self._ids = 0
        self._numbers = 1
        self._gone: dict[str, float] = {}

    def commands_of(self, account: Account) -> dict[str, Command]:
        """The commands that an account may run."""
        return {
            name: command
            for name, command in self.commands.items()
            if account.may(name, user=command.user)
        }

    def new_id(self) -> str:
        """An id that nothing has yet."""
        self._ids += 1
        return str(uuid.uuid5(self._space, str(self._ids)))

    def new_number(self) -> int:
        """An internal number that nothing has yet."""
        self._numbers += 1
        return self._numbers

    def add(self, store: dict[str, Any], record: Record) -> None:
        """Put a record into its store."""
        store[record.id] = record

    def find(self, record_id: str) -> Record | None:
        """The record of an id, whatever it is."""
        for store in self._stores:
            if record_id in store:
                return store[record_id]
        return None

    def everything(self) -> Iterable[Record]:
        """All records."""
        return chain.from_iterable(store.values() for store in self._stores)

    def exists(self, record_id: str, *, removed: bool = False) -> bool:
        """Whether anything has this id.

        Args:
            record_id: The id.
            removed: Whether a machine that went lately counts.
        """
        if self.find(record_id) is not None or record_id in self._domains:
            return True
        return removed and self.now - self._gone.get(record_id, float("-inf")) < _REMEMBERED

    def after(self, effect: Callable[[], None]) -> None:
        """Let something happen by itself after one more `state_delay`."""
        self.jobs.later(effect)

    def remove_volume(self, volume_id: str) -> None:
        """Remove a volume for good, and when its snapshots are made."""
        del self.volumes[volume_id]
        policies = self.snapshot_policies.values()
        for policy in [policy for policy in policies if policy.volume == volume_id]:
            del self.snapshot_policies[policy.id]

    def forget(self, machine: Machine) -> None:
        """Remove a machine for good."""
        self.machines.pop(machine.id, None)
        self._gone[machine.id] = self.now

    def changed(self, machine_id: str) -> None:
        """Let a machine be rendered anew."""
        machine = self.machines.get(machine_id)
        if machine is not None:
            machine.encoded.clear()
