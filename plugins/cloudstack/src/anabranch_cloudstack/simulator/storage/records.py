"""Volumes and their snapshots."""

from __future__ import annotations

from typing import ClassVar

from anabranch_cloudstack.simulator.records import Record

__all__ = ["Snapshot", "SnapshotPolicy", "Volume"]


class Volume(Record, kw_only=True):
    """One volume.

    Attributes:
        size: Bytes.
        type: `ROOT` or `DATADISK`.
        offering: The id of its disk offering; a root volume has none.
        machine: The id of the machine that has it.
        device: Its place there.
        attached: When it got there, seconds since the epoch.
    """

    kind: ClassVar[str] = "Volume"

    zone: str
    size: int
    type: str = "DATADISK"
    state: str = "Allocated"
    offering: str = ""
    machine: str = ""
    device: int = 0
    attached: float = 0.0
    snapshot: str = ""


class Snapshot(Record, kw_only=True):
    """One snapshot of a volume."""

    kind: ClassVar[str] = "Snapshot"

    volume: str
    volume_name: str
    volume_type: str
    zone: str
    size: int
    state: str = "Allocated"
    os_type: str = ""
    interval: str = "MANUAL"


class SnapshotPolicy(Record, kw_only=True):
    """When snapshots of a volume are made by themselves."""

    volume: str
    schedule: str
    interval: int
    keep: int
    timezone: str
