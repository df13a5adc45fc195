"""Networks, interfaces, addresses, firewalls and load balancers on the real neutron and octavia."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import anyio
import msgspec
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound, PermissionDenied
from anabranch.models import (
    AddressSpec,
    FirewallRuleSpec,
    FirewallSpec,
    Listener,
    LoadBalancerSpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    NetworkState,
    RuleSource,
    SourceKind,
    SubnetSpec,
)
from anabranch_openstack import driver
from anabranch_openstack.catalog import NETWORK
from anabranch_openstack.client import session

from .pages import everything, undisturbed

pytestmark = pytest.mark.filterwarnings("ignore::Warning:openstack")

NOBODY = "00000000-0000-0000-0000-000000000000"


async def network(cloud, name="private"):
    return next(n for n in await everything(driver.list_networks, cloud) if n.name == name)


async def address(lab, **fields):
    """An address that is given back in the end even if it still leads somewhere."""
    made = await driver.create_address(lab.cloud, AddressSpec(**fields))

    async def gone(cloud, ident):
        await driver.disassociate_address(cloud, ident)
        await driver.destroy_address(cloud, ident)

    lab.later(gone, made.id)
    return made


async def balanced(lab, **fields):
    """A load balancer that is waited for when it goes: its port keeps the network in use."""
    made = await driver.create_load_balancer(lab.cloud, LoadBalancerSpec(name=lab.name, **fields))

    async def gone(cloud, ident):
        await driver.destroy_load_balancer(cloud, ident)
        with suppress(NotFound):
            while True:
                await driver.get_load_balancer(cloud, ident)
                await anyio.sleep(0.2)

    lab.later(gone, made.id)
    return made


async def test_networks_and_subnets(lab):
    async with lab() as it:
        made = await driver.create_network(
            it.cloud, NetworkSpec(name=it.name, address_block="10.201.0.0/24")
        )
        it.later(driver.destroy_network, made.id)
        found = await driver.get_network(it.cloud, made.id)
        assert msgspec.structs.replace(made, extra=found.extra) == found
        assert (found.state, found.external, found.shared) == (NetworkState.UP, False, False)
        six = await driver.create_subnet(
            it.cloud,
            SubnetSpec(network_id=made.id, address_block="2001:db8:7::/64", name=it.name),
        )
        assert (await driver.get_subnet(it.cloud, six.id)).address_block == "2001:db8:7::/64"
        for block in ("10.201.0.128/25", "bogus"):
            spec = SubnetSpec(network_id=made.id, address_block=block)
            with pytest.raises(InvalidRequest):
                await driver.create_subnet(it.cloud, spec)
        with pytest.raises(InvalidRequest):
            await driver.create_network(
                it.cloud, NetworkSpec(name=f"{it.name}-half", address_block="224.0.0.0/40")
            )
        with pytest.raises(NotFound, match="AvailabilityZone nowhere"):
            await driver.create_network(it.cloud, NetworkSpec(name=it.name, realm_id="nowhere"))
        names = [n.name for n in (await driver.list_networks(it.cloud, None)).items]
        assert f"{it.name}-half" not in names
        await driver.destroy_subnet(it.cloud, six.id)
        with pytest.raises(NotFound):
            await driver.destroy_subnet(it.cloud, six.id)
        with pytest.raises(PermissionDenied):
            await driver.destroy_network(it.cloud, (await network(it.cloud, "public")).id)
        with pytest.raises(Conflict):
            await driver.destroy_network(it.cloud, (await network(it.cloud)).id)


async def test_a_network_whose_subnet_neutron_refuses_is_removed(lab):
    """Multicast is a CIDR block to us, and none to neutron."""
    async with lab() as it:
        with pytest.raises(InvalidRequest):
            await driver.create_network(
                it.cloud, NetworkSpec(name=it.name, address_block="224.0.0.0/24")
            )
        names = [n.name for n in (await driver.list_networks(it.cloud, None)).items]
        assert it.name not in names


async def test_network_interfaces(lab):
    async with lab() as it:
        private = await network(it.cloud)
        instance = await it.instance(network_ids=(private.id,))
        made = await driver.create_network(
            it.cloud, NetworkSpec(name=it.name, address_block="10.202.0.0/24")
        )
        it.later(driver.destroy_network, made.id)
        spec = NetworkInterfaceSpec(
            instance_id=instance,
            network_id=made.id,
            subnet_id=made.subnet_ids[0],
            name=it.name,
            ip_address="10.202.0.77",
        )
        port = await driver.create_network_interface(it.cloud, spec)
        it.later(driver.destroy_network_interface, port.id)
        assert (port.instance_id, port.ip_addresses) == (instance, ("10.202.0.77",))
        with pytest.raises(Conflict):
            await driver.create_network_interface(it.cloud, spec)
        with pytest.raises(Conflict):
            await driver.destroy_network(it.cloud, made.id)
        lost = msgspec.structs.replace(spec, instance_id=NOBODY, ip_address=None)
        with pytest.raises(NotFound):
            await driver.create_network_interface(it.cloud, lost)
        ports = await everything(driver.list_network_interfaces, it.cloud)
        assert [p.id for p in ports if p.network_id == made.id] == [port.id]
        (own,) = [p for p in ports if p.instance_id == instance and p.id != port.id]
        for ident in (port.id, own.id):
            await driver.destroy_network_interface(it.cloud, ident)
            with pytest.raises(NotFound):
                await driver.get_network_interface(it.cloud, ident)
        (router,) = [
            p
            for p in ports
            if p.extra["device_owner"] == "network:router_interface" and p.network_id == private.id
        ]
        with pytest.raises(Conflict):
            await driver.destroy_network_interface(it.cloud, router.id)


async def test_addresses(lab):
    async with lab() as it:
        private, public = await network(it.cloud), await network(it.cloud, "public")
        instance = await it.instance(network_ids=(private.id,))
        made = await address(it)
        assert (made.network_id, made.associated) == (public.id, False)
        led = await driver.associate_address(it.cloud, made.id, instance)
        assert led.instance_id == instance
        again = await driver.associate_address(it.cloud, made.id, instance)
        assert (again.instance_id, again.private_ip) == (instance, led.private_ip)
        listed = await everything(driver.list_addresses, it.cloud)
        assert [a.instance_id for a in listed if a.id == made.id] == [instance]
        with pytest.raises(Conflict, match="Disassociate it first"):
            await driver.destroy_address(it.cloud, made.id)
        second = await address(it, network_id=public.id)
        with pytest.raises(Conflict, match="already has a floating IP"):
            await driver.associate_address(it.cloud, second.id, instance)
        with pytest.raises(NotFound):
            await driver.associate_address(it.cloud, second.id, NOBODY)
        for _ in range(2):
            assert not (await driver.disassociate_address(it.cloud, made.id)).associated
        await driver.destroy_address(it.cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_address(it.cloud, made.id)
        with pytest.raises(InvalidRequest, match="not a valid external network"):
            await driver.create_address(it.cloud, AddressSpec(network_id=private.id))


async def test_an_address_that_cannot_reach_the_instance(lab):
    async with lab() as it:
        apart = await driver.create_network(
            it.cloud, NetworkSpec(name=it.name, address_block="10.203.0.0/24")
        )
        it.later(driver.destroy_network, apart.id)
        instance = await it.instance(network_ids=(apart.id,))
        made = await address(it)
        with pytest.raises(InvalidRequest, match=r"not reachable from subnet.*by a router"):
            await driver.associate_address(it.cloud, made.id, instance)


async def test_firewalls(lab):
    async with lab() as it:
        made = await driver.create_firewall(it.cloud, FirewallSpec(name=it.name, description="d"))
        it.later(driver.destroy_firewall, made.id)
        sources = (RuleSource(cidr="192.0.2.7/24"), RuleSource(cidr="2001:db8::/32"))
        spec = FirewallRuleSpec(protocol="tcp", port_from=80, port_to=81, sources=sources)
        found = await driver.add_firewall_rule(it.cloud, made.id, spec)
        assert len(found.rules) == len(made.rules) + 2
        again = await driver.add_firewall_rule(it.cloud, made.id, spec)
        assert {r.id for r in again.rules} == {r.id for r in found.rules}
        wider = msgspec.structs.replace(
            spec, sources=(*sources, RuleSource(kind=SourceKind.GROUP, group=it.name))
        )
        found = await driver.add_firewall_rule(it.cloud, made.id, wider)
        added = [r for r in found.rules if r.protocol == "tcp"]
        assert {(s.cidr, s.group) for r in added for s in r.sources} == {
            ("192.0.2.0/24", None),
            ("2001:db8::/32", None),
            (None, made.id),
        }
        ping = FirewallRuleSpec(protocol="ipv6-icmp", sources=(RuleSource(cidr="::/0"),))
        found = await driver.add_firewall_rule(it.cloud, made.id, ping)
        for protocol, ports in (("blah", (1, 1)), ("tcp", (90, 80)), (None, (80, 80))):
            wrong = FirewallRuleSpec(
                protocol=protocol, port_from=ports[0], port_to=ports[1], sources=sources
            )
            with pytest.raises(InvalidRequest):
                await driver.add_firewall_rule(it.cloud, made.id, wrong)
        assert (await driver.get_firewall(it.cloud, made.id)).rules == found.rules
        rest = await driver.remove_firewall_rule(it.cloud, made.id, added[0].id)
        assert (await driver.get_firewall(it.cloud, made.id)).rules == rest.rules
        with pytest.raises(NotFound):
            await driver.remove_firewall_rule(it.cloud, made.id, added[0].id)
        default = next(
            f for f in await everything(driver.list_firewalls, it.cloud) if f.name == "default"
        )
        with pytest.raises(Conflict):
            await driver.destroy_firewall(it.cloud, default.id)


async def test_load_balancers(lab):
    async with lab() as it:
        private = await network(it.cloud)
        one = await it.instance(network_ids=(private.id,))
        two = await it.instance(network_ids=(private.id,))
        listeners = (
            Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080),
            Listener(protocol="TCP", load_balancer_port=443, instance_port=8443),
        )
        made = await balanced(it, listeners=listeners, network_id=private.subnet_ids[0])
        assert made.listeners == listeners
        with_one = await driver.register_instance(it.cloud, made.id, one)
        assert (with_one.instance_ids, with_one.listeners) == ((one,), listeners)
        both = await driver.register_instance(it.cloud, made.id, two)
        assert set(both.instance_ids) == {one, two}
        again = await driver.register_instance(it.cloud, made.id, two)
        assert set(again.instance_ids) == {one, two}
        listed = await everything(driver.list_load_balancers, it.cloud)
        assert [b.listeners for b in listed if b.id == made.id] == [listeners]
        left = await driver.unregister_instance(it.cloud, made.id, one)
        assert left.instance_ids == (two,)
        with pytest.raises(NotFound):
            await driver.register_instance(it.cloud, made.id, NOBODY)
        await driver.destroy_load_balancer(it.cloud, made.id)
        await driver.destroy_load_balancer(it.cloud, made.id)


async def test_members_in_networks_with_the_same_addresses(lab):
    async with lab() as it:
        private, ends = await network(it.cloud), []
        for _ in range(2):
            apart = await driver.create_network(
                it.cloud, NetworkSpec(name=it.name, address_block="10.204.0.0/24")
            )
            it.later(driver.destroy_network, apart.id)
            instance = await it.instance(network_ids=(private.id,))
            spec = NetworkInterfaceSpec(
                instance_id=instance, network_id=apart.id, name=it.name, ip_address="10.204.0.77"
            )
            port = await driver.create_network_interface(it.cloud, spec)
            it.later(driver.destroy_network_interface, port.id)
            ends.append((instance, apart.id))
        (one, near), (two, _far) = ends
        web = Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080)
        made = await balanced(it, listeners=(web,), network_id=near)
        assert (await driver.register_instance(it.cloud, made.id, one)).instance_ids == (one,)
        assert (await driver.unregister_instance(it.cloud, made.id, two)).instance_ids == (one,)
        assert (await driver.get_load_balancer(it.cloud, made.id)).instance_ids == (one,)


async def test_load_balancers_that_octavia_does_not_make(lab):
    async with lab() as it:
        web = Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080)
        spec = LoadBalancerSpec(
            name=it.name, listeners=(web,), network_id=(await network(it.cloud)).id
        )
        for fields, kind in (
            ({"realm_id": "az-a"}, InvalidRequest),
            ({"network_id": NOBODY}, InvalidRequest),
            ({"listeners": (web, web)}, InvalidRequest),
            ({"listeners": (msgspec.structs.replace(web, protocol="GOPHER"),)}, InvalidRequest),
        ):
            with pytest.raises(kind):
                await driver.create_load_balancer(it.cloud, msgspec.structs.replace(spec, **fields))
        names = [b.name for b in await everything(driver.list_load_balancers, it.cloud)]
        assert it.name not in names


async def test_pages(lab):
    async with lab(page_size=1) as it:
        for index in range(3):
            made = await driver.create_firewall(it.cloud, FirewallSpec(name=f"{it.name}-{index}"))
            it.later(driver.destroy_firewall, made.id)
            await address(it)
        private = await network(it.cloud)
        wish = {"port": {"network_id": private.id, "name": it.name}}
        reply = await session(it.cloud).request(NETWORK, "POST", "/ports", body=wish)
        port = msgspec.json.decode(reply.content)["port"]["id"]
        it.later(driver.destroy_network_interface, port)
        for name in ("firewalls", "addresses", "networks", "subnets", "network_interfaces"):
            found = await everything(getattr(driver, f"list_{name}"), it.cloud)
            assert len(found) == len({item.id for item in found}) >= 2, name


async def test_as_openstacksdk_sees_it(lab, sdk, network_lists):
    async with lab() as it:
        private = await network(it.cloud)
        instance = await it.instance(network_ids=(private.id,))
        led = await address(it)
        await driver.associate_address(it.cloud, led.id, instance)
        web = Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080)
        await balanced(it, listeners=(web,), network_id=private.id)
        found = await undisturbed(
            partial(sdk, network_lists.theirs), partial(network_lists.ours, it.cloud)
        )
        assert led.id in {a[0] for a in found["addresses"]}


async def test_quotas(lab, sdk):
    async with lab() as it:
        page = await driver.list_quotas(it.cloud, None)
        assert not page.problems
        found = {q.id: q for q in page.items}
        project = (await session(it.cloud).access()).project.id
        quota = await sdk(lambda c: c.network.get_quota(project, details=True))
        assert found["addresses"].limit == quota.floating_ips["limit"]
        assert found["networks"].limit == quota.networks["limit"]
        assert (found["load_balancers"].limit, found["load_balancers"].used) == (None, None)
