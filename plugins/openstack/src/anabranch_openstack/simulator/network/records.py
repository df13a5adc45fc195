"""What neutron remembers."""

from __future__ import annotations

import ipaddress
import secrets

import msgspec

from anabranch_openstack.simulator.compute.records import Nic
from anabranch_openstack.simulator.wire import Document

__all__ = ["FloatingIp", "Network", "Networks", "Port", "Router", "Subnet"]


class Network(msgspec.Struct, kw_only=True):
    """A network."""

    id: str
    name: str
    project_id: str
    created: float
    external: bool = False
    shared: bool = False
    description: str = ""
    mtu: int = 1450


class Subnet(msgspec.Struct, kw_only=True):
    """A range of addresses in a network; `used` counts those that were given away."""

    id: str
    name: str
    project_id: str
    network_id: str
    cidr: str
    created: float
    gateway: str | None = None
    dns: list[str] = []
    dhcp: bool = True
    used: int = 1


class Port(msgspec.Struct, kw_only=True):
    """A port that nova did not make; nova's own are read off the servers.

    `device_owner` is set for those of routers and load balancers; a server's tells its own.
    """

    id: str
    name: str
    project_id: str
    network_id: str
    subnet_id: str
    address: str
    mac: str
    created: float
    device_id: str = ""
    device_owner: str = ""
    security_groups: list[str] = []
    description: str = ""


class Router(msgspec.Struct, kw_only=True):
    """A router; its interfaces are ports."""

    id: str
    name: str
    project_id: str
    created: float
    gateway_network_id: str = ""
    gateway_address: str = ""


class FloatingIp(msgspec.Struct, kw_only=True):
    """A floating IP; `fixed` is the address of the port that it leads to."""

    id: str
    project_id: str
    address: str
    network_id: str
    created: float
    port_id: str = ""
    fixed: str = ""
    router_id: str = ""
    status: str = "DOWN"
    description: str = ""


class Networks:
    """What neutron knows of one region, by id.

    Attributes:
        limits: How many of each kind a project may have; -1: as many as it likes.
        overlays: By id, what a document says instead: for tests with odd data.
    """

    def __init__(self) -> None:
        self.networks: dict[str, Network] = {}
        self.subnets: dict[str, Subnet] = {}
        self.ports: dict[str, Port] = {}
        self.groups: dict[str, Document] = {}
        self.routers: dict[str, Router] = {}
        self.floating_ips: dict[str, FloatingIp] = {}
        self.limits = {
            "network": 100,
            "subnet": 100,
            "subnetpool": -1,
            "port": 2000,
            "router_route": 30,
            "router": 10,
            "floatingip": 200,
            "rbac_policy": 10,
            "security_group": 100,
            "security_group_rule": 1000,
        }
        self.overlays: dict[str, Document] = {}
        self._claimed: set[tuple[str, str]] = set()

    def visible(self, network_id: str, project_id: str) -> Network | None:
        """A network, if the project may see it."""
        network = self.networks.get(network_id)
        return network if network is not None and self.sees(network, project_id) else None

    def sees(self, network: Network, project_id: str) -> bool:
        """Whether a project may see a network."""
        return network.project_id == project_id or network.shared or network.external

    def usable(self, project_id: str) -> list[Network]:
        """The networks that servers of a project may be connected to."""
        return [
            n
            for n in self.networks.values()
            if not n.external and (n.project_id == project_id or n.shared)
        ]

    def first_subnet(self, network_id: str) -> Subnet | None:
        """The subnet that addresses are taken from."""
        return next((s for s in self.subnets.values() if s.network_id == network_id), None)

    def free_address(self, subnet: Subnet) -> str:
        """An address that was not given away yet."""
        while True:
            subnet.used += 1
            address = str(ipaddress.ip_network(subnet.cidr)[subnet.used])
            if (subnet.id, address) not in self._claimed:
                return address

    def claim(self, subnet: Subnet, address: str) -> str:
        """Give away the address that somebody wishes."""
        self._claimed.add((subnet.id, address))
        return address

    def gateway_between(self, subnet_id: str, network_id: str) -> Router | None:
        """The router by which a subnet is reached from an external network."""
        for port in self.ports.values():
            if port.device_owner == "network:router_interface" and port.subnet_id == subnet_id:
                router = self.routers.get(port.device_id)
                if router is not None and router.gateway_network_id == network_id:
                    return router
        return None

    def free_mac(self) -> str:
        """A hardware address."""
        return "fa:16:3e:" + secrets.token_bytes(3).hex(":")

    def find_group(self, name: str, project_id: str) -> Document | None:
        """A security group of a project's, by name or id."""
        for group in self.groups.values():
            if group["project_id"] == project_id and name in (group["id"], group["name"]):
                return group
        return None

    def take_port(self, port_id: str, server_id: str) -> Nic | None:
        """Connect a free port with a server."""
        port = self.ports.get(port_id)
        if port is None or port.device_id:
            return None
        port.device_id = server_id
        return Nic(
            port_id=port.id,
            network_id=port.network_id,
            network=self.networks[port.network_id].name,
            subnet_id=port.subnet_id,
            address=port.address,
            mac=port.mac,
            own=False,
        )

    def give_back(self, nic: Nic) -> None:
        """Disconnect a port from its server."""
        if nic.port_id in self.ports:
            self.ports[nic.port_id].device_id = ""

    def release(self, server_id: str) -> None:
        """Free the ports of a server that is gone."""
        for port in self.ports.values():
            if port.device_id == server_id:
                port.device_id = ""
