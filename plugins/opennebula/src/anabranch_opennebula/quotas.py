"""Quotas: those of the user, as `user.info` tells them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from anabranch.hooks import hookimpl
from anabranch.hooks.metrics import QuotasSpec
from anabranch.models import Quota
from anabranch.paging import Page
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.reading import Thing, number
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.templates import leaves

__all__ = ["Quotas"]

_DEFAULT: Final = -1
"""Stands for: as by default; below it is unlimited."""


class _Kind(NamedTuple):
    """A kind of quota: its element, and the quotas in it by their names, ours and units."""

    tag: str
    prefix: str
    quotas: Mapping[str, tuple[str, str]]


_KINDS: Final = (
    _Kind(
        "VM",
        "",
        {
            "VMS": ("instances", "count"),
            "CPU": ("cpu", "count"),
            "MEMORY": ("memory", "MiB"),
            "SYSTEM_DISK_SIZE": ("system_disk", "MiB"),
            "RUNNING_VMS": ("running_instances", "count"),
            "RUNNING_CPU": ("running_cpu", "count"),
            "RUNNING_MEMORY": ("running_memory", "MiB"),
        },
    ),
    _Kind(
        "DATASTORE",
        "datastore",
        {"IMAGES": ("images", "count"), "SIZE": ("size", "MiB")},
    ),
    _Kind("NETWORK", "network", {"LEASES": ("addresses", "count")}),
    _Kind("IMAGE", "image", {"RVMS": ("instances", "count")}),
)


class Quotas(QuotasSpec[OpenNebulaSettings]):
    """Quotas of the user. Those of the group, which bound it too, oned tells to its admins."""

    @hookimpl
    async def list_quotas(self, cloud: OpenNebulaCloud, cursor: str | None) -> Page[Quota]:
        def convert(user: Thing) -> list[Quota]:
            return list(_quotas(cloud.name, user))

        return Page(await session(cloud).read(convert, "user.info", -1))


def _quotas(cloud: str, user: Thing) -> Iterable[Quota]:
    """Convert the quotas; an element is there only after the first use of what it bounds."""
    for kind in _KINDS:
        path = f"{kind.tag}_QUOTA/{kind.tag}"
        defaults = {
            d.get("ID", ""): d
            for d in (leaves(e) for e in user.element.iterfind(f"DEFAULT_USER_QUOTAS/{path}"))
        }
        told = [leaves(element) for element in user.element.iterfind(path)]
        for found in told or ([{}] if not kind.prefix else []):
            ident = found.get("ID", "")
            for name, (ours, unit) in kind.quotas.items():
                full = f"{kind.prefix}:{ident}:{ours}" if kind.prefix else ours
                limit = number(found.get(name))
                if limit is None or limit == _DEFAULT:
                    limit = number(defaults.get(ident, {}).get(name))
                used = number(found.get(f"{name}_USED", "0"))
                yield Quota(
                    cloud=cloud,
                    id=full,
                    name=full,
                    limit=None if limit is None or limit < 0 else math.ceil(limit),
                    used=None if used is None else math.ceil(used),
                    unit=unit,
                )
