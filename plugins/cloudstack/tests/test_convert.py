"""Models made of what a real CloudStack 4.22 sent."""

from datetime import UTC, datetime

import msgspec
import pytest

from anabranch.models import (
    Direction,
    ImageState,
    NetworkState,
    PropertyKind,
    RealmState,
    RuleAction,
    SourceKind,
)
from anabranch.states import InstanceAction, InstanceState
from anabranch_cloudstack import convert, convert_network, convert_storage, wire
from anabranch_cloudstack.machines import VM
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.rules import acl_rule, address_rule, security_rule
from anabranch_cloudstack.states import INSTANCE_STATES, view


def first(captured, name, kind, key, make):
    raw = captured(name).raw(key, 0)
    return make("lisbon", msgspec.json.decode(raw, type=kind), raw)


def every(captured, name, kind, key, make):
    reader = Reader(kind, key)
    listing = reader.listing(captured(name).raw())
    items, problems = reader.read_all(listing.items, lambda w, r: make("lisbon", w, r))
    assert not problems
    return items


def test_zones(captured):
    zones = every(captured, "listZones", wire.Zone, "zone", convert.realm)
    assert [z.name for z in zones] == ["simadv", "simadvsg", "simbasic"]
    assert {z.state for z in zones} == {RealmState.AVAILABLE}
    assert zones[0].extra["networktype"] == "Advanced"
    disabled = wire.Zone(id="1", allocationstate="Disabled")
    assert convert.realm("c", disabled, msgspec.Raw(b"{}")).state is RealmState.UNAVAILABLE


def test_offerings(captured):
    small, _, free, ranged = every(
        captured,
        "listServiceOfferings-withcustom",
        wire.ServiceOffering,
        "serviceoffering",
        convert.hardware_profile,
    )
    assert (small.cpu.value, small.memory_mib.value, small.storage_gb.value) == (1, 512, 0)
    assert {p.kind for p in small.properties.values()} == {PropertyKind.FIXED}
    assert small.extra["cpuspeed"] == 500
    assert free.cpu.kind is free.memory_mib.kind is PropertyKind.RANGE
    assert free.cpu.allows(64)
    assert (ranged.cpu.first, ranged.cpu.last) == (1, 4)
    assert (ranged.memory_mib.first, ranged.memory_mib.last) == (256, 2048)
    assert not ranged.memory_mib.allows(4096)


def test_a_virtual_machine(captured):
    made = first(
        captured,
        "listVirtualMachines-tagged",
        wire.VirtualMachine,
        "virtualmachine",
        convert.instance,
    )
    assert (made.name, made.state, made.platform_state) == ("VM uno", "RUNNING", "Running")
    assert InstanceAction.STOP in made.actions
    assert InstanceAction.START not in made.actions
    assert made.created_at == datetime(2026, 11, 22, 14, 43, 19, tzinfo=UTC)
    assert made.owner_id == "alice"
    assert made.hardware.memory_mib == 512
    assert [a.address for a in made.private_addresses] == ["10.1.1.212"]
    assert made.public_addresses == ()
    assert made.tags == {"a b": "c=d", "env": "dev"}
    assert made.key_id == "k1"
    assert made.client_token is None
    assert len(made.network_interface_ids) == 1
    assert made.extra["name"] == "vm1"
    assert "id" not in made.extra


def vm(**fields):
    raw = msgspec.Raw(msgspec.json.encode({"id": "1", "state": "Running", **fields}))
    return convert.instance("lisbon", VM.read(raw), raw)


def test_addresses_by_what_they_are():
    shared = {"id": "n", "type": "Shared", "ipaddress": "8.8.8.8", "ip6address": "fd00::1"}
    lan = {"id": "m", "type": "Shared", "ipaddress": "192.168.0.9"}
    odd = {"id": "o", "type": "Shared", "ipaddress": "nonsense"}
    found = vm(publicip="203.0.113.9", nic=[shared, lan, odd])
    assert [a.address for a in found.public_addresses] == ["203.0.113.9", "8.8.8.8"]
    assert [a.address for a in found.private_addresses] == ["fd00::1", "192.168.0.9", "nonsense"]


def test_old_and_new_spellings():
    assert vm(keypair="old").key_id == "old"
    assert vm(keypairs="a,b").key_id == "a,b"
    assert vm(details={convert.CLIENT_TOKEN: "t"}).client_token == "t"
    assert vm(details={convert.CLIENT_TOKEN: 7, "cpuNumber": 2}).client_token == "7"
    told = vm(password="hush")
    assert told.authentication.password.get_secret_value() == "hush"
    assert "hush" not in repr(told)
    assert "password" not in told.extra


@pytest.mark.parametrize(
    ("word", "state", "busy"),
    [
        ("Starting", "PENDING", True),
        ("Running", "RUNNING", False),
        ("Stopping", "STOPPING", True),
        ("Stopped", "STOPPED", False),
        ("Shutdown", "STOPPED", False),
        ("Migrating", "RUNNING", True),
        ("Restoring", "PENDING", True),
        ("Destroyed", "FINISH", False),
        ("Expunging", "FINISH", True),
        ("Error", "ERROR", False),
        ("Unknown", "UNKNOWN", False),
        ("Transmogrifying", "UNKNOWN", False),
    ],
)
def test_states(word, state, busy):
    found = view(word)
    assert (found.state, found.busy) == (state, busy)
    allowed = INSTANCE_STATES.actions(InstanceState(state))
    assert set(found.actions) <= set(allowed)
    if busy:
        assert found.actions == ()


def test_images(captured):
    rows = every(captured, "listTemplates-executable", wire.Template, "template", convert.image)
    assert len(rows) == 3
    assert len({row.id for row in rows}) == 1
    assert rows[0].state is ImageState.AVAILABLE
    assert rows[0].architecture == "x86_64"
    assert rows[0].size_bytes == 2147483648
    assert rows[0].public is True


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"isready": True}, ImageState.AVAILABLE),
        ({"isready": False, "status": "45% Downloaded"}, ImageState.PENDING),
        ({"isready": False, "status": "Download Error"}, ImageState.ERROR),
        ({"isready": False}, ImageState.PENDING),
        ({}, ImageState.UNKNOWN),
    ],
)
def test_states_of_images(fields, state):
    template = wire.Template(id="1", **fields)
    assert convert.image("c", template, msgspec.Raw(b"{}")).state is state


def test_keys(captured):
    (listed,) = every(captured, "listSSHKeyPairs", wire.KeyPair, "sshkeypair", convert.key)
    assert listed.id == listed.name == "k1"
    assert listed.fingerprint.count(":") == 15
    raw = captured("createSSHKeyPair").raw("keypair")
    made = convert.key("c", msgspec.json.decode(raw, type=wire.KeyPair), raw)
    assert made.private_key.get_secret_value().startswith("-----BEGIN")
    assert "privatekey" not in made.extra


def test_volumes(captured):
    attached = first(
        captured, "listVolumes-attached", wire.Volume, "volume", convert_storage.volume
    )
    assert (attached.state, attached.capacity_gb, attached.device) == ("IN-USE", 5, "1")
    assert attached.instance_id
    assert attached.bootable is False
    for word, state in (("Allocated", "AVAILABLE"), ("Resizing", "BUSY"), ("New", "UNKNOWN")):
        found = wire.Volume(id="1", state=word, size=1536 * 1024**2)
        volume = convert_storage.volume("c", found, msgspec.Raw(b"{}"))
        assert (volume.state, volume.capacity_gb) == (state, 1.5)


def test_snapshots(captured):
    found = first(captured, "listSnapshots", wire.Snapshot, "snapshot", convert_storage.snapshot)
    assert (found.name, found.state, found.size_gb) == ("s1", "AVAILABLE", 5)
    assert found.storage_volume_id


def test_networks_and_subnets(captured):
    networks = every(captured, "listNetworks", wire.Network, "network", convert_network.network)
    assert networks[0].state is NetworkState.UP
    assert networks[0].address_blocks == ("10.1.1.0/24",)
    assert networks[0].subnet_ids == (networks[0].id,)
    (tier,) = every(captured, "listNetworks-vpc", wire.Network, "network", convert_network.subnet)
    (vpc,) = every(captured, "listVPCs", wire.Vpc, "vpc", convert_network.vpc)
    assert vpc.subnet_ids == (tier.id,)
    assert tier.network_id == vpc.id
    assert tier.gateway == "10.9.1.1"
    bare = wire.Network(id="l2", type="L2")
    assert convert_network.subnet("c", bare, msgspec.Raw(b"{}")) is None


def test_addresses(captured):
    found = first(
        captured,
        "listPublicIpAddresses-static",
        wire.Address,
        "publicipaddress",
        convert_network.address,
    )
    assert (found.ip, found.private_ip) == ("192.168.2.6", "10.1.1.212")
    assert found.associated
    assert found.extra["isstaticnat"] is True


def test_rules_of_one_address_are_one_balancer():
    rules = [
        wire.LoadBalancerRule(id="b", name="web", publicipid="ip", publicport="443", privateport=1),
        wire.LoadBalancerRule(id="a", name="web", publicipid="ip", publicport=80, privateport="2"),
    ]
    found = convert_network.load_balancer("c", rules, ["i", "j", "i"])
    assert (found.id, found.name) == ("ip", "web")
    assert [(x.load_balancer_port, x.instance_port) for x in found.listeners] == [(80, 2), (443, 1)]
    assert found.instance_ids == ("i", "j")
    assert [rule["id"] for rule in found.extra["rules"]] == ["a", "b"]


def test_rules_of_security_groups(captured):
    raw = captured("listSecurityGroups-one").raw("securitygroup", 0)
    group = msgspec.json.decode(raw, type=wire.SecurityGroup)
    ssh, by_group, ping = (security_rule(r, Direction.INGRESS) for r in group.ingressrule)
    assert (ssh.protocol, ssh.port_from, ssh.port_to) == ("tcp", 22, 22)
    assert ssh.sources[0].cidr == "0.0.0.0/0"
    assert by_group.sources[0].kind is SourceKind.GROUP
    assert (by_group.sources[0].group, by_group.sources[0].owner) == ("default", "alice")
    assert (ping.port_from, ping.port_to) == (8, 0)
    everything = security_rule(group.egressrule[0], Direction.EGRESS)
    assert (everything.protocol, everything.port_from) == (None, None)


def test_rules_of_addresses_and_acls(captured):
    decode = msgspec.json.decode
    raw = captured("listFirewallRules").raw("firewallrule")
    rules = [address_rule(rule) for rule in decode(raw, type=list[wire.Rule])]
    assert [len(rule.sources) for rule in rules] == [1, 1, 2]
    assert (rules[1].protocol, rules[1].port_from) == ("icmp", None)
    raw = captured("listNetworkACLs").raw("networkacl", 0)
    acl = acl_rule(decode(raw, type=wire.AclRule))
    assert (acl.port_from, acl.action, acl.direction) == (443, RuleAction.ACCEPT, "ingress")


def test_quotas(captured):
    used = {"vmtotal": "3", "cputotal": 4, "memorytotal": None}
    reader = Reader(wire.ResourceLimit, "resourcelimit")
    listing = reader.listing(captured("listResourceLimits").raw())
    quotas, _ = reader.read_all(listing.items, lambda w, r: convert.quota("c", w, used, r))
    by_name = {quota.id: quota for quota in quotas}
    assert (by_name["instances"].limit, by_name["instances"].used) == (None, 3)
    assert (by_name["cpu"].limit, by_name["cpu"].used) == (40, 4)
    assert (by_name["memory"].limit, by_name["memory"].used, by_name["memory"].unit) == (
        40960,
        None,
        "MiB",
    )
    assert "gpu" in by_name  # what is newer than this table is told under its own name


def test_an_odd_item_is_a_problem_and_not_the_end_of_the_list():
    items = [b'{"id":"1","nic":7,"displayname":"x"}', b"[]", b'{"name":"no id"}', b'{"id":"2"}']
    raws = [msgspec.Raw(item) for item in items]
    found, problems = VM.read_all(raws, lambda w, r: convert.instance("c", w, r))
    assert [(i.id, i.name) for i in found] == [("1", "x"), ("2", "")]
    assert [p.id for p in problems] == ["1", "", "no id"]
    assert "nic" in problems[0].message
