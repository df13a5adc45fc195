"""Firewalls of the three kinds over the wire."""

import msgspec
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound
from anabranch.models import (
    FirewallRuleSpec,
    FirewallSpec,
    NetworkSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch_cloudstack import driver

SSH = FirewallRuleSpec(
    protocol="tcp", port_from=22, port_to=22, sources=(RuleSource(cidr="192.0.2.0/24"),)
)


async def test_a_security_group_and_its_rules(served):
    async with served(instances=1) as world:
        cloud = world.cloud
        with world.costs("listZones", "createSecurityGroup"):
            made = await driver.create_firewall(cloud, FirewallSpec(name="web", description="d"))
        assert (made.name, made.description, made.rules) == ("web", "d", ())
        with world.costs(
            "listSecurityGroups", "authorizeSecurityGroupIngress", "listSecurityGroups"
        ):
            found = await driver.add_firewall_rule(cloud, made.id, SSH)
        assert [(r.port_from, r.sources[0].cidr) for r in found.rules] == [(22, "192.0.2.0/24")]
        with world.costs("listSecurityGroups"):  # it is there already
            assert await driver.add_firewall_rule(cloud, made.id, SSH) == found
        more = msgspec.structs.replace(
            SSH, sources=(*SSH.sources, RuleSource(cidr="198.51.100.0/24"))
        )
        found = await driver.add_firewall_rule(cloud, made.id, more)
        assert len(found.rules) == 2
        rule = found.rules[0]
        with world.costs("listSecurityGroups", "revokeSecurityGroupIngress"):
            left = await driver.remove_firewall_rule(cloud, made.id, rule.id)
        assert left.rules == (await driver.get_firewall(cloud, made.id)).rules
        assert rule.id not in {r.id for r in left.rules}
        with pytest.raises(NotFound):
            await driver.remove_firewall_rule(cloud, made.id, rule.id)
        await driver.destroy_firewall(cloud, made.id)
        with pytest.raises(NotFound):
            await driver.get_firewall(cloud, made.id)


async def test_rules_of_other_kinds(served):
    async with served(instances=1) as world:
        cloud = world.cloud
        group = await driver.create_firewall(cloud, FirewallSpec(name="web"))
        other = await world.named(cloud, "firewalls", "default")
        by_group = RuleSource(kind=SourceKind.GROUP, group=other.id)
        for spec in (
            FirewallRuleSpec(protocol="icmp", port_from=8, port_to=0),
            FirewallRuleSpec(protocol="icmp", sources=(RuleSource(cidr="10.0.0.0/8"),)),
            FirewallRuleSpec(protocol="udp", port_from=53, sources=(by_group,)),
            FirewallRuleSpec(sources=(RuleSource(cidr="10.0.0.0/8"),), direction="egress"),
            FirewallRuleSpec(protocol="tcp", sources=(RuleSource(cidr="10.0.0.0/8"), by_group)),
        ):
            converted = msgspec.convert(msgspec.to_builtins(spec), FirewallRuleSpec)
            found = await driver.add_firewall_rule(cloud, group.id, converted)
            assert await driver.add_firewall_rule(cloud, group.id, converted) == found
        rules = (await driver.get_firewall(cloud, group.id)).rules
        assert {s.group for r in rules for s in r.sources if s.kind is SourceKind.GROUP} == {
            "default"
        }
        assert any(r.direction == "egress" and r.protocol is None for r in rules)
        assert any((r.port_from, r.port_to) == (53, 53) for r in rules)
        for bad in (
            FirewallRuleSpec(protocol="tcp", port_from=0, port_to=70000),
            FirewallRuleSpec(port_from=80),
            FirewallRuleSpec(protocol="tcp", port_from=1, action=RuleAction.DENY),
        ):
            with pytest.raises(InvalidRequest):
                await driver.add_firewall_rule(cloud, group.id, bad)
        with pytest.raises(Conflict):
            await driver.destroy_firewall(cloud, other.id)
        with pytest.raises(Conflict):
            await driver.create_firewall(cloud, FirewallSpec(name="web"))


async def test_a_rule_that_cannot_be_asked_for_here_stands_in_nobodys_way(served):
    async with served(instances=1) as world:
        cloud = world.cloud
        group = await driver.create_firewall(cloud, FirewallSpec(name="web"))
        await driver.add_firewall_rule(cloud, group.id, SSH)
        (held,) = world.simulated.state.security_groups[group.id].ingress
        held.protocol = "6"  # CloudStack takes numbers of protocols, and then ports with them
        found = await driver.add_firewall_rule(cloud, group.id, SSH)
        assert {(r.protocol, r.port_from) for r in found.rules} == {("6", 22), ("tcp", 22)}


async def test_the_firewall_of_an_address(served):
    async with served(instances=2) as world:
        cloud = world.cloud
        address = (await world.everything(cloud, "addresses"))[0]
        wall = await driver.get_firewall(cloud, f"address-{address.id}")
        assert (wall.name, wall.rules) == (address.ip, ())
        with world.costs(
            "listPublicIpAddresses",
            "listFirewallRules",
            "createFirewallRule",
            "listPublicIpAddresses",
            "listFirewallRules",
        ):
            wall = await driver.add_firewall_rule(cloud, wall.id, SSH)
        assert [(r.port_from, r.sources[0].cidr) for r in wall.rules] == [(22, "192.0.2.0/24")]
        assert await driver.add_firewall_rule(cloud, wall.id, SSH) == wall
        listed = {w.id: w for w in await world.everything(cloud, "firewalls")}
        assert listed[wall.id].rules == wall.rules
        assert (await driver.remove_firewall_rule(cloud, wall.id, wall.rules[0].id)).rules == ()
        with pytest.raises(NotFound):
            await driver.remove_firewall_rule(cloud, wall.id, wall.rules[0].id)
        with pytest.raises(Conflict, match="goes with it"):
            await driver.destroy_firewall(cloud, wall.id)
        for bad in (
            msgspec.structs.replace(SSH, action=RuleAction.DENY),
            msgspec.structs.replace(SSH, sources=(RuleSource(kind=SourceKind.GROUP, group="x"),)),
        ):
            with pytest.raises(InvalidRequest):
                await driver.add_firewall_rule(cloud, wall.id, bad)


async def test_a_list_of_network_acls(served):
    async with served(instances=0) as world:
        cloud = world.cloud
        vpc = await driver.create_network(cloud, NetworkSpec(name="v"))
        simulated = world.simulated.state.acl_lists
        kind = type(next(iter(simulated.values())))
        acl = kind(
            id=world.simulated.state.new_id(), name="mine", text="", account="demo", vpc=vpc.id
        )
        world.simulated.state.add(simulated, acl)
        wall = await driver.get_firewall(cloud, f"acl-{acl.id}")
        assert (wall.name, wall.rules) == ("mine", ())
        deny = msgspec.structs.replace(SSH, action=RuleAction.DENY)
        for spec in (SSH, deny):
            wall = await driver.add_firewall_rule(cloud, wall.id, spec)
            assert await driver.add_firewall_rule(cloud, wall.id, spec) == wall
        assert [r.action for r in wall.rules] == [RuleAction.ACCEPT, RuleAction.DENY]
        left = await driver.remove_firewall_rule(cloud, wall.id, wall.rules[0].id)
        assert [r.action for r in left.rules] == [RuleAction.DENY]
        assert wall.id in {w.id for w in await world.everything(cloud, "firewalls")}
        await driver.destroy_firewall(cloud, wall.id)
        with pytest.raises(NotFound):
            await driver.get_firewall(cloud, wall.id)
