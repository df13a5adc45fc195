"""The documents of nova and glance, as far as they are translated."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import field

__all__ = [
    "AvailabilityZone",
    "Fault",
    "Flavor",
    "Image",
    "Keypair",
    "KeypairItem",
    "NetworkedAddress",
    "Reference",
    "Server",
    "ZoneState",
]


class Reference(msgspec.Struct, gc=False):
    """What another thing is known by; since 2.47 a flavor has no id here."""

    id: str | None = None


class NetworkedAddress(msgspec.Struct, gc=False):
    """An address of a server in one of its networks."""

    addr: str
    version: int = 4
    type: str | None = field(default=None, name="OS-EXT-IPS:type")


class Fault(msgspec.Struct, gc=False):
    """Why a server is in ERROR."""

    message: str | None = None


class Server(msgspec.Struct, gc=False):
    """A server. Image is the empty string when it was booted from a volume."""

    id: str
    name: str | None = None
    status: str = "UNKNOWN"
    task_state: str | None = field(default=None, name="OS-EXT-STS:task_state")
    tenant_id: str | None = None
    image: Reference | str | None = None
    flavor: Reference | None = None
    key_name: str | None = None
    metadata: dict[str, str] | None = None
    addresses: dict[str, list[NetworkedAddress]] | None = None
    access_ipv4: str | None = field(default=None, name="accessIPv4")
    access_ipv6: str | None = field(default=None, name="accessIPv6")
    zone: str | None = field(default=None, name="OS-EXT-AZ:availability_zone")
    created: datetime | None = None
    launched_at: datetime | None = field(default=None, name="OS-SRV-USG:launched_at")
    volumes: list[Reference] | None = field(
        default=None, name="os-extended-volumes:volumes_attached"
    )
    fault: Fault | None = None


class Flavor(msgspec.Struct, gc=False):
    """A flavor: memory in MiB, disk in GiB, 0 for as much as the image needs."""

    id: str
    name: str | None = None
    vcpus: int | None = None
    ram: int | None = None
    disk: int | None = None
    extra_specs: dict[str, Any] | None = None


class Image(msgspec.Struct, gc=False):
    """An image; custom properties stand beside these."""

    id: str
    name: str | None = None
    status: str = ""
    visibility: str | None = None
    owner: str | None = None
    size: int | None = None
    min_disk: int | None = None
    min_ram: int | None = None
    created_at: datetime | None = None
    architecture: str | None = None
    description: str | None = None
    tags: list[str] | None = None
    tag_names: str | None = field(default=None, name="anabranch_tags")


class ZoneState(msgspec.Struct, gc=False):
    """Whether a zone can be used."""

    available: bool = True


class AvailabilityZone(msgspec.Struct, gc=False):
    """An availability zone."""

    name: str = field(name="zoneName")
    state: ZoneState | None = field(default=None, name="zoneState")


class Keypair(msgspec.Struct, gc=False):
    """A key pair; the private key is in the answer to its making only."""

    name: str
    public_key: str | None = None
    private_key: str | None = None
    fingerprint: str | None = None


class KeypairItem(msgspec.Struct, gc=False):
    """How lists wrap a key pair."""

    keypair: Keypair
