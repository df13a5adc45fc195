"""Firewalls over the wire: rules by source, what is there already, what neutron refuses."""

from contextlib import contextmanager

import msgspec
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.models import (
    Direction,
    FirewallRuleSpec,
    FirewallSpec,
    RuleAction,
    RuleSource,
    SourceKind,
)
from anabranch_openstack import driver

NOBODY = "00000000-0000-0000-0000-000000000000"
MANY = RuleSource(cidr="192.0.2.0/24")


@contextmanager
def costs(simulated, *lines):
    """The requests of the block: method, and the end of the path."""
    before = len(simulated.requests)
    yield
    asked = list(simulated.requests)[before:]
    assert [r.method for r in asked] == [line.split()[0] for line in lines], asked
    for request, line in zip(asked, lines, strict=True):
        assert request.path.endswith(line.split()[1]), asked


def neutron(simulated):
    return simulated.state.regions["RegionOne"].networks


async def test_the_life_of_a_firewall(served):
    async with served(instances=1) as (simulated, cloud, _):
        await driver.check(cloud)
        with costs(simulated, "POST /security-groups"):
            made = await driver.create_firewall(cloud, FirewallSpec(name="f", description="d"))
        assert (made.name, made.description) == ("f", "d")
        assert {r.direction for r in made.rules} == {Direction.EGRESS}
        assert {r.sources[0].cidr for r in made.rules} == {"0.0.0.0/0", "::/0"}
        spec = FirewallRuleSpec(protocol="tcp", port_from=80, port_to=81, sources=(MANY,))
        with costs(simulated, "POST /security-group-rules", f"GET /security-groups/{made.id}"):
            found = await driver.add_firewall_rule(cloud, made.id, spec)
        (rule,) = [r for r in found.rules if r.protocol == "tcp"]
        assert (rule.port_from, rule.port_to, rule.sources) == (80, 81, (MANY,))
        again = await driver.add_firewall_rule(cloud, made.id, spec)
        assert {r.id for r in again.rules} == {r.id for r in found.rules}
        with costs(
            simulated,
            f"GET /security-groups/{made.id}",
            f"DELETE /security-group-rules/{rule.id}",
        ):
            rest = await driver.remove_firewall_rule(cloud, made.id, rule.id)
        assert {r.id for r in rest.rules} == {r.id for r in made.rules}
        with pytest.raises(NotFound, match="has no rule"):
            await driver.remove_firewall_rule(cloud, made.id, rule.id)
        with costs(simulated, f"DELETE /security-groups/{made.id}"):
            await driver.destroy_firewall(cloud, made.id)


async def test_a_rule_of_another_firewall_is_none_of_this_one(served):
    async with served(instances=1) as (_, cloud, _url):
        one, two = (await driver.list_firewalls(cloud, None)).items
        with pytest.raises(NotFound):
            await driver.remove_firewall_rule(cloud, one.id, two.rules[0].id)
        assert (await driver.get_firewall(cloud, two.id)).rules == two.rules


async def test_several_sources_are_several_rules_or_none(served):
    async with served(instances=1) as (simulated, cloud, _):
        made = await driver.create_firewall(cloud, FirewallSpec(name="f"))
        sources = (MANY, RuleSource(cidr="2001:db8::/32"), MANY)
        spec = FirewallRuleSpec(protocol="udp", port_from=53, port_to=53, sources=sources)
        with costs(simulated, "POST /security-group-rules", f"GET /security-groups/{made.id}"):
            found = await driver.add_firewall_rule(cloud, made.id, spec)
        assert {s.cidr for r in found.rules if r.protocol == "udp" for s in r.sources} == {
            "192.0.2.0/24",
            "2001:db8::/32",
        }
        more = (*sources, RuleSource(cidr="198.51.100.0/24"))
        wider = msgspec.structs.replace(spec, sources=more)
        found = await driver.add_firewall_rule(cloud, made.id, wider)
        assert len([r for r in found.rules if r.protocol == "udp"]) == 3
        neutron(simulated).limits["security_group_rule"] = 0
        with pytest.raises(QuotaExceeded):
            await driver.add_firewall_rule(
                cloud, made.id, msgspec.structs.replace(wider, port_to=54)
            )
        assert (await driver.get_firewall(cloud, made.id)).rules == found.rules


async def test_a_firewall_as_source(served):
    async with served(instances=1) as (simulated, cloud, _):
        made = await driver.create_firewall(cloud, FirewallSpec(name="f"))
        by_id = RuleSource(kind=SourceKind.GROUP, group=made.id)
        with costs(simulated, "POST /security-group-rules", f"GET /security-groups/{made.id}"):
            found = await driver.add_firewall_rule(
                cloud, made.id, FirewallRuleSpec(sources=(by_id,))
            )
        assert [r.sources for r in found.rules][-1] == (by_id,)
        by_name = RuleSource(kind=SourceKind.GROUP, group="web")
        spec = FirewallRuleSpec(protocol="ipv6-icmp", sources=(by_name,))
        found = await driver.add_firewall_rule(cloud, made.id, spec)
        web = next(f for f in (await driver.list_firewalls(cloud, None)).items if f.name == "web")
        assert found.rules[-1].sources == (RuleSource(kind=SourceKind.GROUP, group=web.id),)
        await driver.create_firewall(cloud, FirewallSpec(name="web"))
        with pytest.raises(InvalidRequest, match=r"several firewalls are named 'web'\. Use the id"):
            await driver.add_firewall_rule(cloud, made.id, spec)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"action": RuleAction.DENY}, "only accepts traffic"),
        ({"sources": ()}, "no source"),
        ({"sources": (RuleSource(cidr="bogus"),)}, "no block of addresses"),
        ({"sources": (RuleSource(kind=SourceKind.GROUP),)}, "needs its id or name"),
        ({"sources": (RuleSource(kind=SourceKind.GROUP, group="no"),)}, "no firewall is named"),
        ({"protocol": "blah"}, "protocol blah not supported"),
        ({"protocol": None}, "Must also specify protocol"),
        ({"port_from": 90}, "must be <="),
        ({"port_to": 70000}, "Invalid value for port 70000"),
    ],
)
async def test_rules_that_there_are_not(served, fields, text):
    async with served(instances=1) as (_, cloud, _url):
        made = await driver.create_firewall(cloud, FirewallSpec(name="f"))
        spec = {"protocol": "tcp", "port_from": 80, "port_to": 80, "sources": (MANY,), **fields}
        with pytest.raises(InvalidRequest, match=text):
            await driver.add_firewall_rule(cloud, made.id, FirewallRuleSpec(**spec))


async def test_firewalls_that_stay(served):
    async with served(instances=1) as (_, cloud, _url):
        for firewall in (await driver.list_firewalls(cloud, None)).items:
            with pytest.raises(Conflict):
                await driver.destroy_firewall(cloud, firewall.id)
        with pytest.raises(Conflict):
            await driver.create_firewall(cloud, FirewallSpec(name="default"))
        with pytest.raises(NotFound):
            await driver.add_firewall_rule(cloud, NOBODY, FirewallRuleSpec(sources=(MANY,)))
