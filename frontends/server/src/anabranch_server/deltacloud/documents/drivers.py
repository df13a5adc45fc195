"""The drivers that the daemon has, as documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from anabranch_server.deltacloud.documents.markup import attribute, text
from anabranch_server.deltacloud.documents.sheet import outdent
from anabranch_server.deltacloud.links import View, percent_encode

__all__ = [
    "DriverEntry",
    "ProviderEntry",
    "driver_plain",
    "driver_xml",
    "drivers_plain",
    "drivers_xml",
]


class ProviderEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that a driver can be told to use.

    Attributes:
        id: What it is chosen by.
        entrypoints: URLs by the kind of service, as far as they may be told.
    """

    id: str
    entrypoints: Mapping[str, str] = {}


class DriverEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A driver.

    Attributes:
        id: Its kind.
        name: What people call it.
        providers: The providers that may be chosen.
    """

    id: str
    name: str
    providers: tuple[ProviderEntry, ...] = ()


def drivers_xml(drivers: Iterable[DriverEntry], view: View) -> bytes:
    """Return all drivers; as in Deltacloud, without a declaration."""
    inner = "".join(_driver(one, view, entrypoints=False) for one in drivers)
    return f"<drivers>\n{inner}</drivers>\n".encode()


def driver_xml(driver: DriverEntry, view: View) -> bytes:
    """Return one driver, with the entry points of its providers; without a declaration."""
    return outdent(_driver(driver, view, entrypoints=True)).encode()


def _driver(driver: DriverEntry, view: View, *, entrypoints: bool) -> str:
    providers = "".join(
        f"    <provider id='{attribute(one.id)}'>\n"
        f"{_entrypoints(one) if entrypoints else ''}    </provider>\n"
        for one in driver.providers
    )
    return (
        f"  <driver href='{_href(driver, view)}' id='{attribute(driver.id)}'>\n"
        f"    <name>{text(driver.name)}</name>\n"
        f"{providers}  </driver>\n"
    )


def _entrypoints(provider: ProviderEntry) -> str:
    return "".join(
        f"      <entrypoint kind='{attribute(kind)}'>{text(url)}</entrypoint>\n"
        for kind, url in provider.entrypoints.items()
    )


def _href(driver: DriverEntry, view: View) -> str:
    return f"{view.collection('drivers')}/{percent_encode(driver.id)}"


def drivers_plain(drivers: Iterable[DriverEntry], view: View) -> dict[str, Any]:
    """Return all drivers for JSON: as in Deltacloud, by their ids and not as a list."""
    return {one.id: _plain(one, view) for one in drivers}


def driver_plain(driver: DriverEntry, view: View) -> dict[str, Any]:
    """Return one driver for JSON."""
    return {"driver": _plain(driver, view)}


def _plain(driver: DriverEntry, view: View) -> dict[str, Any]:
    return {
        "name": driver.name,
        "id": driver.id,
        "href": _href(driver, view),
        "providers": [
            {"id": one.id, "entrypoints": dict(one.entrypoints)} for one in driver.providers
        ],
    }
