"""Virtual machines, their NICs, key pairs, snapshots and affinity groups."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from anabranch_cloudstack.simulator.records import Record

__all__ = [
    "STATS_AFTER",
    "AffinityGroup",
    "KeyPair",
    "Machine",
    "MachineSnapshot",
    "Nic",
    "SecondaryAddress",
]

STATS_AFTER = 60.0
"""Seconds until the collector has the first figures of a machine that started."""


class SecondaryAddress(msgspec.Struct):
    """One more address of a NIC."""

    id: str
    address: str


class Nic(msgspec.Struct, kw_only=True):
    """One NIC of a machine."""

    id: str
    network: str
    address: str
    mac: str
    device: int
    default: bool = False
    secondary: list[SecondaryAddress] = []


class Machine(Record, kw_only=True):
    """One virtual machine.

    Attributes:
        number: Its internal number, which its instance name holds.
        display: Its display name.
        zone: The id of its zone.
        image: The id of its template or ISO.
        offering: The id of its service offering.
        cpus: Its processors.
        speed: Their speed in MHz.
        memory: Its memory in MiB.
        state: Its state, in CloudStack's word.
        updated: When its state changed last; zero if it never did.
        running_since: When it was started last.
        user_data: Its user data in base64.
        ssh_key: The public key that it was given.
        volumes: The ids of its volumes, the root volume first.
        public_address: The id of the public address that is all its own, if any.
        overlay: Keys of its document that are as no server would say them.
        omit: Keys that its document lacks.
        encoded: Its document as it was rendered last, by what it was to tell.
    """

    kind: ClassVar[str] = "UserVm"

    number: int
    display: str
    zone: str
    image: str
    offering: str
    cpus: int
    speed: int
    memory: int
    state: str = "Stopped"
    updated: float = 0.0
    running_since: float = 0.0
    nics: list[Nic] = msgspec.field(default_factory=list[Nic])
    security_groups: list[str] = msgspec.field(default_factory=list[str])
    affinity_groups: list[str] = msgspec.field(default_factory=list[str])
    group: str = ""
    key_pairs: list[str] = msgspec.field(default_factory=list[str])
    ssh_key: str = ""
    user_data: str = ""
    details: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    password: str = ""
    iso: str = ""
    volumes: list[str] = msgspec.field(default_factory=list[str])
    public_address: str = ""
    hypervisor: str = "KVM"
    overlay: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    omit: frozenset[str] = frozenset()
    encoded: dict[tuple[object, ...], msgspec.Raw] = msgspec.field(
        default_factory=dict[tuple[object, ...], msgspec.Raw]
    )

    @property
    def instance_name(self) -> str:
        """What the hypervisor calls it."""
        return f"i-3-{self.number}-VM"

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self.state == "Running"

    @property
    def present(self) -> bool:
        """Whether it is neither destroyed nor about to go."""
        return self.state not in ("Destroyed", "Expunging")

    def described(self) -> str:
        """How the server's errors speak of it."""
        return (
            f'VM instance {{"id":{self.number},"instanceName":"{self.instance_name}",'
            f'"state":"{self.state}","type":"User","uuid":"{self.id}"}}'
        )


class KeyPair(Record, kw_only=True):
    """One SSH key pair; the private half is not kept."""

    public_key: str
    fingerprint: str


class MachineSnapshot(Record, kw_only=True):
    """One snapshot of a whole machine."""

    kind: ClassVar[str] = "VMSnapshot"

    display: str
    text: str
    machine: str
    state: str = "Allocated"
    memory: bool = False


class AffinityGroup(Record, kw_only=True):
    """One affinity group."""

    text: str
    type: str
