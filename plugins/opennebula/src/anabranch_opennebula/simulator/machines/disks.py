"""The disks of machines: what a DISK of a template becomes."""

from __future__ import annotations

import itertools
import string
from typing import TYPE_CHECKING

from anabranch_opennebula.simulator.access import USE
from anabranch_opennebula.simulator.figures import whole
from anabranch_opennebula.simulator.machines.records import Machine
from anabranch_opennebula.simulator.records import Image, Pool
from anabranch_opennebula.simulator.refusals import Code, Refusal
from anabranch_opennebula.simulator.templates import Vector

if TYPE_CHECKING:
    from anabranch_opennebula.simulator.access import Call

__all__ = ["find_image", "image_disk", "next_target", "part", "resolve_disk"]

_LETTERS = ("", *string.ascii_lowercase)


def resolve_disk(call: Call, asked: Vector, disk_id: int, taken: set[str]) -> Vector:
    """What a DISK becomes in a machine.

    Args:
        call: Who asks.
        asked: What the template says.
        disk_id: Its number.
        taken: The device names that are taken; the disk's is added.

    Raises:
        Refusal: Its image is not there, not usable or busy, or it has neither image nor size.
    """
    image = find_image(call, asked)
    if image is None:
        if not whole(asked.get("SIZE", "")):
            raise Refusal(Code.ALLOCATE, "SIZE attribute must be a positive integer value.")
        disk = _volatile_disk(asked, disk_id)
    else:
        if image.state not in (1, 2) or (image.persistent and image.vms):
            raise Refusal(
                Code.ACTION,
                f"Cannot acquire image {image.id}, it is persistent and already in use or"
                " not ready",
                image.id,
            )
        disk = image_disk(image, asked, disk_id)
    disk["TARGET"] = asked.get("TARGET") or next_target(disk["DEV_PREFIX"], taken)
    taken.add(disk["TARGET"])
    return disk


def find_image(call: Call, disk: Vector) -> Image | None:
    """The image that a DISK names by IMAGE_ID, or by IMAGE and IMAGE_UID or IMAGE_UNAME.

    Raises:
        Refusal: There is no such image, or the user may not use it.
    """
    images = call.state.images
    if "IMAGE_ID" in disk:
        number = disk["IMAGE_ID"]
        image = images.get(-1 if (n := whole(number)) is None else n)
        if image is None:
            raise Refusal(Code.ALLOCATE, f"Image with ID: {number} does not exist")
    elif "IMAGE" in disk:
        uname = disk.get("IMAGE_UNAME", call.user.name)
        owner = next((u.id for u in call.state.users.values() if u.name == uname), None)
        uid = whole(disk["IMAGE_UID"]) if "IMAGE_UID" in disk else owner
        image = None if uid is None else images.named(disk["IMAGE"], uid)
        if image is None:
            raise Refusal(
                Code.ALLOCATE, f"User {uid} does not own an image with name: {disk['IMAGE']}"
            )
    else:
        return None
    call.demand(USE, images, image)
    return image


def image_disk(image: Image, asked: Vector, disk_id: int) -> Vector:
    """A disk made of an image, as yet without a device name."""
    disk: Vector = {
        **asked,
        "ALLOW_ORPHANS": "NO",
        "CLONE": "NO" if image.persistent else "YES",
        "CLONE_TARGET": "SYSTEM",
        "CLUSTER_ID": "0",
        "DATASTORE": "default",
        "DATASTORE_ID": str(image.datastore),
        "DEV_PREFIX": asked.get("DEV_PREFIX") or image.template.text("DEV_PREFIX") or "vd",
        "DISK_ID": str(disk_id),
        "DISK_SNAPSHOT_TOTAL_SIZE": "0",
        "DISK_TYPE": "FILE",
        "DRIVER": image.format,
        "FORMAT": image.format,
        "IMAGE": image.name,
        "IMAGE_ID": str(image.id),
        "IMAGE_STATE": "8" if image.persistent else "2",
        "LN_TARGET": "NONE",
        "ORIGINAL_SIZE": str(image.size),
        "PERSISTENT_SNAPSHOTS": "YES",
        "READONLY": "NO",
        "SAVE": "YES" if image.persistent else "NO",
        "SIZE": str(max(image.size, whole(asked.get("SIZE", "")) or 0)),
        "SOURCE": "dummy_path",
        "TM_MAD": "dummy",
        "TYPE": "CDROM" if image.type == 1 else "FILE",
    }
    if image.persistent:
        disk["PERSISTENT"] = "YES"
    return disk


def _volatile_disk(asked: Vector, disk_id: int) -> Vector:
    return {
        **asked,
        "ALLOW_ORPHANS": "NO",
        "CLUSTER_ID": "0",
        "DATASTORE": "system",
        "DATASTORE_ID": "0",
        "DEV_PREFIX": asked.get("DEV_PREFIX", "vd"),
        "DISK_ID": str(disk_id),
        "DISK_TYPE": "FILE",
        "DRIVER": asked.get("FORMAT", "raw"),
        "FORMAT": asked.get("FORMAT", "raw"),
        "PERSISTENT_SNAPSHOTS": "YES",
        "TM_MAD": "dummy",
        "TYPE": asked.get("TYPE", "fs"),
    }


def part(images: Pool[Image], machine: Machine, disk: Vector) -> Image | None:
    """Take a disk's contents off a machine: a volume keeps its size and its snapshots.

    Returns:
        The image of the disk, which the machine may use by another disk too.
    """
    chain = machine.chains.pop(int(disk["DISK_ID"]), None)
    image = images.get(int(disk.get("IMAGE_ID", -1)))
    if image is not None and image.persistent:
        image.size = int(disk["SIZE"])
        image.chain = chain or image.chain
    return image


def next_target(prefix: str, taken: set[str]) -> str:
    """The first free device name with that prefix."""
    letters = itertools.product(_LETTERS, _LETTERS[1:])
    return next(name for two in letters if (name := prefix + "".join(two)) not in taken)
