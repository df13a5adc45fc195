"""Networks, subnets, interfaces, addresses, firewalls and keys."""

import anyio
import pytest

from anabranch.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
)
from anabranch.models import (
    AddressSpec,
    Direction,
    FirewallRuleSpec,
    FirewallSpec,
    InstanceSpec,
    KeySpec,
    NetworkInterfaceSpec,
    NetworkSpec,
    RuleAction,
    RuleSource,
    SourceKind,
    SubnetSpec,
)
from anabranch.testing.simulation import Behaviour
from anabranch_opennebula import driver
from anabranch_opennebula.client import session

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFh7mGzCNT4k56QKRNidEALQdi3f0qtthbce3db4XPZU me@here"
ODD = "say \"hi\" & <b>bye</b> 'é' 🚀"


# ----------------------------------------------------------------------------- networks, subnets


async def test_networks_are_reservations(served):
    async with served(instances=0) as there:
        cloud = there.cloud
        with there.costs("vnpool.info", "vn.reserve", "vn.info"):
            made = await driver.create_network(cloud, NetworkSpec(name="mine"))
        assert (made.name, made.external) == ("mine", False)
        (subnet,) = [
            s for s in (await driver.list_subnets(cloud, None)).items if s.network_id == made.id
        ]
        assert made.subnet_ids == (subnet.id,)
        assert subnet.kind == "IP4"
        block = SubnetSpec(network_id=made.id, address_block="10.0.8.0/26")
        with there.costs("vn.info", "vn.info", "vn.reserve", "vn.info"):
            more = await driver.create_subnet(cloud, block)
        assert (more.address_block, more.network_id) == ("10.0.8.0/26", made.id)
        assert len((await driver.get_network(cloud, made.id)).subnet_ids) == 2
        with pytest.raises(InvalidRequest, match="no range that holds"):
            await driver.create_subnet(
                cloud, SubnetSpec(network_id=made.id, address_block="192.0.2.0/24")
            )
        await driver.destroy_subnet(cloud, more.id)
        with pytest.raises(NotFound):
            await driver.destroy_subnet(cloud, more.id)
        with there.costs("vn.info", "vn.delete"):
            await driver.destroy_network(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_network(cloud, made.id)


async def test_a_network_of_a_block(served):
    async with served(instances=0) as there:
        made = await driver.create_network(
            there.cloud, NetworkSpec(name="mine", address_block="10.0.4.0/28")
        )
        subnet = await driver.get_subnet(there.cloud, made.subnet_ids[0])
        assert subnet.address_block == "10.0.4.0/28"
        other = await driver.create_network(
            there.cloud, NetworkSpec(name="of the second range", address_block="10.1.0.16/28")
        )
        assert (await driver.get_subnet(there.cloud, other.subnet_ids[0])).kind == "IP4_6"
        for block, text in (
            ("192.0.2.0/24", "no network of this cloud"),
            ("10.0.4.4/32", "one address"),
            ("0.0.0.0/0", "larger"),
            ("x", "no block"),
        ):
            with pytest.raises(InvalidRequest, match=text):
                await driver.create_network(
                    there.cloud, NetworkSpec(name="no", address_block=block)
                )
        with pytest.raises(InvalidRequest, match="realm"):
            await driver.create_network(there.cloud, NetworkSpec(name="no", realm_id="0"))
        with pytest.raises((Conflict, PermissionDenied)):
            await driver.destroy_network(there.cloud, "1")


async def test_a_network_of_a_template(served):
    async with served({"network_template_id": "0"}, instances=0) as there:
        spec = NetworkSpec(name="mine", address_block="192.0.2.0/24")
        with there.costs("vntemplate.instantiate", "vn.info"):
            made = await driver.create_network(there.cloud, spec)
        assert (made.name, made.address_blocks) == ("mine", ("192.0.2.0/24",))
        subnet = await driver.get_subnet(there.cloud, made.subnet_ids[-1])
        assert (subnet.address_block, subnet.extra) == ("192.0.2.0/24", {})
        await driver.destroy_network(there.cloud, made.id)


async def test_ranges_of_networks_of_others(served):
    async with served(instances=0) as there:
        block = SubnetSpec(network_id="1", address_block="198.51.100.0/28")
        with pytest.raises(PermissionDenied):
            await driver.create_subnet(there.cloud, block)
        admin = there.again(user="oneadmin")
        with there.costs("vn.info", "vn.add_ar", "vn.info"):
            made = await driver.create_subnet(admin, block)
        assert (made.address_block, made.kind) == ("198.51.100.0/28", "IP4")
        await driver.destroy_subnet(admin, made.id)
        with pytest.raises(NotFound):
            await driver.get_subnet(admin, made.id)


# ------------------------------------------------------------------------------------ interfaces


@pytest.mark.parametrize("state_delay", [0.0, 0.1])
async def test_interfaces(served, state_delay):
    async with served(instances=2, behaviour=Behaviour(state_delay=state_delay)) as there:
        cloud = there.cloud
        made = await driver.create_network_interface(
            cloud,
            NetworkInterfaceSpec(
                instance_id="1", network_id="0", subnet_id="0.0", ip_address="172.16.0.99"
            ),
        )
        assert (made.id, made.instance_id, made.subnet_id) == ("1.1", "1", "0.0")
        assert made.ip_addresses == ("172.16.0.99",)
        listed = (await driver.list_network_interfaces(cloud, None)).items
        assert {i.id for i in listed} == {"0.0", "1.0", "1.1"}
        await driver.destroy_network_interface(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_network_interface(cloud, made.id)


async def test_what_interfaces_cost(served):
    async with served(instances=1) as there:
        spec = NetworkInterfaceSpec(instance_id="0", network_id="0")
        with there.costs("vm.info", "vm.attachnic", "vm.info", "vm.info"):
            made = await driver.create_network_interface(there.cloud, spec)
        with there.costs("vm.info", "vm.detachnic", "vm.info"):
            await driver.destroy_network_interface(there.cloud, made.id)


async def test_interfaces_that_cannot_be(served):
    async with served(instances=1, behaviour=Behaviour(state_delay=0.1)) as there:
        cloud = there.cloud
        for fields in (
            {"network_id": "99"},
            {"network_id": "x"},
            {"network_id": "0", "subnet_id": "1.0"},
            {"network_id": "0", "instance_id": "9"},
        ):
            with pytest.raises(NotFound):
                await driver.create_network_interface(
                    cloud, NetworkInterfaceSpec(**{"instance_id": "0", **fields})
                )
        there.simulated.hypervisor.attach_fails = True
        with pytest.raises(Conflict, match="tried, and failed"):
            await driver.create_network_interface(
                cloud, NetworkInterfaceSpec(instance_id="0", network_id="0")
            )


# ------------------------------------------------------------------------------------- addresses


@pytest.mark.parametrize("state_delay", [0.0, 0.1])
async def test_an_address_and_where_it_leads(served, state_delay):
    async with served(instances=2, behaviour=Behaviour(state_delay=state_delay)) as there:
        cloud = there.cloud
        made = await driver.create_address(cloud, AddressSpec())
        assert made.ip.startswith("172.16.")
        assert (made.network_id, made.instance_id) == ("0", None)
        led = await driver.associate_address(cloud, made.id, "0")
        assert (led.instance_id, led.associated) == ("0", True)
        assert (await driver.list_addresses(cloud, None)).items[0].instance_id == "0"
        instance = await driver.get_instance(cloud, "0")
        assert [a.address for a in instance.public_addresses] == [made.ip]
        await driver.associate_address(cloud, made.id, "0")
        with pytest.raises(Conflict, match="leads to instance 0"):
            await driver.associate_address(cloud, made.id, "1")
        with pytest.raises(Conflict, match="leads to instance 0"):
            await driver.destroy_address(cloud, made.id)
        assert (await driver.disassociate_address(cloud, made.id)).instance_id is None
        await driver.disassociate_address(cloud, made.id)
        assert not (await driver.get_instance(cloud, "0")).public_addresses
        await driver.destroy_address(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_address(cloud, made.id)
        assert not [n for n in (await driver.list_networks(cloud, None)).items if n.id == made.id]


async def test_what_addresses_cost(served):
    async with served(instances=1) as there:
        cloud = there.cloud
        with there.costs("vnpool.info", "vn.reserve", "vn.info"):
            made = await driver.create_address(cloud, AddressSpec())
        with there.costs("vn.reserve", "vn.info"):
            await driver.create_address(cloud, AddressSpec(network_id="0"))
        with there.costs("vn.info", "vm.info", "vm.attachnic", "vm.info", "vn.info"):
            await driver.associate_address(cloud, made.id, "0")
        with there.costs("vn.info", "vm.info", "vm.detachnic", "vm.info", "vn.info"):
            await driver.disassociate_address(cloud, made.id)
        with there.costs("vn.info", "vn.delete"):
            await driver.destroy_address(cloud, made.id)


async def test_an_instance_without_interfaces_gets_one(served):
    async with served(instances=0) as there:
        cloud = there.again(hardware_profiles=[{"name": "bare", "memory_mib": 64}])
        instance = await driver.create_instance(cloud, InstanceSpec(image_id="0"))
        assert not instance.network_interface_ids
        made = await driver.create_address(cloud, AddressSpec(network_id="0"))
        await driver.associate_address(cloud, made.id, instance.id)
        assert (await driver.get_instance(cloud, instance.id)).network_interface_ids


async def test_no_network_is_public(served):
    async with served(instances=0) as there:
        cloud = there.again(public_networks=[])
        with pytest.raises(InvalidRequest) as caught:
            await driver.create_address(cloud, AddressSpec())
        assert "public_networks" in caught.value.remedy
        with pytest.raises(InvalidRequest, match="realm"):
            await driver.create_address(cloud, AddressSpec(realm_id="0"))
        there.simulated.behaviour.break_with(["lost:vn.reserve"])
        with pytest.raises(OutcomeUnknown):
            await driver.create_address(there.cloud, AddressSpec())
        assert there.asked("vn.reserve") == 1


# ------------------------------------------------------------------------------------- firewalls


async def test_firewalls(served):
    async with served(instances=0) as there:
        cloud = there.cloud
        with there.costs("secgroup.allocate", "secgroup.info"):
            made = await driver.create_firewall(cloud, FirewallSpec(name="mine", description=ODD))
        assert (made.name, made.description, made.rules) == ("mine", ODD, ())
        spec = FirewallRuleSpec(
            protocol="tcp",
            port_from=22,
            port_to=25,
            sources=(RuleSource(cidr="192.0.2.0/24"), RuleSource(cidr="10.0.0.0/8")),
        )
        with there.costs("secgroup.info", "secgroup.update", "secgroup.info"):
            ruled = await driver.add_firewall_rule(cloud, made.id, spec)
        assert [(r.port_from, r.port_to, r.sources[0].cidr) for r in ruled.rules] == [
            (22, 25, "192.0.2.0/24"),
            (22, 25, "10.0.0.0/8"),
        ]
        assert ruled.description == ODD
        with there.costs("secgroup.info"):
            assert (await driver.add_firewall_rule(cloud, made.id, spec)).rules == ruled.rules
        egress = FirewallRuleSpec(direction=Direction.EGRESS)
        icmp = FirewallRuleSpec(protocol="ICMP", port_from=8, port_to=-1)
        group = RuleSource(kind=SourceKind.GROUP, group="network:1")
        net = FirewallRuleSpec(protocol="udp", port_from=53, port_to=53, sources=(group,))
        for added in (egress, icmp, net):
            ruled = await driver.add_firewall_rule(cloud, made.id, added)
        assert [(r.protocol, r.port_from, r.direction) for r in ruled.rules[2:]] == [
            (None, None, Direction.EGRESS),
            ("icmp", 8, Direction.INGRESS),
            ("udp", 53, Direction.INGRESS),
        ]
        assert ruled.rules[-1].sources == (group,)
        assert await driver.get_firewall(cloud, made.id) == ruled
        with there.costs("secgroup.info", "secgroup.update", "secgroup.info"):
            left = await driver.remove_firewall_rule(cloud, made.id, ruled.rules[0].id)
        assert left.rules == ruled.rules[1:]
        with pytest.raises(NotFound, match="no rule"):
            await driver.remove_firewall_rule(cloud, made.id, ruled.rules[0].id)
        for rule in left.rules:
            left = await driver.remove_firewall_rule(cloud, made.id, rule.id)
        assert (left.rules, left.description) == ((), ODD)
        with there.costs("secgroup.delete"):
            await driver.destroy_firewall(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.destroy_firewall(cloud, made.id)


async def test_one_range_of_several(served):
    async with served(instances=0) as there:
        admin = there.again(user="oneadmin")
        web = await driver.get_firewall(admin, "100")
        (port_80,) = [r for r in web.rules if r.port_from == 80]
        left = await driver.remove_firewall_rule(admin, "100", port_80.id)
        assert [r.id for r in left.rules] == [r.id for r in web.rules if r.id != port_80.id]
        rules = left.extra["TEMPLATE"]["RULE"]
        assert "22,443" in [rule.get("RANGE") for rule in rules]


async def test_rules_that_there_are_not(served):
    rules = (
        FirewallRuleSpec(protocol="gre"),
        FirewallRuleSpec(protocol="icmp", port_from=8, port_to=0),
        FirewallRuleSpec(protocol="icmp", port_from=900),
        FirewallRuleSpec(port_from=1, port_to=2),
        FirewallRuleSpec(protocol="tcp", port_from=9, port_to=8),
        FirewallRuleSpec(protocol="tcp", port_from=1, port_to=70000),
        FirewallRuleSpec(protocol="tcp", action=RuleAction.DENY),
        FirewallRuleSpec(sources=(RuleSource(cidr="nowhere"),)),
        FirewallRuleSpec(sources=(RuleSource(cidr="2001:db8::/32"),)),
        FirewallRuleSpec(sources=(RuleSource(kind=SourceKind.GROUP, group="100"),)),
    )
    async with served(instances=0) as there:
        for rule in rules:
            with there.costs(), pytest.raises(InvalidRequest):
                await driver.add_firewall_rule(there.cloud, "100", rule)


async def test_firewalls_of_others_and_in_use(served):
    async with served(instances=0) as there:
        cloud = there.cloud
        with pytest.raises(PermissionDenied):
            await driver.add_firewall_rule(cloud, "100", FirewallRuleSpec(protocol="udp"))
        made = await driver.create_firewall(cloud, FirewallSpec(name="mine"))
        with pytest.raises(Conflict, match="taken"):
            await driver.create_firewall(cloud, FirewallSpec(name="mine"))
        await driver.create_instance(
            cloud,
            InstanceSpec(image_id="0", hardware_profile_id="0", firewall_ids=(made.id,)),
        )
        with pytest.raises(Conflict):
            await driver.destroy_firewall(cloud, made.id)


async def test_rules_that_come_at_once(served):
    async with served(instances=0) as there:
        made = await driver.create_firewall(there.cloud, FirewallSpec(name="mine"))
        async with anyio.create_task_group() as tasks:
            for port in range(1, 9):
                rule = FirewallRuleSpec(protocol="tcp", port_from=port, port_to=port)
                tasks.start_soon(driver.add_firewall_rule, there.cloud, made.id, rule)
        found = await driver.get_firewall(there.cloud, made.id)
        assert sorted(r.port_from for r in found.rules) == list(range(1, 9))


# ------------------------------------------------------------------------------------------ keys


async def test_keys(served):
    async with served(instances=0) as there:
        cloud = there.cloud
        with there.costs("user.info", "user.update", "user.info"):
            made = await driver.create_key(cloud, KeySpec(name=ODD, public_key=f"  {KEY}\n"))
        assert (made.id, made.public_key) == (ODD, KEY)
        assert made.fingerprint.startswith("SHA256:")
        users_own, listed = (await driver.list_keys(cloud, None)).items
        assert listed == made == await driver.get_key(cloud, ODD)
        assert users_own.id == "SSH_PUBLIC_KEY"
        await driver.create_key(cloud, KeySpec(name=ODD, public_key=KEY))
        with pytest.raises(Conflict, match="already"):
            await driver.create_key(cloud, KeySpec(name=ODD, public_key=KEY[:-4]))
        with there.costs("user.info", "user.update", "user.info"):
            await driver.destroy_key(cloud, ODD)
        with pytest.raises(NotFound):
            await driver.destroy_key(cloud, ODD)
        assert [k.id for k in (await driver.list_keys(cloud, None)).items] == ["SSH_PUBLIC_KEY"]


async def test_the_rest_of_the_user_is_left_alone(served):
    async with served(instances=0) as there:
        before = dict(there.simulated.state.users[2].template)
        await driver.create_key(there.cloud, KeySpec(name="mine", public_key=KEY))
        await driver.destroy_key(there.cloud, "mine")
        after = dict(there.simulated.state.users[2].template)
        assert after.pop("ANABRANCH_KEYS") == "{}"
        assert after == before


async def test_the_users_own_key(served):
    async with served(instances=0) as there:
        cloud = there.cloud
        made = await driver.create_instance(
            cloud, InstanceSpec(image_id="0", hardware_profile_id="0", key_id="SSH_PUBLIC_KEY")
        )
        assert made.key_id == "SSH_PUBLIC_KEY"
        with pytest.raises(InvalidRequest):
            await driver.destroy_key(cloud, "SSH_PUBLIC_KEY")
        with pytest.raises(Conflict):
            await driver.create_key(cloud, KeySpec(name="SSH_PUBLIC_KEY", public_key=KEY))
        with pytest.raises(NotFound):
            await driver.get_key(there.again(user="neighbour"), "SSH_PUBLIC_KEY")


async def test_keys_that_there_are_not(served):
    async with served(instances=0) as there:
        for spec in (
            KeySpec(name="pair"),
            KeySpec(name="blank", public_key=" "),
            KeySpec(name=" ", public_key=KEY),
            KeySpec(name="n" * 129, public_key=KEY),
        ):
            with there.costs(), pytest.raises(InvalidRequest):
                await driver.create_key(there.cloud, spec)


async def test_keys_that_come_at_once(served):
    async with served(instances=0) as there:
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                spec = KeySpec(name=f"key {number}", public_key=KEY)
                tasks.start_soon(driver.create_key, there.cloud, spec)
        assert len((await driver.list_keys(there.cloud, None)).items) == 9


async def test_a_spoilt_attribute(served):
    async with served(instances=0) as there:
        text = "<TEMPLATE><ANABRANCH_KEYS>[1, 2</ANABRANCH_KEYS></TEMPLATE>"
        await session(there.cloud).change("user.update", 2, text, 1)
        assert len((await driver.list_keys(there.cloud, None)).items) == 1
        with pytest.raises(Conflict, match="ANABRANCH_KEYS") as caught:
            await driver.create_key(there.cloud, KeySpec(name="mine", public_key=KEY))
        assert "Mend it" in caught.value.remedy
        assert there.simulated.state.users[2].template.text("ANABRANCH_KEYS") == "[1, 2"
