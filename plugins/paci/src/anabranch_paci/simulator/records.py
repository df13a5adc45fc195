"""What a PACI installation remembers."""

from __future__ import annotations

import msgspec

__all__ = [
    "Address",
    "Application",
    "AutoscaleRule",
    "Backup",
    "Disk",
    "Event",
    "Image",
    "InstalledApplication",
    "Rule",
    "Schedule",
    "Subscription",
    "Template",
    "Ve",
]


class Subscription(msgspec.Struct, kw_only=True):
    """What a customer bought; `ve_limit` is the most servers, `None` for any number."""

    id: int
    ve_limit: int | None = None


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """An operating system to make servers from; `min_disk` in GB."""

    id: int
    name: str
    os_type: str
    os: str
    technology: str = "CT"
    architecture: str = "x86_64"
    active: bool = True
    default: bool = False
    root_login: str = "root"
    min_disk: int = 5
    password_pattern: str = ".{6,}"


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be installed on the servers of one OS template."""

    id: int
    name: str
    for_os: str
    description: str


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """When backups are made, and how many are kept; `cron` is Quartz's, with seconds."""

    id: int
    name: str
    cron: str
    description: str
    backups_to_keep: int
    incremental: int


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A public address in CIDR notation, and its gateway."""

    id: int
    address: str
    gateway: str


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk of a server; `size` in GB."""

    id: int
    size: int
    local: bool = True


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What a server's firewall lets in; a remote port of 0 is any."""

    id: int
    name: str
    protocol: str
    local_port: int
    remote_port: int
    remote_nets: tuple[str, ...]


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup of a server; its id has braces, `size` is in bytes."""

    id: str
    number: int
    schedule: str | None
    started: float
    ended: float
    size: int
    description: str


class InstalledApplication(msgspec.Struct, kw_only=True):
    """An application on a server; `None` for what has not happened."""

    application: Application
    installed: float
    uninstalled: float | None = None


class AutoscaleRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule by which a server grows and shrinks by itself, for the metric `cpu` or `ram`.

    `minimum`, `maximum` and `step` are in MHz and MB; thresholds in percent, periods in seconds.
    """

    metric: str
    version: int
    updated: float
    allow_migration: bool
    allow_restart: bool
    minimum: int
    maximum: int
    step: int
    up: tuple[int, int]
    down: tuple[int, int]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a server was like from a moment on."""

    at: float
    state: str
    steady: str
    cpu: int
    ram: int
    disk: int
    bandwidth: int
    ipv4: int
    ipv6: int


class Ve(msgspec.Struct, kw_only=True):
    """A server, or a load balancer, which the platform makes of a server.

    `cpu_power` is in MHz, `ram` in MB, `bandwidth` in kbps.
    """

    id: int
    uuid: str
    node: int
    name: str
    subscription_id: int
    template: Template
    cpu_number: int
    cpu_power: int
    ram: int
    bandwidth: int
    disk: Disk
    private_ip: str
    login: str
    password: str
    created: float
    hostname: str = ""
    description: str | None = None
    ipv4: list[Address] = []
    ipv6: list[Address] = []
    schedule: str | None = None
    custom_ns: bool = False
    state: str = "CREATED"
    steady: str = "CREATED"
    console: tuple[str, int] | None = None
    applications: list[InstalledApplication] = []
    rules: list[Rule] = []
    backups: list[Backup] = []
    autoscale: list[AutoscaleRule] = []
    history: list[Event] = []
    is_balancer: bool = False
    members: list[str] = []
    overlay: dict[str, str] = {}
    """Texts that documents show instead of the true ones, by element."""
    omit: frozenset[str] = frozenset()
    """Elements that documents do not show."""
    listed_only: bool = False
    """Whether it is gone when it is asked for, as one that is deleted right after the list."""


class Image(msgspec.Struct, frozen=True, kw_only=True):
    """A server's disk and figures, kept to make servers from."""

    id: int
    name: str
    subscription_id: int
    node_uuid: str
    image_of: str
    hostname: str
    description: str
    created: float
    template: Template
    cpu_number: int
    cpu_power: int
    ram: int
    bandwidth: int
    disk: Disk
    login: str
    ipv4: int
    ipv6: int
    custom_ns: bool
