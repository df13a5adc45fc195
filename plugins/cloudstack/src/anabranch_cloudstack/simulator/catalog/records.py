"""Zones, offerings and images."""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from anabranch_cloudstack.simulator.records import Record

__all__ = [
    "GIB",
    "DiskOffering",
    "Image",
    "NetworkOffering",
    "OsType",
    "ServiceOffering",
    "VpcOffering",
    "Zone",
]

GIB = 1024**3


class Zone(Record, kw_only=True):
    """One zone."""

    network_type: Literal["Advanced", "Basic"]
    security_groups: bool
    enabled: bool = True

    @property
    def groups_in_use(self) -> bool:
        """Whether its machines have security groups."""
        return self.security_groups or self.network_type == "Basic"


class ServiceOffering(Record, kw_only=True):
    """One service offering; zero for what the machine has to say itself."""

    cpus: int = 0
    speed: int = 0
    memory: int = 0
    bounds: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    root_size: int = 0
    disk_offering_id: str

    @property
    def customized(self) -> bool:
        """Whether the machine says how many processors and how much memory it has."""
        return not self.cpus


class DiskOffering(Record, kw_only=True):
    """One disk offering; the size is in GiB, zero for one that the volume chooses."""

    text: str
    size: int


class NetworkOffering(Record, kw_only=True):
    """One network offering."""

    text: str
    guest_type: Literal["Isolated", "Shared", "L2"]
    services: tuple[str, ...]
    availability: Literal["Required", "Optional"] = "Optional"
    for_vpc: bool = False
    specify_vlan: bool = False


class VpcOffering(Record, kw_only=True):
    """One VPC offering."""

    text: str
    services: tuple[str, ...]


class OsType(Record, kw_only=True):
    """One kind of guest operating system."""

    category: str
    category_id: str


class Image(Record, kw_only=True):
    """A template or an ISO.

    Attributes:
        zones: The ids of the zones that have it.
        size: Bytes.
        public: Whether everyone may use it.
        featured: Whether it is among the featured ones.
        builtin: Whether it came with the server.
        ready_at: When its download ends, seconds since the epoch.
        passwords: Whether its machines take a password from the server.
    """

    kind: ClassVar[str] = "Template"

    text: str
    zones: list[str]
    size: int
    os_type: str
    format: str = "QCOW2"
    public: bool = False
    featured: bool = False
    builtin: bool = False
    bootable: bool = True
    ready_at: float = 0.0
    passwords: bool = False
    source: str = ""
    details: dict[str, str] = msgspec.field(default_factory=dict[str, str])

    @property
    def is_iso(self) -> bool:
        """Whether it is an ISO."""
        return self.format == "ISO"
