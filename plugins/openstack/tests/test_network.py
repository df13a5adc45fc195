"""Networks, subnets, interfaces, addresses and firewalls over the wire, with what they cost."""

from contextlib import contextmanager

import anyio
import anyio.to_thread
import msgspec
import pytest

from anabranch.errors import (
    CloudUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    QuotaExceeded,
)
from anabranch.models import (
    AddressSpec,
    FirewallSpec,
    Listener,
    LoadBalancerSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    NetworkState,
    RuleSource,
    SubnetSpec,
)
from anabranch.testing.simulation import Behaviour
from anabranch_openstack import driver

NOBODY = "00000000-0000-0000-0000-000000000000"
COLLECTIONS = ("network", "subnet", "network_interface", "firewall")
LISTS = ("networks", "subnets", "network_interfaces", "addresses", "firewalls")
MANY = RuleSource(cidr="192.0.2.0/24")


@contextmanager
def costs(simulated, *lines):
    """The requests of the block: method, and the end of the path."""
    before = len(simulated.requests)
    yield
    asked = list(simulated.requests)[before:]
    assert [r.method for r in asked] == [line.split()[0] for line in lines], asked
    for request, line in zip(asked, lines, strict=True):
        assert request.path.endswith(line.split()[1].rstrip("*")), asked


def neutron(simulated):
    return simulated.state.regions["RegionOne"].networks


async def network(cloud, name="private"):
    return next(n for n in (await driver.list_networks(cloud, None)).items if n.name == name)


async def instances(cloud):
    return [i.id for i in (await driver.list_instances(cloud, None, {})).items]


async def without_address(cloud):
    """An instance that no address leads to."""
    taken = {a.instance_id for a in (await driver.list_addresses(cloud, None)).items}
    return next(i for i in await instances(cloud) if i not in taken)


async def everything(listing, cloud):
    found, cursor = [], None
    while True:
        page = await listing(cloud, cursor)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return found


# ------------------------------------------------------------------------------------------ lists


async def test_what_lists_cost(served):
    async with served(instances=5) as (simulated, cloud, _):
        await driver.check(cloud)
        for name, paths in {
            "networks": ("/subnets", "/networks"),
            "subnets": ("/subnets",),
            "network_interfaces": ("/ports",),
            "addresses": ("/floatingips",),
            "firewalls": ("/security-groups",),
        }.items():
            with costs(simulated, *(f"GET {path}" for path in paths)):
                page = await getattr(driver, f"list_{name}")(cloud, None)
            assert page.items
            assert not page.problems


@pytest.mark.parametrize("name", LISTS)
async def test_pages_follow_one_another(served, name):
    async with served(instances=9, entry={"page_size": 2}) as (simulated, cloud, _):
        for index in range(3):
            await driver.create_network(
                cloud, NetworkSpec(name=f"n{index}", address_block="10.7.0.0/24")
            )
            await driver.create_firewall(cloud, FirewallSpec(name=f"f{index}"))
        found = await everything(getattr(driver, f"list_{name}"), cloud)
        assert len(found) == len({item.id for item in found}) > 2
        simulated.behaviour = Behaviour(page_size=1)
        again = await everything(getattr(driver, f"list_{name}"), cloud)
        assert {item.id for item in again} == {item.id for item in found}


async def test_one_of_each(served):
    async with served(instances=1) as (_, cloud, _url):
        for name in (*COLLECTIONS, "address"):
            plural = "addresses" if name == "address" else f"{name}s"
            listed = (await getattr(driver, f"list_{plural}")(cloud, None)).items[0]
            found = await getattr(driver, f"get_{name}")(cloud, listed.id)
            assert msgspec.structs.replace(found, extra=listed.extra) == listed
            for ident in (NOBODY, "no/such thing"):
                with pytest.raises(NotFound):
                    await getattr(driver, f"get_{name}")(cloud, ident)
                with pytest.raises(NotFound):
                    await getattr(driver, f"destroy_{name}")(cloud, ident)


ODD = {
    "name": "<script>&\"'🚀" + "n" * 300,
    "status": "TRANSMOGRIFYING",
    "subnets": None,
    "fixed_ips": [],
    "mac_address": 7,
    "gateway_ip": None,
    "security_group_rules": [{"id": "r", "port_range_min": "many"}],
    "port_details": "none",
    "x-vendor": {"deep": [1]},
}


@pytest.mark.parametrize("name", LISTS)
async def test_odd_items_spoil_no_list(served, name):
    async with served(instances=5) as (simulated, cloud, _):
        listing = getattr(driver, f"list_{name}")
        whole = (await listing(cloud, None)).items
        neutron(simulated).overlays = {
            whole[0].id: ODD,
            whole[1].id: {"id": None, "floating_ip_address": None, "network_id": None},
        }
        page = await listing(cloud, None)
        assert {i.id for i in page.items} >= {i.id for i in whole} - {whole[1].id}
        odd = next(i for i in page.items if i.id == whole[0].id)
        assert odd.name.startswith("<script>") or name == "addresses"
        assert [p for p in page.problems if "odd" in p.message]


@pytest.mark.filterwarnings("ignore::Warning")  # requests leaves its pools to the gc
async def test_as_openstacksdk_sees_it(served, network_lists):
    async with served(instances=9) as (simulated, cloud, url):
        inner = await network(cloud)
        web = Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080)
        for name in ("one", "two"):
            await driver.create_load_balancer(
                cloud, LoadBalancerSpec(name=name, listeners=(web,), network_id=inner.id)
            )
        simulated.behaviour = Behaviour(page_size=3)
        entry = {k: v for k, v in simulated.settings(url).items() if k != "driver"}

        def ask():
            openstack = pytest.importorskip("openstack")
            with openstack.connect(**entry, load_yaml_config=False, load_envvars=False) as sdk:
                return network_lists.theirs(sdk)

        expected = await anyio.to_thread.run_sync(ask)
        assert await network_lists.ours(cloud) == expected
        assert all(expected.values())


# --------------------------------------------------------------------------- networks and subnets


async def test_what_networks_tell(served):
    async with served(instances=1) as (_, cloud, _url):
        public, private = await network(cloud, "public"), await network(cloud)
        assert (public.external, private.external) == (True, False)
        assert (public.address_blocks, public.state) == (("203.0.113.0/24",), NetworkState.UP)
        kinds = {s.name: s.kind for s in (await driver.list_subnets(cloud, None)).items}
        assert kinds == {"public-v4": "PUBLIC", "private-v4": "PRIVATE"}


async def test_the_life_of_a_network(served):
    async with served(instances=1) as (simulated, cloud, _):
        await driver.check(cloud)
        with costs(simulated, "POST /networks"):
            bare = await driver.create_network(cloud, NetworkSpec(name="bare"))
        assert (bare.subnet_ids, bare.address_blocks) == ((), ())
        wanted = SubnetSpec(network_id=bare.id, address_block="10.8.0.7/24", name="s")
        with costs(simulated, "POST /subnets"):
            subnet = await driver.create_subnet(cloud, wanted)
        assert (subnet.address_block, subnet.gateway) == ("10.8.0.0/24", "10.8.0.1")
        six = await driver.create_subnet(
            cloud, SubnetSpec(network_id=bare.id, address_block="2001:db8::/64")
        )
        with costs(simulated, f"GET /networks/{bare.id}", "GET /subnets"):
            found = await driver.get_network(cloud, bare.id)
        assert set(found.subnet_ids) == {subnet.id, six.id}
        assert set(found.address_blocks) == {"10.8.0.0/24", "2001:db8::/64"}
        with costs(simulated, f"DELETE /subnets/{subnet.id}"):
            await driver.destroy_subnet(cloud, subnet.id)
        with costs(simulated, f"DELETE /networks/{bare.id}"):
            await driver.destroy_network(cloud, bare.id)
        with pytest.raises(NotFound):
            await driver.get_subnet(cloud, six.id)


async def test_a_network_with_a_block_gets_a_subnet(served):
    async with served(instances=1) as (simulated, cloud, _):
        await driver.check(cloud)
        with costs(simulated, "POST /networks", "POST /subnets"):
            made = await driver.create_network(
                cloud, NetworkSpec(name="n", address_block="10.9.0.0/24")
            )
        found = await driver.get_network(cloud, made.id)
        assert (found.address_blocks, found.subnet_ids) == (("10.9.0.0/24",), made.subnet_ids)


async def test_no_network_is_left_half_made(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        spec = NetworkSpec(name="half", address_block="10.9.0.0/24")
        with pytest.raises(InvalidRequest, match="no CIDR block"):
            await driver.create_network(cloud, NetworkSpec(name="half", address_block="10.9/33"))
        neutron(simulated).limits["subnet"] = 1
        with pytest.raises(QuotaExceeded):
            await driver.create_network(cloud, spec)
        neutron(simulated).limits["subnet"] = 100
        simulated.behaviour.break_with(["503x1:/subnets"])
        with pytest.raises(CloudUnavailable):
            await driver.create_network(cloud, spec)
        simulated.behaviour.break_with(["hang:POST /subnets"])
        with anyio.move_on_after(0.3) as scope:
            await driver.create_network(cloud, spec)
        assert scope.cancelled_caught
        assert [n.name for n in neutron(simulated).networks.values()] == ["public", "private"]


async def test_what_neutron_refuses(served):
    async with served(instances=1) as (_, cloud, _url):
        private, public = await network(cloud), await network(cloud, "public")
        for block, kind in (("10.10.3.0/24", InvalidRequest), ("bogus", InvalidRequest)):
            with pytest.raises(kind):
                await driver.create_subnet(
                    cloud, SubnetSpec(network_id=private.id, address_block=block)
                )
        with pytest.raises(PermissionDenied):
            await driver.create_subnet(
                cloud, SubnetSpec(network_id=public.id, address_block="10.1.0.0/24")
            )
        with pytest.raises(NotFound):
            await driver.create_subnet(
                cloud, SubnetSpec(network_id=NOBODY, address_block="10.1.0.0/24")
            )
        with pytest.raises(NotFound, match="AvailabilityZone nowhere"):
            await driver.create_network(cloud, NetworkSpec(name="n", realm_id="nowhere"))
        with pytest.raises(PermissionDenied):
            await driver.destroy_network(cloud, public.id)
        with pytest.raises(Conflict):
            await driver.destroy_network(cloud, private.id)
        with pytest.raises(Conflict):
            await driver.destroy_subnet(cloud, private.subnet_ids[0])


# ---------------------------------------------------------------------------- network interfaces


async def test_the_life_of_a_network_interface(served):
    async with served(instances=1) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        made = await driver.create_network(
            cloud, NetworkSpec(name="n", address_block="10.9.0.0/24")
        )
        spec = NetworkInterfaceSpec(
            instance_id=instance,
            network_id=made.id,
            subnet_id=made.subnet_ids[0],
            name="eth1",
            ip_address="10.9.0.77",
        )
        with costs(simulated, "POST /ports", "POST /os-interface", "GET *"):
            port = await driver.create_network_interface(cloud, spec)
        assert (port.name, port.instance_id, port.state) == ("eth1", instance, NetworkState.UP)
        assert (port.ip_addresses, port.network_id) == (("10.9.0.77",), made.id)
        assert (port.subnet_id, len(port.firewall_ids)) == (made.subnet_ids[0], 1)
        addresses = (await driver.get_instance(cloud, instance)).private_addresses
        assert "10.9.0.77" in {a.address for a in addresses}
        with costs(
            simulated,
            f"GET /ports/{port.id}",
            f"DELETE /os-interface/{port.id}",
            f"GET /ports/{port.id}",
            f"DELETE /ports/{port.id}",
        ):
            await driver.destroy_network_interface(cloud, port.id)
        with pytest.raises(NotFound):
            await driver.get_network_interface(cloud, port.id)
        addresses = (await driver.get_instance(cloud, instance)).private_addresses
        assert "10.9.0.77" not in {a.address for a in addresses}


async def test_an_interface_that_nova_made_goes_with_its_detachment(served):
    async with served(instances=1) as (_, cloud, _url):
        (instance,) = await instances(cloud)
        ports = (await driver.list_network_interfaces(cloud, None)).items
        (own,) = [p for p in ports if p.instance_id == instance]
        await driver.destroy_network_interface(cloud, own.id)
        assert (await driver.get_instance(cloud, instance)).private_addresses == ()


async def test_interfaces_of_routers_belong_to_no_instance(served):
    async with served(instances=1) as (_, cloud, _url):
        ports = (await driver.list_network_interfaces(cloud, None)).items
        (router,) = [p for p in ports if p.extra["device_owner"] == "network:router_interface"]
        assert router.instance_id is None
        with pytest.raises(Conflict, match="one of network:router_interface, not of an instance"):
            await driver.destroy_network_interface(cloud, router.id)


async def test_an_interface_whose_instance_is_gone_is_not_waited_for(served):
    """Neutron lets administrators alone delete it, and says so at once."""
    async with served(instances=1) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        private = await network(cloud)
        spec = NetworkInterfaceSpec(instance_id=instance, network_id=private.id)
        port = await driver.create_network_interface(cloud, spec)
        record = neutron(simulated).ports[port.id]
        record.device_id, record.device_owner = NOBODY, "compute:az-a"
        path = f"/ports/{port.id}"
        wanted = (f"GET {path}", f"DELETE /os-interface/{port.id}", f"DELETE {path}")
        with costs(simulated, *wanted), pytest.raises(PermissionDenied):
            await driver.destroy_network_interface(cloud, port.id)


@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_no_interface_is_left_half_made(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        private = await network(cloud)
        before = set(neutron(simulated).ports)
        spec = NetworkInterfaceSpec(instance_id=NOBODY, network_id=private.id)
        with pytest.raises(NotFound):
            await driver.create_network_interface(cloud, spec)
        (instance,) = await instances(cloud)
        spec = NetworkInterfaceSpec(instance_id=instance, network_id=private.id)
        simulated.behaviour.break_with(["resetx1:POST /os-interface"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_network_interface(cloud, spec)
        simulated.behaviour.break_with(["hang:POST /os-interface"])
        with anyio.move_on_after(0.3) as scope:
            await driver.create_network_interface(cloud, spec)
        assert scope.cancelled_caught
        assert set(neutron(simulated).ports) == before


@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_an_interface_whose_attaching_was_only_not_told_stays(served):
    async with served(instances=1, entry={"retries": 0}) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        private = await network(cloud)
        spec = NetworkInterfaceSpec(instance_id=instance, network_id=private.id, name="eth1")
        simulated.behaviour.break_with(["lostx1:POST /os-interface"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_network_interface(cloud, spec)
        ports = (await driver.list_network_interfaces(cloud, None)).items
        assert [p.instance_id for p in ports if p.name == "eth1"] == [instance]


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"network_id": NOBODY}, NotFound),
        ({"subnet_id": NOBODY}, NotFound),
        ({"ip_address": "192.0.2.1"}, InvalidRequest),
        ({"ip_address": "10.10.0.1"}, Conflict),
    ],
)
async def test_interfaces_that_neutron_does_not_make(served, fields, kind):
    async with served(instances=1) as (_, cloud, _url):
        (instance,) = await instances(cloud)
        private = await network(cloud)
        spec = NetworkInterfaceSpec(**{"instance_id": instance, "network_id": private.id, **fields})
        with pytest.raises(kind):
            await driver.create_network_interface(cloud, spec)


# ------------------------------------------------------------------------------------- addresses


async def test_the_list_tells_where_an_address_leads(served):
    async with served(instances=5) as (_, cloud, _url):
        found = (await driver.list_addresses(cloud, None)).items
        for address in found:
            instance = await driver.get_instance(cloud, address.instance_id)
            assert address.ip in {a.address for a in instance.public_addresses}
            assert address.private_ip in {a.address for a in instance.private_addresses}
            port = await driver.get_network_interface(cloud, address.network_interface_id)
            assert port.instance_id == instance.id


async def test_the_life_of_an_address(served):
    async with served(instances=2) as (simulated, cloud, _):
        free = await without_address(cloud)
        pool = await network(cloud, "public")
        with costs(simulated, "POST /floatingips"):
            made = await driver.create_address(cloud, AddressSpec(network_id=pool.id))
        assert (made.network_id, made.associated, made.name) == (pool.id, False, made.ip)
        path = f"/floatingips/{made.id}"
        with costs(simulated, f"GET {path}", "GET /ports", f"PUT {path}"):
            led = await driver.associate_address(cloud, made.id, free)
        assert (led.instance_id, led.ip) == (free, made.ip)
        with costs(simulated, f"GET {path}"):
            assert (await driver.associate_address(cloud, made.id, free)).instance_id == free
        with costs(simulated, f"GET {path}"), pytest.raises(Conflict, match="Disassociate it"):
            await driver.destroy_address(cloud, made.id)
        other = next(i for i in await instances(cloud) if i != free)
        with pytest.raises(Conflict, match=f"leads to instance {free}"):
            await driver.associate_address(cloud, made.id, other)
        with costs(simulated, f"PUT {path}"):
            loose = await driver.disassociate_address(cloud, made.id)
        assert not loose.associated
        assert not (await driver.disassociate_address(cloud, made.id)).associated
        with costs(simulated, f"GET {path}", f"DELETE {path}"):
            await driver.destroy_address(cloud, made.id)


async def test_where_addresses_come_from(served):
    async with served(instances=1) as lisbon:
        simulated, cloud = lisbon.simulated, lisbon.cloud
        await driver.check(cloud)
        with costs(simulated, "GET /networks", "POST /floatingips"):
            made = await driver.create_address(cloud, AddressSpec())
        store = neutron(simulated)
        assert store.networks[made.network_id].external
        inner = await network(cloud)
        with pytest.raises(InvalidRequest, match="not a valid external network"):
            await driver.create_address(cloud, AddressSpec(network_id=inner.id))
        with pytest.raises(NotFound):
            await driver.create_address(cloud, AddressSpec(network_id=NOBODY))
        second = msgspec.structs.replace(store.networks[made.network_id], id=NOBODY, name="two")
        store.networks[NOBODY] = second
        with pytest.raises(InvalidRequest, match=r"several external networks: .*two.*default_addr"):
            await driver.create_address(cloud, AddressSpec())
        configured = lisbon.again(default_address_network=made.network_id)
        with costs(simulated, "POST /tokens", "POST /floatingips"):
            assert (await driver.create_address(configured, AddressSpec())).ip
        await configured.aclose()
        store.networks = {k: n for k, n in store.networks.items() if not n.external}
        with pytest.raises(InvalidRequest, match="sees no external network"):
            await driver.create_address(cloud, AddressSpec())


async def test_addresses_run_out(served):
    async with served(instances=1) as (simulated, cloud, _):
        neutron(simulated).limits["floatingip"] = 1
        with pytest.raises(QuotaExceeded):
            await driver.create_address(cloud, AddressSpec())


async def test_an_address_finds_the_network_that_it_can_reach(served):
    async with served(instances=2) as (simulated, cloud, _):
        free = await without_address(cloud)
        address = await driver.create_address(cloud, AddressSpec())
        (server,) = [s for s in simulated.servers if s.id == free]
        apart = await driver.create_network(
            cloud, NetworkSpec(name="apart", address_block="10.9.0.0/24")
        )
        spec = NetworkInterfaceSpec(instance_id=free, network_id=apart.id)
        port = await driver.create_network_interface(cloud, spec)
        server.nics.reverse()
        led = await driver.associate_address(cloud, address.id, free)
        assert led.network_interface_id != port.id
        await driver.disassociate_address(cloud, address.id)
        await driver.destroy_network_interface(cloud, led.network_interface_id)
        with pytest.raises(InvalidRequest, match=r"not reachable from subnet.*by a router"):
            await driver.associate_address(cloud, address.id, free)
        await driver.destroy_network_interface(cloud, port.id)
        with pytest.raises(Conflict, match="has no address on any network"):
            await driver.associate_address(cloud, address.id, free)
        with pytest.raises(NotFound):
            await driver.associate_address(cloud, address.id, NOBODY)


async def test_an_instance_that_has_an_address_already(served):
    async with served(instances=1) as (_, cloud, _url):
        (instance,) = await instances(cloud)
        second = await driver.create_address(cloud, AddressSpec())
        with pytest.raises(Conflict, match="already has a floating IP"):
            await driver.associate_address(cloud, second.id, instance)


async def test_an_old_neutron_tells_the_interface_alone(served):
    async with served(instances=1) as (simulated, cloud, _):
        (address,) = (await driver.list_addresses(cloud, None)).items
        neutron(simulated).overlays = {address.id: {"port_details": None}}
        (told,) = (await driver.list_addresses(cloud, None)).items
        assert (told.instance_id, told.associated) == (None, True)
        assert told.network_interface_id == address.network_interface_id
        (instance,) = await instances(cloud)
        before = simulated.requests.count(f"/floatingips/{address.id}", "PUT")
        again = await driver.associate_address(cloud, address.id, instance)
        assert again.network_interface_id == address.network_interface_id
        assert simulated.requests.count(f"/floatingips/{address.id}", "PUT") == before
