"""Public addresses and load balancers over the wire."""

import msgspec
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.models import (
    AddressSpec,
    InstanceSpec,
    Listener,
    LoadBalancerSpec,
    NetworkSpec,
    SubnetSpec,
)
from anabranch_cloudstack import driver

NOBODY = "00000000-0000-0000-0000-000000000000"


async def test_an_address_by_static_nat(served):
    async with served(instances=4) as world:
        cloud = world.cloud
        it = await world.machine(cloud)
        with world.costs("listZones", "associateIpAddress"):
            address = await driver.create_address(cloud, AddressSpec())
        assert address.ip
        assert not address.associated
        with world.costs("listPublicIpAddresses", "enableStaticNat", "listPublicIpAddresses"):
            led = await driver.associate_address(cloud, address.id, it.id)
        assert led.instance_id == it.id
        shown = await driver.get_instance(cloud, it.id)
        assert [a.address for a in shown.public_addresses] == [address.ip]
        with world.costs("listPublicIpAddresses", "listPublicIpAddresses"):
            assert (await driver.associate_address(cloud, address.id, it.id)).instance_id == it.id
        others = [i for i in await world.everything(cloud, "instances") if i.id != it.id]
        with pytest.raises(Conflict):
            await driver.associate_address(cloud, address.id, others[0].id)
        with world.costs("listPublicIpAddresses", "disableStaticNat", "listPublicIpAddresses"):
            assert not (await driver.disassociate_address(cloud, address.id)).associated
        with world.costs("listPublicIpAddresses", "listPublicIpAddresses"):
            await driver.disassociate_address(cloud, address.id)
        with world.costs("disassociateIpAddress"):
            await driver.destroy_address(cloud, address.id)
        with pytest.raises(NotFound):
            await driver.get_address(cloud, address.id)
        for act in (driver.destroy_address, driver.disassociate_address):
            with pytest.raises(NotFound):
                await act(cloud, NOBODY)


async def test_addresses_of_a_network_and_of_a_vpc(served):
    async with served(instances=1) as world:
        cloud = world.cloud
        network = await world.named(cloud, "networks", "demo-net")
        made = await driver.create_address(cloud, AddressSpec(network_id=network.id))
        assert made.network_id == network.id
        vpc = await driver.create_network(cloud, NetworkSpec(name="v"))
        made = await driver.create_address(cloud, AddressSpec(network_id=vpc.id))
        assert made.network_id == vpc.id
        with pytest.raises(InvalidRequest, match="no network or VPC"):
            await driver.create_address(cloud, AddressSpec(network_id=NOBODY))


async def test_an_address_of_a_vpc_is_told_the_network_of_the_machine(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        vpc = await driver.create_network(cloud, NetworkSpec(name="v"))
        spec = SubnetSpec(network_id=vpc.id, address_block="10.9.1.0/24")
        tier = await driver.create_subnet(cloud, spec)
        image = await world.named(cloud, "images", "ubuntu-24.04")
        it = await driver.create_instance(
            cloud, InstanceSpec(image_id=image.id, network_ids=(tier.id,))
        )
        address = await driver.create_address(cloud, AddressSpec(network_id=vpc.id))
        with world.costs(
            "listPublicIpAddresses",
            "listVirtualMachines",
            "enableStaticNat",
            "listPublicIpAddresses",
        ):
            led = await driver.associate_address(cloud, address.id, it.id)
        assert led.instance_id == it.id
        with pytest.raises(NotFound):
            await driver.get_firewall(cloud, f"address-{address.id}")


async def test_the_address_that_a_network_cannot_do_without(served):
    async with served(instances=2) as world:
        addresses = await world.everything(world.cloud, "addresses")
        source = next(a for a in addresses if a.extra["issourcenat"])
        with pytest.raises(Conflict, match="source nat"):
            await driver.destroy_address(world.cloud, source.id)


async def test_a_limit_of_addresses(served):
    async with served(instances=1, limits={"public_ip": 1}) as world:
        with pytest.raises(QuotaExceeded):
            await driver.create_address(world.cloud, AddressSpec())


def balancer(**fields):
    listeners = (
        Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080),
        Listener(protocol="TCP", load_balancer_port=443, instance_port=8443),
    )
    return LoadBalancerSpec(**{"name": "web", "listeners": listeners, **fields})


async def test_a_load_balancer_is_the_rules_of_an_address(served):
    async with served(instances=4) as world:
        cloud = world.cloud
        it = await world.machine(cloud)
        before = await world.everything(cloud, "addresses")
        network = await world.named(cloud, "networks", "demo-net")
        with world.costs(
            "listNetworks",
            "associateIpAddress",
            "createTags",
            "createLoadBalancerRule",
            "createLoadBalancerRule",
        ):
            made = await driver.create_load_balancer(cloud, balancer(network_id=network.id))
        assert [x.load_balancer_port for x in made.listeners] == [80, 443]
        assert made.public_addresses
        with world.costs(
            "listLoadBalancerRules",
            *["listLoadBalancerRuleInstances"] * 2,
            *["assignToLoadBalancerRule"] * 2,
        ):
            found = await driver.register_instance(cloud, made.id, it.id)
        assert found.instance_ids == (it.id,)
        with world.costs("listLoadBalancerRules", *["listLoadBalancerRuleInstances"] * 2):
            again = await driver.register_instance(cloud, made.id, it.id)
        assert again.instance_ids == (it.id,)
        assert (await driver.get_load_balancer(cloud, made.id)).instance_ids == (it.id,)
        (listed,) = await world.everything(cloud, "load_balancers")
        assert (listed.id, listed.listeners) == (made.id, made.listeners)
        left = await driver.unregister_instance(cloud, made.id, it.id)
        assert left.instance_ids == ()
        await driver.unregister_instance(cloud, made.id, it.id)
        with pytest.raises(NotFound):
            await driver.register_instance(cloud, made.id, NOBODY)
        with world.costs("listLoadBalancerRules", "listPublicIpAddresses", "disassociateIpAddress"):
            await driver.destroy_load_balancer(cloud, made.id)
        assert await world.everything(cloud, "addresses") == before
        with pytest.raises(NotFound):
            await driver.get_load_balancer(cloud, made.id)


async def test_a_load_balancer_on_an_address_that_is_there_for_more_leaves_it(served):
    async with served(instances=4) as world:
        cloud = world.cloud
        made = await driver.create_load_balancer(cloud, balancer())
        world.simulated.state.addresses[made.id].tags.clear()  # as if somebody had taken it
        before = len(await world.everything(cloud, "addresses"))
        with world.costs(
            "listLoadBalancerRules", "listPublicIpAddresses", *["deleteLoadBalancerRule"] * 2
        ):
            await driver.destroy_load_balancer(cloud, made.id)
        assert len(await world.everything(cloud, "addresses")) == before


async def test_a_load_balancer_that_cannot_be_made_leaves_nothing(served):
    async with served(instances=4) as world:
        cloud = world.cloud
        before = await world.everything(cloud, "addresses")
        twice = balancer().listeners[0]
        with pytest.raises(Conflict):
            await driver.create_load_balancer(cloud, balancer(listeners=(twice, twice)))
        assert await world.everything(cloud, "addresses") == before
        world.simulated.requests.reset()
        for wrong in (
            balancer(listeners=()),
            balancer(listeners=(msgspec.structs.replace(twice, protocol="GOPHER"),)),
        ):
            with pytest.raises(InvalidRequest):
                await driver.create_load_balancer(cloud, wrong)
        assert world.simulated.requests.total == 0
        with pytest.raises(InvalidRequest):
            await driver.create_load_balancer(cloud, balancer(network_id=NOBODY))


async def test_the_network_of_a_load_balancer_has_to_be_one(served):
    async with served(user="other", instances=0) as world:
        with pytest.raises(InvalidRequest, match="no network"):
            await driver.create_load_balancer(world.cloud, balancer())
        for name, block in (("a", "10.7.0.0/24"), ("b", "10.8.0.0/24")):
            await driver.create_network(world.cloud, NetworkSpec(name=name, address_block=block))
        with pytest.raises(InvalidRequest, match="several networks"):
            await driver.create_load_balancer(world.cloud, balancer())
