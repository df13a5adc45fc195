"""Disk offerings: in which sizes disks come, and which of them is meant."""

from __future__ import annotations

from typing import Final

from anabranch.errors import InvalidRequest
from anabranch_cloudstack import wire
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.reading import Reader, itself
from anabranch_cloudstack.values import number

__all__ = ["chosen_offering"]

_OFFERING: Final = Reader(wire.DiskOffering, "diskoffering")


async def chosen_offering(
    cloud: CloudStackCloud, offering_id: str | None, size_gib: int | None
) -> Parameters:
    """Choose a disk offering: the one named, the configured, one of the size, or a custom one.

    Args:
        cloud: Where.
        offering_id: The offering wanted; None: the configured one, if any.
        size_gib: Size wanted, GiB; None: 1, or that of the offering.

    Raises:
        InvalidRequest: none makes a disk of that size.
    """
    wanted = offering_id or cloud.settings.disk_offering
    size = 1 if size_gib is None else size_gib
    page = await session(cloud).everything(
        "listDiskOfferings",
        reader=_OFFERING,
        convert=itself,
        parameters={"id": wanted} if wanted else {},
    )
    custom = [o for o in page.items if o.iscustomized and not o.iscustomizediops]
    fixed = [o for o in page.items if not o.iscustomized]
    for offering in fixed:
        if number(offering.disksize) == size or (wanted and size_gib is None):
            return {"diskofferingid": offering.id}
    if custom:
        return {"diskofferingid": custom[0].id, "size": size}
    sizes = ", ".join(str(s) for s in sorted({number(o.disksize) or 0 for o in fixed}))
    raise InvalidRequest(
        f"no disk offering makes a disk of {size} GiB",
        remedy=f"Ask for one of: {sizes}" if sizes else "Correct the disk offering",
    )
