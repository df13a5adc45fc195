import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from anabranch import Broker, Configuration, PluginRegistry
from anabranch.cloud import Cloud, Response
from anabranch.testing.simulation import serve
from anabranch_openstack import driver
from anabranch_openstack.simulator import simulator

_EXCHANGES: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "exchanges.json").read_text()
)


class Captured(NamedTuple):
    """What a real service answered; see /docs of the protocol."""

    reply: Response
    body: Any

    def raw(self, *keys: str | int) -> msgspec.Raw:
        found = self.body
        for key in keys:
            found = found[key]
        return msgspec.Raw(json.dumps(found).encode())


@pytest.fixture(scope="session")
def captured() -> Callable[[str], Captured]:
    def find(label: str) -> Captured:
        found = _EXCHANGES[label]
        body = found["body"]
        content = body if isinstance(body, str) else json.dumps(body)
        return Captured(Response(found["status"], found["headers"], content.encode()), body)

    return find


class Served(NamedTuple):
    """A simulated cloud, and the cloud that the driver sees of it."""

    simulated: Any
    cloud: Cloud[Any]
    url: str

    def again(self, **changes: Any) -> Cloud[Any]:
        """The same cloud configured in another way; not closed by anybody."""
        entry = {**self.simulated.settings(self.url), **changes}
        return Cloud(self.simulated.name, driver.configure(self.simulated.name, entry, {}))


@pytest.fixture
def served():
    @asynccontextmanager
    async def serving(entry: dict[str, Any] | None = None, **options: Any):
        simulated = simulator.cloud("lisbon", **options)
        with serve([simulated]) as urls:
            url = urls["lisbon"]
            settings = driver.configure("lisbon", {**simulated.settings(url), **(entry or {})}, {})
            cloud: Cloud[Any] = Cloud("lisbon", settings)
            try:
                yield Served(simulated, cloud, url)
            finally:
                await cloud.aclose()

    return serving


async def _everything(listing: Callable[..., Any], cloud: Cloud[Any]) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = await listing(cloud, cursor)
        assert not page.problems
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


class NetworkLists:
    """What neutron and octavia list, in one form: as openstacksdk reads it, and as we do."""

    def theirs(self, connection):
        net = connection.network
        return {
            "networks": {(n.id, n.name, n.is_router_external, n.is_shared) for n in net.networks()},
            "subnets": {(s.id, s.name, s.cidr, s.gateway_ip, s.network_id) for s in net.subnets()},
            "interfaces": {
                (
                    p.id,
                    p.name,
                    p.mac_address,
                    p.network_id,
                    tuple(f["ip_address"] for f in p.fixed_ips),
                    p.device_id if p.device_owner.startswith("compute:") else None,
                )
                for p in net.ports()
            },
            "addresses": {
                (f.id, f.floating_ip_address, f.fixed_ip_address, f.port_id, f.floating_network_id)
                for f in net.ips()
            },
            "firewalls": {
                (g.id, g.name, g.description, frozenset(r["id"] for r in g.security_group_rules))
                for g in net.security_groups()
            },
            "balancers": {
                (b.id, b.name, b.vip_address, b.provisioning_status)
                for b in connection.load_balancer.load_balancers()
            },
        }

    async def ours(self, cloud):
        return {
            "networks": {
                (n.id, n.name, n.external, n.shared)
                for n in await _everything(driver.list_networks, cloud)
            },
            "subnets": {
                (s.id, s.name, s.address_block, s.gateway, s.network_id)
                for s in await _everything(driver.list_subnets, cloud)
            },
            "interfaces": {
                (p.id, p.name, p.mac_address, p.network_id, p.ip_addresses, p.instance_id)
                for p in await _everything(driver.list_network_interfaces, cloud)
            },
            "addresses": {
                (a.id, a.ip, a.private_ip, a.network_interface_id, a.network_id)
                for a in await _everything(driver.list_addresses, cloud)
            },
            "firewalls": {
                (f.id, f.name, f.description, frozenset(r.id for r in f.rules))
                for f in await _everything(driver.list_firewalls, cloud)
            },
            "balancers": {
                (b.id, b.name, *b.public_addresses, b.platform_state.partition("/")[0])
                for b in await _everything(driver.list_load_balancers, cloud)
            },
        }


@pytest.fixture
def network_lists() -> NetworkLists:
    return NetworkLists()


@pytest.fixture
async def brokers():
    """Makes brokers that know one simulated cloud, under the name of lisbon."""
    made: list[Broker] = []

    def make(served: Served, **settings: Any) -> Broker:
        entry = {**served.simulated.settings(served.url), **settings}
        registry = PluginRegistry(drivers={"openstack": driver}, points=())
        made.append(Broker(Configuration(clouds={"lisbon": entry}), registry=registry))
        return made[-1]

    yield make
    for broker in made:
        await broker.aclose()
