"""Attributes that only administrators may set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Template

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["MACHINE_ATTRIBUTES", "refuse_restricted"]

MACHINE_ATTRIBUTES = (
    *("CONTEXT/FILES", "NIC/MAC", "NIC/VLAN_ID", "NIC/BRIDGE", "NIC/FILTER", "NIC_ALIAS/MAC"),
    *("NIC/INBOUND_AVG_BW", "NIC/OUTBOUND_AVG_BW", "NIC_DEFAULT/MAC", "NIC_DEFAULT/BRIDGE"),
    *("DISK/TOTAL_BYTES_SEC", "DISK/TOTAL_IOPS_SEC", "DISK/READ_IOPS_SEC", "DISK/ORIGINAL_SIZE"),
    *("DISK/WRITE_IOPS_SEC", "DISK/OPENNEBULA_MANAGED", "CPU_COST", "MEMORY_COST", "DISK_COST"),
    *("PCI", "RAW", "EMULATOR", "USER_PRIORITY"),
)
"""VM_RESTRICTED_ATTR of oned.conf as it comes, the part that a client may meet."""


def refuse_restricted(call: Call, template: Template) -> None:
    """Refuse a text in which a plain user sets what only administrators may.

    Raises:
        Refusal: It has such an attribute.
    """
    if call.user.privileged:
        return
    for path in MACHINE_ATTRIBUTES:
        name, _, part = path.partition("/")
        found = any(part in v for v in template.vectors(name)) if part else name in template
        if found:
            raise Refusal(
                Code.AUTHORIZATION, f"VM Template includes a restricted attribute {path}."
            )
