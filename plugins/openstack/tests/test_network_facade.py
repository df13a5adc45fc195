"""Networks and what is on them through the broker, as a program uses them."""

import pytest

from anabranch.errors import CloudError, FeatureNotSupported, OperationNotSupported, OutcomeUnknown
from anabranch.models import (
    AddressSpec,
    FirewallRuleSpec,
    FirewallSpec,
    Listener,
    LoadBalancerSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    RuleSource,
)

NOBODY = "lisbon/00000000-0000-0000-0000-000000000000"
OWNED = (
    "addresses",
    "firewalls",
    "load_balancers",
    "network_interfaces",
    "networks",
    "subnets",
)


async def test_a_web_server_is_put_behind_a_load_balancer(served, brokers):
    async with served(instances=2) as lisbon:
        broker = brokers(lisbon)
        (instance, _) = await broker.instances.list(require="all")
        inside = next(n for n in await broker.networks.list(require="all") if not n.external)

        wall = await broker.firewalls.create("lisbon", FirewallSpec(name="web"))
        rule = FirewallRuleSpec(
            protocol="tcp", port_from=80, port_to=80, sources=(RuleSource(cidr="0.0.0.0/0"),)
        )
        opened = await broker.firewalls.add_rule(wall.qualified_id, rule)
        (added,) = [r for r in opened.rules if r.protocol == "tcp"]
        closed = await broker.firewalls.remove_rule(wall.qualified_id, added.id)
        assert added not in closed.rules

        apart = await broker.networks.create(
            "lisbon", NetworkSpec(name="apart", address_block="10.9.0.0/24")
        )
        card = await broker.network_interfaces.create(
            "lisbon", NetworkInterfaceSpec(instance_id=instance.id, network_id=apart.id)
        )
        assert card.instance_id == instance.id

        web = Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080)
        front = await broker.load_balancers.create(
            "lisbon", LoadBalancerSpec(name="front", listeners=(web,), network_id=inside.id)
        )
        found = await broker.load_balancers.register(front.qualified_id, instance.qualified_id)
        assert found.instance_ids == (instance.id,)
        left = await broker.load_balancers.unregister(front.qualified_id, instance.id)
        assert left.instance_ids == ()

        for item, collection in (
            (front, broker.load_balancers),
            (card, broker.network_interfaces),
            (apart, broker.networks),
            (wall, broker.firewalls),
        ):
            await collection.destroy(item.qualified_id)


async def test_an_address_moves(served, brokers):
    async with served(instances=3) as lisbon:
        broker = brokers(lisbon)
        taken = {a.instance_id for a in await broker.addresses.list(require="all")}
        machines = [i for i in await broker.instances.list(require="all") if i.id not in taken]
        address = await broker.addresses.create("lisbon", AddressSpec())
        for machine in machines:
            led = await broker.addresses.associate(address.qualified_id, machine.qualified_id)
            assert led.instance_id == machine.id
            found = await broker.instances.get(machine.qualified_id)
            assert address.ip in {a.address for a in found.public_addresses}
            await broker.addresses.disassociate(address.qualified_id)
        await broker.addresses.destroy(address.qualified_id)


async def test_destroying_what_is_gone_succeeds(served, brokers):
    async with served(instances=1) as lisbon:
        broker = brokers(lisbon)
        for name in OWNED:
            await getattr(broker, name).destroy(NOBODY)


async def test_what_neutron_has_not_is_refused_before_it_is_asked(served, brokers):
    async with served(instances=1) as lisbon:
        broker = brokers(lisbon)
        with pytest.raises(FeatureNotSupported):
            await broker.addresses.create("lisbon", AddressSpec(realm_id="az-a"))
        assert lisbon.simulated.requests.total == 0


async def test_a_cloud_without_octavia(served, brokers):
    async with served(instances=1, without=["load-balancer"]) as lisbon:
        broker = brokers(lisbon)
        narrowed = await broker.probe("lisbon")
        assert "list_load_balancers" not in narrowed
        assert "list_networks" in narrowed
        with pytest.raises(OperationNotSupported, match="no service of type 'load-balancer'"):
            await broker.load_balancers.get(NOBODY)
        assert not (await broker.load_balancers.list()).items
        assert (await broker.networks.list(require="all")).items
        assert (await broker.quotas.list(require="all")).items


@pytest.mark.filterwarnings("ignore:.*ByteStream:pytest.PytestUnraisableExceptionWarning")
async def test_a_lost_answer_names_what_was_made(served, brokers):
    async with served(instances=1) as lisbon:
        broker = brokers(lisbon)
        await broker.check("lisbon")
        lisbon.simulated.behaviour.break_with(["lostx1:POST /networks"])
        with pytest.raises(CloudError) as caught:
            await broker.networks.create("lisbon", NetworkSpec(name="lost"))
        assert isinstance(caught.value, OutcomeUnknown)
        (made,) = [n for n in await broker.networks.list() if n.name == "lost"]
        assert made.id in str(caught.value)
