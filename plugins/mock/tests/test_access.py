"""Keys, firewalls, addresses and load balancers."""

import re

import msgspec
import pytest

from anabranch.errors import Conflict, InvalidRequest, NotFound, QuotaExceeded
from anabranch.models import (
    AddressSpec,
    FirewallRuleSpec,
    FirewallSpec,
    InstanceSpec,
    KeySpec,
    Listener,
    LoadBalancerSpec,
    NetworkSpec,
    RuleSource,
    SourceKind,
    to_builtins,
)

PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8lfdAvPTbq7cWxkyLKfHN4WOwYe5yPZTGcMSJHxqYV me"
ANYWHERE = (RuleSource(cidr="0.0.0.0/0"),)


async def test_a_key_pair_is_told_once(driver, cloud):
    key = await driver.create_key(cloud, KeySpec(name="mine"))
    assert key.id == key.name == "mine"
    assert key.private_key is not None
    secret = key.private_key.get_secret_value()
    assert secret.startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    assert secret not in repr(key)
    assert secret not in str(to_builtins(key))
    kept = await driver.get_key(cloud, "mine")
    assert kept == msgspec.structs.replace(key, private_key=None)
    assert re.fullmatch(r"([0-9a-f]{2}:){15}[0-9a-f]{2}", kept.fingerprint)
    again = await driver.create_key(cloud, KeySpec(name="another"))
    assert again.public_key != key.public_key


async def test_a_key_is_imported(driver, cloud):
    key = await driver.create_key(cloud, KeySpec(name="mine", public_key=PUBLIC + "\n"))
    assert (key.public_key, key.private_key) == (PUBLIC, None)
    other = await driver.create_key(cloud, KeySpec(name="same", public_key=PUBLIC))
    assert other.fingerprint == key.fingerprint


@pytest.mark.parametrize(
    "public_key",
    ["", "ssh-rsa", "ssh-rsa !!!!", "ssh-rsa AAAA", PUBLIC.replace("ed25519", "rsa"), "é é"],
)
async def test_what_is_no_key_is_refused(public_key, driver, cloud):
    with pytest.raises(InvalidRequest, match="public_key"):
        await driver.create_key(cloud, KeySpec(name="mine", public_key=public_key))


async def test_keys_by_name(driver, cloud):
    with pytest.raises(Conflict, match="there is a key 'test-key' already"):
        await driver.create_key(cloud, KeySpec(name="test-key"))
    with pytest.raises(InvalidRequest, match="name"):
        await driver.create_key(cloud, KeySpec(name=""))
    await driver.destroy_key(cloud, "test-key")
    with pytest.raises(NotFound):
        await driver.destroy_key(cloud, "test-key")


async def test_firewall_rules(driver, cloud):
    firewall = await driver.create_firewall(cloud, FirewallSpec(name="mine", description="all"))
    spec = FirewallRuleSpec(protocol="udp", port_from=53, port_to=53, sources=ANYWHERE)
    once = await driver.add_firewall_rule(cloud, firewall.id, spec)
    twice = await driver.add_firewall_rule(cloud, firewall.id, spec)
    assert once == twice
    (rule,) = once.rules
    assert (rule.protocol, rule.port_from, rule.sources) == ("udp", 53, ANYWHERE)
    group = RuleSource(kind=SourceKind.GROUP, group="default")
    both = await driver.add_firewall_rule(cloud, firewall.id, FirewallRuleSpec(sources=(group,)))
    assert len({r.id for r in both.rules}) == 2
    left = await driver.remove_firewall_rule(cloud, firewall.id, rule.id)
    assert [r.sources for r in left.rules] == [(group,)]
    with pytest.raises(NotFound, match="has no rule"):
        await driver.remove_firewall_rule(cloud, firewall.id, rule.id)
    await driver.destroy_firewall(cloud, firewall.id)
    with pytest.raises(NotFound):
        await driver.add_firewall_rule(cloud, firewall.id, spec)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"protocol": "gopher"}, "protocol"),
        ({"port_from": 70000}, "port_from"),
        ({"port_from": 80, "port_to": 79}, "port_from"),
        ({"port_from": -1}, "port_from"),
        ({"sources": ()}, "sources"),
        ({"sources": (RuleSource(cidr="10.0.0.1/8"),)}, "sources.cidr"),
        ({"sources": (RuleSource(),)}, "sources.cidr"),
        ({"sources": (RuleSource(kind=SourceKind.GROUP, group="x"),)}, "sources.group"),
    ],
)
async def test_wrong_rules(fields, named, driver, cloud):
    spec = FirewallRuleSpec(**{"protocol": "tcp", "sources": ANYWHERE, **fields})
    with pytest.raises(InvalidRequest, match=named):
        await driver.add_firewall_rule(cloud, "fw1", spec)


async def test_firewalls_in_conflict_and_full(driver, make_cloud):
    cloud = make_cloud(quotas={"firewall_rules": 2})
    with pytest.raises(Conflict, match="named 'default'"):
        await driver.create_firewall(cloud, FirewallSpec(name="default"))
    with pytest.raises(QuotaExceeded, match="2 rules"):
        await driver.add_firewall_rule(cloud, "fw1", FirewallRuleSpec(sources=ANYWHERE))
    await driver.create_instance(cloud, InstanceSpec(image_id="img1", firewall_ids=("fw1",)))
    with pytest.raises(Conflict, match="in use by instance 'inst4'"):
        await driver.destroy_firewall(cloud, "fw1")


async def test_an_address_takes_the_place_of_the_public_name(driver, cloud):
    before = (await driver.get_instance(cloud, "inst0")).public_addresses
    address = await driver.associate_address(cloud, "192.168.0.2", "inst0")
    assert (address.instance_id, address.associated) == ("inst0", True)
    assert await driver.associate_address(cloud, "192.168.0.2", "inst0") == address
    instance = await driver.get_instance(cloud, "inst0")
    assert [a.address for a in instance.public_addresses] == ["192.168.0.2"]
    with pytest.raises(Conflict, match="leads to instance 'inst0'"):
        await driver.associate_address(cloud, "192.168.0.2", "inst1")
    with pytest.raises(Conflict):
        await driver.destroy_address(cloud, "192.168.0.2")
    await driver.associate_address(cloud, "192.168.0.3", "inst0")
    await driver.disassociate_address(cloud, "192.168.0.3")
    address = await driver.disassociate_address(cloud, "192.168.0.2")
    assert not address.associated
    assert await driver.disassociate_address(cloud, "192.168.0.2") == address
    assert (await driver.get_instance(cloud, "inst0")).public_addresses == before
    await driver.destroy_address(cloud, "192.168.0.2")
    with pytest.raises(NotFound):
        await driver.associate_address(cloud, "192.168.0.1", "inst9")


async def test_addresses_come_from_a_pool(driver, make_cloud):
    cloud = make_cloud(quotas={"addresses": 1000})
    await driver.destroy_address(cloud, "192.168.0.3")
    ips = [(await driver.create_address(cloud, AddressSpec())).ip for _ in range(251)]
    assert ips[:2] == ["192.168.0.3", "192.168.0.5"]
    assert ips[-1] == "192.168.0.254"
    with pytest.raises(QuotaExceeded, match="all addresses of network 'net1' are taken"):
        await driver.create_address(cloud, AddressSpec())


async def test_addresses_in_a_place(driver, make_cloud):
    cloud = make_cloud(quotas={"addresses": 5})
    address = await driver.create_address(cloud, AddressSpec(network_id="net1", realm_id="eu"))
    assert (address.network_id, address.realm_id) == ("net1", "eu")
    for spec, named in [
        (AddressSpec(network_id="net2"), "does not lead outside"),
        (AddressSpec(network_id="net9"), "network_id"),
        (AddressSpec(realm_id="moon"), "realm_id"),
    ]:
        with pytest.raises(InvalidRequest, match=named):
            await driver.create_address(cloud, spec)
    with pytest.raises(QuotaExceeded, match="5 of 5"):
        await driver.create_address(cloud, AddressSpec())


async def test_no_network_no_address(driver, make_cloud):
    cloud = make_cloud(dataset="empty")
    await driver.destroy_network(cloud, "net1")
    await driver.create_network(cloud, NetworkSpec())
    with pytest.raises(InvalidRequest, match="no network that leads outside"):
        await driver.create_address(cloud, AddressSpec())


async def test_load_balancers(driver, cloud):
    listeners = (Listener(protocol="HTTP", load_balancer_port=80, instance_port=8080),)
    spec = LoadBalancerSpec(name="mine", listeners=listeners, realm_id="eu", network_id="subnet1")
    balancer = await driver.create_load_balancer(cloud, spec)
    assert (balancer.id, balancer.realm_id, balancer.listeners) == ("lb2", "eu", listeners)
    balancer = await driver.register_instance(cloud, "lb2", "inst0")
    assert await driver.register_instance(cloud, "lb2", "inst0") == balancer
    assert balancer.instance_ids == ("inst0",)
    with pytest.raises(NotFound):
        await driver.register_instance(cloud, "lb2", "inst9")
    balancer = await driver.unregister_instance(cloud, "lb2", "inst0")
    assert await driver.unregister_instance(cloud, "lb2", "inst0") == balancer
    assert balancer.instance_ids == ()
    await driver.destroy_load_balancer(cloud, "lb2")
    with pytest.raises(NotFound):
        await driver.unregister_instance(cloud, "lb2", "inst0")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"name": ""}, "name"),
        ({"listeners": ()}, "listeners"),
        ({"realm_id": "x"}, "realm_id"),
        ({"network_id": "x"}, "network_id"),
        ({"protocol": "SMTP"}, "listeners.protocol"),
        ({"instance_port": 0}, "listeners.instance_port"),
        ({"load_balancer_port": 65536}, "listeners.load_balancer_port"),
    ],
)
async def test_wrong_load_balancers(fields, named, driver, cloud):
    listener = {"protocol": "TCP", "load_balancer_port": 1, "instance_port": 1}
    changed = {k: v for k, v in fields.items() if k in listener}
    rest = {k: v for k, v in fields.items() if k not in listener}
    spec = {"name": "mine", "listeners": (Listener(**(listener | changed)),), **rest}
    with pytest.raises(InvalidRequest, match=named):
        await driver.create_load_balancer(cloud, LoadBalancerSpec(**spec))
