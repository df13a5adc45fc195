"""Documents to models, as far as several collections need it: pure functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from anabranch.models import (
    Extra,
    Hardware,
    Instance,
    Listener,
    LoadBalancer,
    NetworkAddress,
    NetworkAddressKind,
)
from anabranch_paci import description
from anabranch_paci.markup import Node, as_mapping, parse
from anabranch_paci.settings import PaciSettings, ProfileSettings, SizeRange
from anabranch_paci.states import view

__all__ = [
    "LISTENERS",
    "extra_of",
    "instance",
    "integer",
    "listed_instance",
    "listed_load_balancer",
    "load_balancer",
    "template_id",
    "time",
    "usual",
]

LISTENERS: Final = (Listener(protocol="HTTP", load_balancer_port=80, instance_port=80),)
"""What every load balancer listens for: it is an appliance for HTTP, and nothing can be set.

That it is HTTP is the vendor's word; the ports are inferred from that.
"""

_IPV4, _IPV6 = NetworkAddressKind.IPV4, NetworkAddressKind.IPV6
_PUBLIC: Final = (("public-ip", _IPV4), ("public-ipv6", _IPV6), ("public-ip6", _IPV6))
"""The last name stands in one client only, and is likely a slip; it does no harm."""

_INSTANCE_KEYS: Final = frozenset(
    {"name", "description", "subscription-id", "customer-id", "ram-size", "state", "network"}
)
_BALANCER_KEYS: Final = frozenset({"name", "subscription-id", "state", "network", "used-by"})
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?\s*(?:([+-])(\d\d):?(\d\d)?|Z)?"
)


def instance(settings: PaciSettings, cloud: str, asked: str, ve: Node, content: bytes) -> Instance:
    """Convert a server, which was asked for by its name; its id is that name."""
    told = description.parse(ve.value("description"))
    state, platform_state, busy, actions = view(ve.value("state") or "")
    hardware = _hardware(ve)
    network = ve.first("network")
    private = (network.get("private-ip") if network else None) or ""
    template = ve.first("platform") or ve
    return Instance(
        cloud=cloud,
        id=asked,
        name=ve.value("name") or asked,
        state=state,
        platform_state=platform_state,
        busy=busy,
        actions=actions,
        owner_id=ve.value("customer-id"),
        image_id=template_id(template.get("name", "template-info")),
        realm_id=ve.value("subscription-id"),
        hardware_profile_id=_profile(settings, hardware),
        hardware=hardware,
        public_addresses=_public(network),
        private_addresses=tuple(
            NetworkAddress(a, _IPV6 if ":" in a else _IPV4) for a in _bare(private)
        ),
        firewall_ids=(asked,),
        tags=told.tags,
        client_token=told.client_token,
        extra=extra_of(content, _INSTANCE_KEYS),
    )


def listed_instance(cloud: str, info: Node) -> Instance:
    """Convert what a list tells of a server: its name, state, description and subscription."""
    told = description.parse(info.get("description"))
    state, platform_state, busy, actions = view(info.get("state") or "")
    name = info.get("name") or ""
    return Instance(
        cloud=cloud,
        id=name,
        name=name,
        state=state,
        platform_state=platform_state,
        busy=busy,
        actions=actions,
        realm_id=info.get("subscription-id"),
        firewall_ids=(name,),
        tags=told.tags,
        client_token=told.client_token,
    )


def load_balancer(cloud: str, asked: str, document: Node, content: bytes) -> LoadBalancer:
    """Convert a load balancer: a server's document, and who uses it."""
    members = (used.get("ve-name") for used in document.all("used-by"))
    return LoadBalancer(
        cloud=cloud,
        id=asked,
        name=document.value("name") or asked,
        realm_id=document.value("subscription-id"),
        platform_state=(document.value("state") or "").strip(),
        public_addresses=tuple(a.address for a in _public(document.first("network"))),
        listeners=LISTENERS,
        instance_ids=tuple(member for member in members if member),
        extra=extra_of(content, _BALANCER_KEYS),
    )


def listed_load_balancer(cloud: str, info: Node) -> LoadBalancer:
    """Convert what a list tells of a load balancer: its name, state and subscription."""
    name = info.get("name") or ""
    return LoadBalancer(
        cloud=cloud,
        id=name,
        name=name,
        realm_id=info.get("subscription-id"),
        platform_state=info.get("state") or "",
        listeners=LISTENERS,
    )


def template_id(name: str | None) -> str | None:
    """Return the id of the image that the OS template of this name is."""
    return f"template:{name}" if name else None


def integer(text: str | None) -> int | None:
    """Read a whole number; None if it is none."""
    try:
        return int(text) if text else None
    except ValueError:
        return None


def time(text: str | None) -> datetime | None:
    """Read a time such as `2013-09-01 19:19:17.84091+04`, in UTC; None if it is none."""
    match = _TIME.fullmatch((text or "").strip())
    if match is None:
        return None
    day, clock, fraction, sign, hours, minutes = match.groups()
    zone = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        read = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0').ljust(6, '0')}")
        return read.replace(tzinfo=timezone(-zone if sign == "-" else zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def usual(size: int | SizeRange) -> int:
    """Return the usual value of a size of a profile."""
    return size.value if isinstance(size, SizeRange) else size


def extra_of(content: bytes, without: frozenset[str]) -> Extra:
    """Keep the platform's fields of a document, to be read when they are looked at."""

    def fields() -> dict[str, Any]:
        return as_mapping(parse(content))

    return Extra(fields, without)


def _hardware(ve: Node) -> Hardware | None:
    disks = list(ve.all("ve-disk"))
    primary = ve.value("primary-disk-id")
    disk = next((d for d in disks if d.get("id") == primary), disks[0] if disks else None)
    found = Hardware(
        cpu=integer(ve.get("number", "cpu")),
        memory_mib=integer(ve.value("ram-size")),
        storage_gb=integer(disk.get("size")) if disk else None,
    )
    return None if found == Hardware() else found


def _profile(settings: PaciSettings, hardware: Hardware | None) -> str | None:
    """Return the first profile whose usual sizes are these."""

    def same(profile: ProfileSettings) -> bool:
        usuals = usual(profile.cpu), usual(profile.memory_mib), usual(profile.storage_gb)
        return hardware is not None and usuals == (
            hardware.cpu,
            hardware.memory_mib,
            hardware.storage_gb,
        )

    return next((p.name for p in settings.hardware_profiles if same(p)), None)


def _public(network: Node | None) -> tuple[NetworkAddress, ...]:
    return tuple(
        NetworkAddress(address, kind)
        for tag, kind in _PUBLIC
        for found in (network.all(tag) if network else ())
        for address in _bare(found.get("address") or "")
    )


def _bare(cidr: str) -> tuple[str, ...]:
    """Return an address without the size of its network, if there is one."""
    address = cidr.partition("/")[0].strip()
    return (address,) if address else ()
