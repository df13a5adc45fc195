"""Instances: the machines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import msgspec

from anabranch.models._base import Resource
from anabranch.redaction import SecretStr
from anabranch.states import InstanceAction, InstanceState

__all__ = [
    "AttachedVolume",
    "Authentication",
    "Console",
    "ConsoleKind",
    "Hardware",
    "Instance",
    "InstanceSpec",
    "NetworkAddress",
    "NetworkAddressKind",
]


class NetworkAddressKind(StrEnum):
    """What an address of an instance is."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    MAC = "mac"
    HOSTNAME = "hostname"
    VNC = "vnc"


class NetworkAddress(msgspec.Struct, frozen=True, gc=False):
    """An address at which an instance can be reached.

    Attributes:
        address: The address itself.
        kind: What it is.
        port: Port to reach, of a VNC address.
    """

    address: str
    kind: NetworkAddressKind = NetworkAddressKind.IPV4
    port: int | None = None


class Hardware(msgspec.Struct, frozen=True, kw_only=True):
    """The hardware that an instance has, or is to have where that differs from its profile.

    Attributes:
        cpu: Number of processors.
        memory_mib: Main memory, MiB.
        storage_gb: Root disk, GB.
        architecture: `x86_64`, …
    """

    cpu: float | int | None = None
    memory_mib: int | None = None
    storage_gb: float | int | None = None
    architecture: str | None = None


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """How to log in to an instance.

    Attributes:
        key_id: The key that it was made with.
        username: Account to log in as.
        password: Its password; platforms tell it once, in the answer to create, if at all.
    """

    key_id: str | None = None
    username: str | None = None
    password: SecretStr | None = None


class AttachedVolume(msgspec.Struct, frozen=True, gc=False):
    """A volume that an instance has.

    Attributes:
        storage_volume_id: The volume.
        device: Its name in the instance (`/dev/sdb`); None: not told.
    """

    storage_volume_id: str
    device: str | None = None


class Instance(Resource, frozen=True, kw_only=True):
    """A machine. What a platform does not tell is None or empty.

    Attributes:
        state: In the common words.
        platform_state: The platform's own word (`ACTIVE`, `SHUTOFF/powering-on`).
        busy: Whether the platform is at work on it: `state` may change by itself, and may still be
            the one from before.
        actions: What may be done to it now.
        owner_id: Account that owns it.
        image_id: Image it was made from.
        realm_id: Realm it is in.
        hardware_profile_id: Profile it was made with.
        hardware: What it has, where the platform tells.
        public_addresses: Where the world reaches it.
        private_addresses: Where its networks reach it.
        created_at: When it was made, UTC.
        launched_at: When it last began to run, UTC.
        key_id: Key that may log in.
        authentication: How to log in; only in the answer to create.
        firewall_ids: Firewalls in force.
        storage_volumes: Volumes attached.
        network_interface_ids: Its network interfaces.
        tags: Names and values that users gave it.
        client_token: Token that its creator sent, by which a create whose answer was lost is found.
        fault: Why it is in ERROR.
    """

    state: InstanceState
    platform_state: str = ""
    busy: bool = False
    actions: tuple[InstanceAction, ...] = ()
    owner_id: str | None = None
    image_id: str | None = None
    realm_id: str | None = None
    hardware_profile_id: str | None = None
    hardware: Hardware | None = None
    public_addresses: tuple[NetworkAddress, ...] = ()
    private_addresses: tuple[NetworkAddress, ...] = ()
    created_at: datetime | None = None
    launched_at: datetime | None = None
    key_id: str | None = None
    authentication: Authentication | None = None
    firewall_ids: tuple[str, ...] = ()
    storage_volumes: tuple[AttachedVolume, ...] = ()
    network_interface_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    client_token: str | None = None
    fault: str = ""


class InstanceSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The instance to make. Beyond the first three, each parameter is a feature of the driver.

    Attributes:
        image_id: Image to boot.
        realm_id: Realm to put it in; None: the cloud chooses.
        hardware_profile_id: Its size; None: the driver's smallest or configured default.
        name: (`user_name`).
        hardware: Where it is to differ from the profile (`hardware_profiles`).
        key_id: Key that may log in (`authentication_key`).
        password: Password to set (`authentication_password`).
        user_data: Bytes handed to the instance at boot, not encoded (`user_data`).
        user_files: Files to put in, by absolute path (`user_files`).
        user_iso: ISO image to insert (`user_iso`).
        firewall_ids: Firewalls to apply (`firewalls`).
        network_ids: Networks to connect (`networks`); empty: the cloud's default.
        metrics: Whether to measure it in detail (`metrics`).
        snapshot_id: Snapshot to attach as a volume (`attach_snapshot`) …
        device_name: … as this device.
        load_balancer_id: Load balancer to register with (`register_to_load_balancer`).
        sandbox: Whether to make it a sandbox (`sandboxing`).
        tags: Names and values to give it (`tags`).
        client_token: Unique token by which it can be found again (`client_token`); the broker
            makes one where the driver offers the feature.
    """

    image_id: str
    realm_id: str | None = None
    hardware_profile_id: str | None = None
    name: str | None = None
    hardware: Hardware | None = None
    key_id: str | None = None
    password: SecretStr | None = None
    user_data: bytes | None = None
    user_files: Mapping[str, bytes] = msgspec.field(default_factory=dict[str, bytes])
    user_iso: bytes | None = None
    firewall_ids: tuple[str, ...] = ()
    network_ids: tuple[str, ...] = ()
    metrics: bool = False
    snapshot_id: str | None = None
    device_name: str | None = None
    load_balancer_id: str | None = None
    sandbox: bool = False
    tags: Mapping[str, str] = msgspec.field(default_factory=dict[str, str])
    client_token: str | None = None

    def __repr__(self) -> str:
        return f"InstanceSpec(name={self.name!r}, image_id={self.image_id!r}, …)"


class ConsoleKind(StrEnum):
    """How a console is used."""

    VNC = "vnc"
    """An address for a VNC client."""
    NOVNC = "novnc"
    """A page for a browser."""
    SPICE = "spice"
    SERIAL = "serial"
    """A web socket that carries a terminal."""
    TEXT = "text"
    """What the instance printed so far, in `text`."""


class Console(msgspec.Struct, frozen=True, kw_only=True):
    """A way to an instance's console.

    Attributes:
        kind: How to use it.
        url: Address to open; it holds a one-time token, so it is a secret.
        password: Password that the console asks for.
        text: Output, of a text console.
        expires_at: Until when it works, UTC; None: not told.
    """

    kind: ConsoleKind
    url: SecretStr | None = None
    password: SecretStr | None = None
    text: str | None = None
    expires_at: datetime | None = None
