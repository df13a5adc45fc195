"""Load balancers over the wire: one request makes one, and changes wait for their turn."""

from contextlib import contextmanager

import anyio
import msgspec
import pytest

from anabranch.errors import (
    Conflict,
    DeadlineExceeded,
    InvalidRequest,
    InvalidState,
    NotFound,
    OutcomeUnknown,
    QuotaExceeded,
)
from anabranch.models import (
    Listener,
    LoadBalancerSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    SubnetSpec,
)
from anabranch.testing.simulation import Behaviour
from anabranch_openstack import driver
from anabranch_openstack.catalog import LOAD_BALANCER
from anabranch_openstack.client import session

NOBODY = "00000000-0000-0000-0000-000000000000"
WEB = Listener(protocol="http", load_balancer_port=80, instance_port=8080)
TLS = Listener(protocol="TCP", load_balancer_port=443, instance_port=8443)
SPEC = LoadBalancerSpec(name="front", listeners=(WEB, TLS))


@contextmanager
def costs(simulated, *lines):
    """The requests of the block: method, and the end of the path; in sets, what comes at once."""
    before = len(simulated.requests)
    yield
    asked = list(simulated.requests)[before:]
    for line in lines:
        together = line if isinstance(line, frozenset) else {line}
        here, asked = asked[: len(together)], asked[len(together) :]
        for wanted in together:
            method, path = wanted.split()
            assert [r for r in here if r.method == method and r.path.endswith(path)], (line, here)
    assert not asked


def octavia(simulated):
    return simulated.state.regions["RegionOne"].balancers.balancers


class Ticking:
    """A clock by which every request takes a second: what is pending is done after some."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        self.now += 1
        return self.now


async def network(cloud, name="private"):
    return next(n for n in (await driver.list_networks(cloud, None)).items if n.name == name)


async def instances(cloud):
    return [i.id for i in (await driver.list_instances(cloud, None, {})).items]


async def balancer(cloud, **fields):
    if "network_id" not in fields:
        fields["network_id"] = (await network(cloud)).id
    return await driver.create_load_balancer(cloud, msgspec.structs.replace(SPEC, **fields))


async def test_one_request_makes_all_of_it(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=30)) as (simulated, cloud, _):
        inner = await network(cloud)
        spec = msgspec.structs.replace(SPEC, network_id=inner.id)
        with costs(simulated, "POST /loadbalancers"):
            made = await driver.create_load_balancer(cloud, spec)
        assert (made.name, made.platform_state) == ("front", "PENDING_CREATE/OFFLINE")
        assert made.listeners == (msgspec.structs.replace(WEB, protocol="HTTP"), TLS)
        assert len(made.public_addresses) == 1
        assert made.created_at.tzinfo is not None
        path = f"/loadbalancers/{made.id}"
        with costs(simulated, frozenset({f"GET {path}", "GET /listeners", f"GET {path}/status"})):
            found = await driver.get_load_balancer(cloud, made.id)
        assert msgspec.structs.replace(found, extra=made.extra) == made
        with costs(simulated, "GET /loadbalancers", "GET /listeners"):
            (listed,) = (await driver.list_load_balancers(cloud, None)).items
        assert msgspec.structs.replace(listed, extra=made.extra) == made


@pytest.mark.parametrize("held", [0, 1, 2])
async def test_the_parts_of_one_are_asked_for_at_once(served, held):
    async with served(instances=1) as (simulated, cloud, _):
        path = f"/loadbalancers/{(await balancer(cloud)).id}"
        paths = [path, "/listeners", f"{path}/status"]
        simulated.behaviour.break_with([f"hang:GET {paths.pop(held)}"])
        async with anyio.create_task_group() as group:
            group.start_soon(driver.get_load_balancer, cloud, path.rpartition("/")[2])
            with anyio.fail_after(5):
                while True:
                    asked = [r.path for r in simulated.requests if r.method == "GET"]
                    if all(any(p.endswith(other) for p in asked) for other in paths):
                        break
                    await anyio.sleep(0.01)
            group.cancel_scope.cancel()


async def test_nothing_is_asked_about_no_load_balancers(served):
    async with served(instances=1) as (simulated, cloud, _):
        await driver.check(cloud)
        with costs(simulated, "GET /loadbalancers"):
            assert not (await driver.list_load_balancers(cloud, None)).items


ODD = {
    "name": "<script>&\"'🚀" + "n" * 300,
    "provisioning_status": "TRANSMOGRIFYING",
    "created_at": "yesterday",
    "vip_address": None,
    "listeners": "many",
    "x-vendor": {"deep": [1]},
}


async def test_odd_items_spoil_no_list(served):
    async with served(instances=1) as (simulated, cloud, _):
        one, two, three = [(await balancer(cloud)).id for _ in range(3)]
        store = simulated.state.regions["RegionOne"].balancers
        store.overlays = {one: ODD, two: {"id": None}}
        page = await driver.list_load_balancers(cloud, None)
        assert [b.id for b in page.items] == [one, three]
        assert page.items[0].name.startswith("<script>")
        assert page.items[0].platform_state.startswith("TRANSMOGRIFYING")
        assert len([p for p in page.problems if "odd" in p.message]) == 2
        first = next(iter(octavia(simulated)[three].listeners))
        store.overlays = {first: {"id": None}}
        page = await driver.list_load_balancers(cloud, None)
        assert sorted(len(b.listeners) for b in page.items) == [1, 2, 2]


async def test_where_it_is_put(served):
    async with served(instances=1) as lisbon:
        simulated, cloud = lisbon.simulated, lisbon.cloud
        inner = await network(cloud)
        with costs(simulated, "GET /networks", "POST /loadbalancers"):
            made = await driver.create_load_balancer(cloud, SPEC)
        assert made.extra["vip_network_id"] == inner.id
        second = await driver.create_network(cloud, NetworkSpec(name="two"))
        subnet = await driver.create_subnet(
            cloud, SubnetSpec(network_id=second.id, address_block="10.9.0.0/24")
        )
        with costs(simulated, "POST /loadbalancers", "POST /loadbalancers"):
            made = await balancer(cloud, network_id=subnet.id)
        assert made.extra["vip_subnet_id"] == subnet.id
        with pytest.raises(InvalidRequest, match=r"several networks: .*set default_network"):
            await driver.create_load_balancer(cloud, SPEC)
        configured = lisbon.again(default_network=second.id)
        made = await driver.create_load_balancer(configured, SPEC)
        assert made.extra["vip_network_id"] == second.id
        await configured.aclose()
        with pytest.raises(InvalidRequest, match=f"Subnet {NOBODY} not found"):
            await balancer(cloud, network_id=NOBODY)


@pytest.mark.parametrize(
    ("fields", "kind", "text"),
    [
        ({"realm_id": "az-a"}, InvalidRequest, "Invalid availability zone"),
        ({"listeners": (WEB, WEB)}, InvalidRequest, "two listeners are for HTTP at port 80"),
        (
            {"listeners": (msgspec.structs.replace(WEB, protocol="GOPHER"),)},
            InvalidRequest,
            "should be one of",
        ),
        (
            {"listeners": (msgspec.structs.replace(WEB, load_balancer_port=70000),)},
            InvalidRequest,
            "lower or equal to 65535",
        ),
    ],
)
async def test_what_octavia_refuses(served, fields, kind, text):
    async with served(instances=1) as (simulated, cloud, _):
        with pytest.raises(kind, match=text):
            await balancer(cloud, **fields)
        assert not octavia(simulated)


async def test_quota(served):
    async with served(instances=1) as (simulated, cloud, _):
        simulated.state.regions["RegionOne"].balancers.limit = 0
        with pytest.raises(QuotaExceeded):
            await balancer(cloud)


@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_a_create_whose_answer_is_lost_is_not_sent_again(served):
    async with served(instances=1) as (simulated, cloud, _):
        inner = await network(cloud)
        simulated.behaviour.break_with(["lostx1:POST /loadbalancers"])
        with pytest.raises(OutcomeUnknown):
            await balancer(cloud, network_id=inner.id)
        assert simulated.requests.count("/loadbalancers", "POST") == 1


async def test_an_instance_joins_every_pool(served):
    async with served(instances=3) as (simulated, cloud, _):
        one, two, _three = await instances(cloud)
        made = await balancer(cloud)
        path = f"/loadbalancers/{made.id}"
        look = frozenset({f"GET {path}", "GET /listeners", f"GET {path}/status"})
        again = (frozenset({f"GET {path}", f"GET {path}/status"}), "GET /ports")
        join = ("POST /members", f"GET {path}")
        with costs(simulated, look, "GET /ports", *join, *join, *again):
            found = await driver.register_instance(cloud, made.id, one)
        assert found.instance_ids == (one,)
        assert found.platform_state == "ACTIVE/ONLINE"
        address = (await driver.get_instance(cloud, one)).private_addresses[0].address
        pools = octavia(simulated)[made.id].pools.values()
        members = [(m.address, m.port) for p in pools for m in p.members.values()]
        assert members == [(address, 8080), (address, 8443)]
        with costs(simulated, look, "GET /ports", *again):
            await driver.register_instance(cloud, made.id, one)
        found = await driver.register_instance(cloud, made.id, two)
        assert set(found.instance_ids) == {one, two}
        got = await driver.get_load_balancer(cloud, made.id)
        assert got.instance_ids == found.instance_ids


async def test_an_instance_leaves_every_pool(served):
    async with served(instances=2) as (simulated, cloud, _):
        one, two = await instances(cloud)
        made = await balancer(cloud)
        for instance in (one, two):
            await driver.register_instance(cloud, made.id, instance)
        left = await driver.unregister_instance(cloud, made.id, one)
        assert left.instance_ids == (two,)
        before = simulated.requests.count("/members", "DELETE")
        again = await driver.unregister_instance(cloud, made.id, one)
        assert again.instance_ids == (two,)
        assert simulated.requests.count("/members", "DELETE") == before
        await driver.destroy_instance(cloud, two)
        assert (await driver.get_load_balancer(cloud, made.id)).instance_ids == ()
        await driver.unregister_instance(cloud, made.id, two)
        pools = octavia(simulated)[made.id].pools.values()
        assert not [m for pool in pools for m in pool.members]


async def test_what_others_made(served):
    """No tags, one member of another port, and one that is no instance."""
    async with served(instances=1) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        address = (await driver.get_instance(cloud, instance)).private_addresses[0].address
        inner = await network(cloud)
        api = session(cloud)
        members = [
            {"address": a, "protocol_port": 9000, "name": "theirs"}
            for a in (address, "198.51.100.7")
        ]
        pool = {"name": "p", "protocol": "TCP", "lb_algorithm": "SOURCE_IP", "members": members}
        listeners = [
            {"protocol": "TCP", "protocol_port": 80, "default_pool": pool},
            {"protocol": "TCP", "protocol_port": 81},
        ]
        theirs = {"name": "", "vip_network_id": inner.id, "listeners": listeners}
        await api.request(LOAD_BALANCER, "POST", "/loadbalancers", body={"loadbalancer": theirs})
        (listed,) = (await driver.list_load_balancers(cloud, None)).items
        assert [x.instance_port for x in listed.listeners] == [80, 81]
        found = await driver.get_load_balancer(cloud, listed.id)
        assert [x.instance_port for x in found.listeners] == [9000, 81]
        assert found.instance_ids == (instance,)
        before = simulated.requests.count("/members", "POST")
        await driver.register_instance(cloud, listed.id, instance)
        assert simulated.requests.count("/members", "POST") == before
        left = await driver.unregister_instance(cloud, listed.id, instance)
        assert left.instance_ids == ()
        (kept,) = next(iter(octavia(simulated)[listed.id].pools.values())).members.values()
        assert kept.address == "198.51.100.7"


async def test_the_nearest_address_is_the_member(served):
    async with served(instances=1) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        apart = await driver.create_network(
            cloud, NetworkSpec(name="apart", address_block="10.9.0.0/24")
        )
        spec = NetworkInterfaceSpec(instance_id=instance, network_id=apart.id)
        port = await driver.create_network_interface(cloud, spec)
        made = await balancer(cloud, network_id=apart.id)
        await driver.register_instance(cloud, made.id, instance)
        pools = octavia(simulated)[made.id].pools.values()
        ends = {(m.address, m.subnet_id) for p in pools for m in p.members.values()}
        assert ends == {(port.ip_addresses[0], apart.subnet_ids[0])}


async def test_networks_with_the_same_addresses(served):
    """The member of one instance is not that of another one, which has the same address."""
    async with served(instances=2) as (simulated, cloud, _):
        one, two = await instances(cloud)
        wished = {}
        for instance in (one, two):
            apart = await driver.create_network(
                cloud, NetworkSpec(name="apart", address_block="10.9.0.0/24")
            )
            spec = NetworkInterfaceSpec(
                instance_id=instance, network_id=apart.id, ip_address="10.9.0.77"
            )
            await driver.create_network_interface(cloud, spec)
            wished[instance] = apart.id
        made = await balancer(cloud, network_id=wished[one])
        found = await driver.register_instance(cloud, made.id, one)
        assert found.instance_ids == (one,)
        left = await driver.unregister_instance(cloud, made.id, two)
        assert left.instance_ids == (one,)
        (pool, *_) = octavia(simulated)[made.id].pools.values()
        for member in pool.members.values():
            member.name = "theirs"
        assert (await driver.get_load_balancer(cloud, made.id)).instance_ids == (one,)
        address = (await driver.get_instance(cloud, two)).private_addresses[0].address
        assert address != "10.9.0.77"
        port = next(
            p
            for p in (await driver.list_network_interfaces(cloud, None)).items
            if p.instance_id == two and p.ip_addresses == (address,)
        )
        await driver.destroy_network_interface(cloud, port.id)
        with pytest.raises(Conflict, match=r"another instance .*10\.9\.0\.77"):
            await driver.register_instance(cloud, made.id, two)


async def test_changes_wait_for_their_turn(served):
    behaviour = Behaviour(state_delay=6)
    async with served(instances=1, behaviour=behaviour, clock=Ticking()) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        made = await balancer(cloud, listeners=(WEB,))
        simulated.behaviour = Behaviour(state_delay=2)
        found = await driver.register_instance(cloud, made.id, instance)
        assert (found.platform_state, found.instance_ids) == ("ACTIVE/ONLINE", (instance,))
        assert simulated.requests.count("/members", "POST") == 2
        (pool,) = octavia(simulated)[made.id].pools.values()
        assert len(pool.members) == 1
        left = await driver.unregister_instance(cloud, made.id, instance)
        assert left.instance_ids == ()


async def test_a_destroy_waits_for_its_turn_too(served):
    behaviour = Behaviour(state_delay=4)
    async with served(instances=1, behaviour=behaviour, clock=Ticking()) as (simulated, cloud, _):
        made = await balancer(cloud)
        await driver.destroy_load_balancer(cloud, made.id)
        assert octavia(simulated)[made.id].status == "PENDING_DELETE"
        assert simulated.requests.count("/loadbalancers", "DELETE") > 1
        path = f"/loadbalancers/{made.id}"
        with costs(simulated, f"DELETE {path}", f"GET {path}"):
            await driver.destroy_load_balancer(cloud, made.id)


async def test_a_register_that_was_cancelled_goes_on_when_asked_for_again(served):
    behaviour = Behaviour(state_delay=6)
    async with served(instances=1, behaviour=behaviour, clock=Ticking()) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        made = await balancer(cloud)
        simulated.behaviour = Behaviour(state_delay=1)
        with anyio.move_on_after(0.1) as scope:
            await driver.register_instance(cloud, made.id, instance)
        assert scope.cancelled_caught
        found = await driver.register_instance(cloud, made.id, instance)
        assert found.instance_ids == (instance,)
        members = [len(p.members) for p in octavia(simulated)[made.id].pools.values()]
        assert members == [1, 1]


async def test_waiting_has_a_deadline(served):
    entry = {"load_balancer_timeout": 0.3}
    behaviour = Behaviour(state_delay=60)
    async with served(instances=1, behaviour=behaviour, entry=entry) as (_, cloud, _url):
        (instance,) = await instances(cloud)
        made = await balancer(cloud)
        with pytest.raises(DeadlineExceeded, match=r"busy for 0\.3 s\. Ask for the same again"):
            await driver.register_instance(cloud, made.id, instance)
        with pytest.raises(DeadlineExceeded):
            await driver.destroy_load_balancer(cloud, made.id)


async def test_one_that_failed_can_be_destroyed_only(served):
    async with served(instances=1) as (simulated, cloud, _):
        (instance,) = await instances(cloud)
        made = await balancer(cloud)
        await driver.get_load_balancer(cloud, made.id)
        octavia(simulated)[made.id].status = "ERROR"
        with pytest.raises(InvalidState, match="immutable"):
            await driver.register_instance(cloud, made.id, instance)
        with costs(simulated, f"DELETE /loadbalancers/{made.id}"):
            await driver.destroy_load_balancer(cloud, made.id)


async def test_what_there_is_not(served):
    async with served(instances=1) as (_, cloud, _url):
        (instance,) = await instances(cloud)
        with pytest.raises(NotFound):
            await driver.get_load_balancer(cloud, NOBODY)
        with pytest.raises(NotFound):
            await driver.destroy_load_balancer(cloud, NOBODY)
        with pytest.raises(NotFound):
            await driver.register_instance(cloud, NOBODY, instance)
        with pytest.raises(NotFound):
            await driver.unregister_instance(cloud, NOBODY, instance)
        made = await balancer(cloud)
        with pytest.raises(NotFound):
            await driver.register_instance(cloud, made.id, NOBODY)
        await driver.unregister_instance(cloud, made.id, NOBODY)
        bare = await balancer(cloud, listeners=())
        with pytest.raises(InvalidRequest, match="no listener"):
            await driver.register_instance(cloud, bare.id, instance)
        redirecting = {"protocol": "TCP", "protocol_port": 81}
        inner = await network(cloud)
        wish = {"name": "r", "vip_network_id": inner.id, "listeners": [redirecting]}
        api = session(cloud)
        await api.request(LOAD_BALANCER, "POST", "/loadbalancers", body={"loadbalancer": wish})
        page = await driver.list_load_balancers(cloud, None)
        leading = next(b.id for b in page.items if b.name == "r")
        with pytest.raises(InvalidRequest, match="no listener with a pool"):
            await driver.register_instance(cloud, leading, instance)


async def test_pages_follow_one_another(served):
    async with served(instances=1, entry={"page_size": 2}) as (simulated, cloud, _):
        made = {(await balancer(cloud, name=f"lb{i}")).id for i in range(5)}
        found, cursor = [], None
        while True:
            page = await driver.list_load_balancers(cloud, cursor)
            found += page.items
            cursor = page.cursor
            if cursor is None:
                break
        assert {b.id for b in found} == made
        assert all(len(b.listeners) == 2 for b in found)
        assert simulated.requests.count("/loadbalancers", "GET") == 3


async def test_a_balancer_goes_with_its_address(served):
    """Its interface can be seen, and belongs to no instance."""
    async with served(instances=1) as (_, cloud, _url):
        made = await balancer(cloud)
        port = await driver.get_network_interface(cloud, made.extra["vip_port_id"])
        assert (port.instance_id, port.ip_addresses) == (None, made.public_addresses)
        with pytest.raises(Conflict, match="one of Octavia"):
            await driver.destroy_network_interface(cloud, port.id)
        await driver.destroy_load_balancer(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_load_balancer(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_network_interface(cloud, port.id)


async def test_a_cloud_without_octavia_lacks_load_balancers(served):
    async with served(instances=1, without=["load-balancer"]) as (_, cloud, _url):
        lacks = await driver.probe(cloud)
        assert set(lacks.operations) >= {
            "create_load_balancer",
            "destroy_load_balancer",
            "get_load_balancer",
            "list_load_balancers",
            "register_instance",
            "unregister_instance",
        }
        assert lacks.operations["list_load_balancers"].endswith("of type 'load-balancer'")
        assert "list_networks" not in lacks.operations
