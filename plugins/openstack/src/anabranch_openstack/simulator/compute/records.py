"""What nova remembers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

__all__ = [
    "Attachment",
    "Compute",
    "Flavor",
    "Keypair",
    "Nic",
    "Quota",
    "Server",
    "Step",
]


class Flavor(msgspec.Struct, kw_only=True):
    """A size of servers; `ram` and `swap` in MiB, `disk` and `ephemeral` in GiB."""

    id: str
    name: str
    ram: int
    vcpus: int
    disk: int
    ephemeral: int = 0
    swap: int = 0
    is_public: bool = True
    disabled: bool = False
    description: str | None = None
    extra_specs: dict[str, str] = {}


class Keypair(msgspec.Struct, kw_only=True):
    """A public key of a user."""

    number: int
    name: str
    public_key: str
    fingerprint: str
    created: float
    type: str = "ssh"


class Nic(msgspec.Struct, kw_only=True):
    """How a server is connected to a network; neutron shows it as a port.

    `own` says whether nova made the port, and so deletes it together with the server.
    """

    port_id: str
    network_id: str
    network: str
    subnet_id: str
    address: str
    mac: str
    floating: str = ""
    own: bool = True


class Attachment(msgspec.Struct, kw_only=True):
    """A volume at a server."""

    id: str
    volume_id: str
    device: str
    bdm_id: str
    delete_on_termination: bool = False
    tag: str | None = None


class Step(msgspec.Struct):
    """A change of state that is still to come, at its time."""

    at: float
    vm_state: str
    task_state: str | None
    power_state: int
    then: Callable[[Server], None] | None = None


class Server(msgspec.Struct, kw_only=True):
    """A server. Whoever changes one calls `Compute.touch` afterwards."""

    id: str
    name: str
    project_id: str
    user_id: str
    created: float
    updated: float
    flavor: Flavor
    image_id: str | None = None
    image_properties: dict[str, str] = {}
    key_name: str | None = None
    zone: str = ""
    pinned_zone: str | None = None
    host_id: str = ""
    hostname: str = ""
    vm_state: str = "active"
    task_state: str | None = None
    power_state: int = 1
    launched: float | None = None
    terminated: float | None = None
    metadata: dict[str, str] = {}
    tags: list[str] = []
    description: str | None = None
    locked: bool = False
    locked_reason: str | None = None
    security_groups: list[str] = []
    nics: list[Nic] = []
    volumes: list[Attachment] = []
    access_ipv4: str = ""
    access_ipv6: str = ""
    config_drive: str = ""
    disk_config: str = "MANUAL"
    user_data: str | None = None
    reservation_id: str = ""
    scheduler_hints: dict[str, Any] = {}
    fault: dict[str, Any] | None = None
    before_resize: Flavor | None = None
    state_before_resize: str = "active"
    actions: list[tuple[str, str, float]] = []
    steps: list[Step] = []
    overlay: dict[str, Any] = {}
    """Fields that the document shows instead of the true ones."""
    omit: frozenset[str] = frozenset()
    """Fields that the document does not show."""
    encoded: dict[tuple[int, bool, str], bytes] = {}
    """The document as bytes, by shape, detail and host name, until the server changes."""


class Quota(msgspec.Struct, kw_only=True):
    """What a project may have; -1 for any number. `ram` in MiB."""

    instances: int = 1000
    cores: int = 4000
    ram: int = 4_000_000
    key_pairs: int = 100


class Compute:
    """Flavors, servers and keypairs of one region.

    Attributes:
        max_version: The highest minor microversion that is offered.
        flavors: By id, in the order of their lists.
        servers: By id.
        keypairs: By user id and name.
        zones: The names of the availability zones.
        quotas: By project id.
        deleted: The latest servers that are gone.
        revision: Grows whenever the set of servers changes.
    """

    def __init__(self) -> None:
        self.max_version = 100
        self.flavors: dict[str, Flavor] = {}
        self.servers: dict[str, Server] = {}
        self.keypairs: dict[str, dict[str, Keypair]] = {}
        self.zones: list[str] = []
        self.quotas: dict[str, Quota] = {}
        self.deleted: deque[Server] = deque(maxlen=200)
        self.revision = 0
        self._busy: dict[str, Server] = {}
        self._newest: tuple[int, list[Server]] = (-1, [])

    def add(self, server: Server) -> None:
        """Take a new server in."""
        self.servers[server.id] = server
        self.revision += 1

    def remove(self, server: Server, now: float) -> None:
        """Let a server be gone; lists of changes still show it."""
        self.servers.pop(server.id, None)
        self._busy.pop(server.id, None)
        self.revision += 1
        server.terminated = now
        server.vm_state, server.task_state, server.power_state = "deleted", None, 0
        server.nics = []
        self.touch(server, now)
        self.deleted.append(server)

    def touch(self, server: Server, now: float) -> None:
        """Note that a server changed."""
        server.updated = now
        server.encoded = {}

    def schedule(self, server: Server, steps: list[Step]) -> None:
        """Let a server change by itself later on."""
        server.steps = steps
        self._busy[server.id] = server

    def advance(self, now: float) -> None:
        """Bring all servers to the state that is due; cheap when nothing is."""
        for server in list(self._busy.values()) if self._busy else ():
            while server.steps and server.steps[0].at <= now:
                step = server.steps.pop(0)
                server.vm_state, server.task_state = step.vm_state, step.task_state
                server.power_state = step.power_state
                if step.then is not None:
                    step.then(server)
                self.touch(server, step.at)
            if not server.steps:
                self._busy.pop(server.id, None)

    def newest_first(self) -> list[Server]:
        """All servers in the order in which nova lists them."""
        revision, servers = self._newest
        if revision != self.revision:
            servers = sorted(self.servers.values(), key=lambda s: (s.created, s.id), reverse=True)
            self._newest = (self.revision, servers)
        return servers

    def quota(self, project_id: str) -> Quota:
        """What a project may have."""
        return self.quotas.setdefault(project_id, Quota())

    def keys_of(self, user_id: str) -> dict[str, Keypair]:
        """The keypairs of a user by name."""
        return self.keypairs.setdefault(user_id, {})
