"""Networks, subnets and network interfaces over the wire."""

import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.models import (
    NetworkInterfaceSpec,
    NetworkSpec,
    SubnetSpec,
)
from anabranch_cloudstack import driver

NOBODY = "00000000-0000-0000-0000-000000000000"


async def test_an_isolated_network(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        spec = NetworkSpec(name="mine", address_block="10.7.0.0/24")
        with world.costs("listZones", "listNetworkOfferings", "createNetwork"):
            made = await driver.create_network(cloud, spec)
        assert (made.name, made.address_blocks) == ("mine", ("10.7.0.0/24",))
        subnet = await driver.get_subnet(cloud, made.id)
        assert (subnet.network_id, subnet.gateway) == (made.id, "10.7.0.1")
        with pytest.raises(Conflict, match="Destroy the network"):
            await driver.destroy_subnet(cloud, made.id)
        with pytest.raises(InvalidRequest, match="no VPC"):
            await driver.create_subnet(
                cloud, SubnetSpec(network_id=made.id, address_block="10.7.1.0/24")
            )
        with world.costs("deleteNetwork"):
            await driver.destroy_network(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_network(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_network(cloud, NOBODY)


@pytest.mark.parametrize("block", ["nonsense", "10.0.0.1/24", "10.0.0.0/31", "2001:db8::/64"])
async def test_blocks_that_are_none(served, block):
    async with served(instances=0) as world:
        with pytest.raises(InvalidRequest):
            await driver.create_network(world.cloud, NetworkSpec(address_block=block))


async def test_a_network_in_use_is_not_destroyed(served):
    async with served(instances=2) as world:
        network = await world.named(world.cloud, "networks", "demo-net")
        with pytest.raises(Conflict):
            await driver.destroy_network(world.cloud, network.id)


async def test_a_vpc_and_its_tiers(served):
    async with served({"vpc_block": "10.9.0.0/16"}, instances=0) as world:
        cloud = world.cloud
        with world.costs("listZones", "listVPCOfferings", "createVPC"):
            vpc = await driver.create_network(cloud, NetworkSpec(name="v"))
        assert (vpc.address_blocks, vpc.subnet_ids) == (("10.9.0.0/16",), ())
        spec = SubnetSpec(network_id=vpc.id, address_block="10.9.1.0/24", name="front")
        with world.costs("listVPCs", "listNetworkOfferings", "createNetwork"):
            tier = await driver.create_subnet(cloud, spec)
        assert (tier.name, tier.network_id, tier.gateway) == ("front", vpc.id, "10.9.1.1")
        assert (await driver.get_network(cloud, vpc.id)).subnet_ids == (tier.id,)
        networks = await world.everything(cloud, "networks")
        assert vpc.id in {n.id for n in networks}
        assert tier.id not in {n.id for n in networks}
        subnets = {subnet.id: subnet for subnet in await world.everything(cloud, "subnets")}
        assert subnets[tier.id].network_id == vpc.id
        for block, kind in (("10.9.1.0/25", Conflict), ("10.8.0.0/24", InvalidRequest)):
            with pytest.raises(kind):
                await driver.create_subnet(
                    cloud, SubnetSpec(network_id=vpc.id, address_block=block)
                )
        with pytest.raises(Conflict):
            await driver.destroy_network(cloud, vpc.id)
        await driver.destroy_subnet(cloud, tier.id)
        await driver.destroy_network(cloud, vpc.id)
        with pytest.raises(NotFound):
            await driver.get_network(cloud, vpc.id)


async def test_own_networks_stand_before_shared_ones(served):
    async with served(instances=2) as world:
        networks = await world.everything(world.cloud, "networks")
        assert [n.shared for n in networks] == sorted(n.shared for n in networks)
        assert any(n.shared for n in networks)


async def test_network_interfaces(served):
    async with served(instances=4) as world:
        cloud = world.cloud
        it = await world.machine(cloud)
        before = await world.everything(cloud, "network_interfaces")
        (own,) = [n for n in before if n.instance_id == it.id]
        assert (own.id,) == it.network_interface_ids
        assert own.mac_address
        made = await driver.create_network(
            cloud, NetworkSpec(name="second", address_block="10.7.0.0/24")
        )
        spec = NetworkInterfaceSpec(instance_id=it.id, network_id=made.id, ip_address="10.7.0.77")
        with world.costs("addNicToVirtualMachine"):
            added = await driver.create_network_interface(cloud, spec)
        assert (added.network_id, added.ip_addresses) == (made.id, ("10.7.0.77",))
        found = await driver.get_network_interface(cloud, added.id)
        assert found.instance_id == it.id
        with pytest.raises(Conflict, match="nic is default"):
            await driver.destroy_network_interface(cloud, own.id)
        with world.costs("listVirtualMachines", "removeNicFromVirtualMachine"):
            await driver.destroy_network_interface(cloud, added.id)
        for absent in (added.id, NOBODY):
            with pytest.raises(NotFound):
                await driver.destroy_network_interface(cloud, absent)
        with pytest.raises(InvalidRequest):
            await driver.create_network_interface(
                cloud, NetworkInterfaceSpec(instance_id=it.id, network_id=NOBODY)
            )


async def test_the_offerings_that_are_configured(served):
    async with served(instances=0) as world:
        state = world.simulated.state
        by_name = {o.name: o.id for o in state.network_offerings.values()}
        isolated = by_name["DefaultIsolatedNetworkOfferingWithSourceNatService"]
        tier = next(i for name, i in by_name.items() if "Vpc" in name)
        vpc = list(state.vpc_offerings)[-1]
        cloud = world.again(
            zone="adv-1", network_offering=isolated, tier_offering=tier, vpc_offering=vpc
        )
        with world.costs("listZones", "createNetwork"):
            await driver.create_network(cloud, NetworkSpec(address_block="10.7.0.0/24"))
        with world.costs("createVPC"):
            made = await driver.create_network(cloud, NetworkSpec())
        assert state.vpcs[made.id].offering == vpc
        with world.costs("listVPCs", "createNetwork"):
            await driver.create_subnet(
                cloud, SubnetSpec(network_id=made.id, address_block="10.9.1.0/24")
            )
        wrong = world.again(zone="adv-1", network_offering=NOBODY)
        with pytest.raises(InvalidRequest):
            await driver.create_network(wrong, NetworkSpec(address_block="10.8.0.0/24"))
        for other in (cloud, wrong):
            await other.aclose()
