"""Which hardware profiles an image goes with, where its cloud does not tell.

Deltacloud's drivers listed them with every image, and its clients launch an image by none that it
does not list. So the profiles are asked for beside the images, which takes no longer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import anyio
import msgspec

from anabranch.models import HardwareProfile, HardwareProperty, Image
from anabranch_server.deltacloud.request import Request

__all__ = ["with_profiles"]

T = TypeVar("T")

_LIST: Final = "list_hardware_profiles"
_GRACE: Final = 1.0
"""Seconds that the images, once there, wait for the profiles."""


async def with_profiles(
    request: Request,
    clouds: Iterable[str],
    images_of: Callable[[T], Sequence[Image]],
    work: Callable[[], Awaitable[T]],
) -> tuple[T, Sequence[Image]]:
    """Get images, and beside them the profiles of their clouds; give each image those that fit.

    An image that names its profiles keeps them. Profiles that are not to be had are left out.

    Args:
        request: The request.
        clouds: The clouds that the images are of.
        images_of: Takes the images out of what `work` returns.
        work: Gets the images.

    Raises:
        Exception: whatever `work` raises.
    """
    offering = [cloud for cloud in clouds if request.view.offers(cloud, _LIST)]
    profiles: dict[str, list[HardwareProfile]] = {}
    told = anyio.Event()
    found: list[T] = []
    failures: list[Exception] = []

    async def ask() -> None:
        if offering:
            facade = request.selection.broker.hardware_profiles
            async with facade.stream(clouds=offering) as arrivals:
                async for arrival in arrivals:
                    profiles.setdefault(arrival.cloud, []).extend(arrival.items)
        told.set()

    async with anyio.create_task_group() as group:
        group.start_soon(ask)
        try:
            found.append(await work())
            with anyio.move_on_after(_GRACE):
                await told.wait()
        except Exception as exc:  # as it is, and not in a group
            failures.append(exc)
        group.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return found[0], [_told(image, profiles.get(image.cloud, ())) for image in images_of(found[0])]


def _told(image: Image, profiles: Sequence[HardwareProfile]) -> Image:
    if image.hardware_profile_ids or not profiles:
        return image
    fitting = tuple(profile.id for profile in profiles if _fits(image, profile))
    return msgspec.structs.replace(image, hardware_profile_ids=fitting)


def _fits(image: Image, profile: HardwareProfile) -> bool:
    architecture = profile.architecture
    if image.architecture and architecture and not architecture.allows(image.architecture):
        return False
    return _reaches(profile.memory_mib, image.min_memory_mib) and _reaches(
        profile.storage_gb, image.min_storage_gb
    )


def _reaches(size: HardwareProperty | None, least: int) -> bool:
    """Whether a size, at its greatest, is enough; 0 is as much as the image needs."""
    if size is None or least == 0:
        return True
    sizes: list[Any] = [size.value, size.last, *size.choices]
    greatest = max((number for number in sizes if isinstance(number, (int, float))), default=0)
    return greatest == 0 or greatest >= least
