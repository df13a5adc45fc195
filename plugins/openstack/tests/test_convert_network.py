"""Documents of neutron and octavia, as real ones were captured, to models."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from anabranch.errors import Conflict, InvalidState
from anabranch.models import (
    Direction,
    Listener,
    NetworkState,
    RuleSource,
    SourceKind,
    to_builtins,
)
from anabranch.reading import Reader
from anabranch_openstack import convert_load_balancer, convert_network
from anabranch_openstack import wire_load_balancer as octavia
from anabranch_openstack import wire_network as neutron
from anabranch_openstack.replies import failure


def read(kind, document):
    """An item as its reader hands it on, and its JSON."""
    raw = msgspec.Raw(json.dumps(document).encode())
    (found,), problems = Reader(kind).read_all([raw], lambda item, _: item)
    assert not problems
    return found, raw


def test_a_network(captured):
    document = captured("neutron networks").body["networks"][0]
    found = convert_network.network(
        "lisbon", *read(neutron.Network, document), {document["id"]: ["203.0.113.0/24"]}
    )
    assert (found.name, found.state, found.external) == ("public", NetworkState.UP, True)
    assert found.address_blocks == ("203.0.113.0/24",)
    assert found.subnet_ids == tuple(document["subnets"])
    assert (found.extra["mtu"], "subnets" in found.extra) == (1500, False)


@pytest.mark.parametrize(
    ("status", "state"),
    [("ACTIVE", "UP"), ("DOWN", "DOWN"), ("BUILD", "PENDING"), ("ERROR", "ERROR"), ("", "UNKNOWN")],
)
def test_states(status, state):
    document = {"id": "n", "status": status}
    assert convert_network.network("lisbon", *read(neutron.Network, document), {}).state == state
    assert convert_network.network_interface("x", *read(neutron.Port, document)).state == state


def test_a_subnet(captured):
    document = captured("neutron subnet").body["subnet"]
    found = convert_network.subnet("lisbon", *read(neutron.Subnet, document))
    assert (found.address_block, found.gateway) == ("10.10.0.0/22", "10.10.0.1")
    assert (found.kind, found.network_id) == ("PRIVATE", document["network_id"])
    del document["router:external"]
    assert convert_network.subnet("lisbon", *read(neutron.Subnet, document)).kind is None


def test_a_port_of_a_server(captured):
    document = captured("neutron ports of server").body["ports"][0]
    found = convert_network.network_interface("lisbon", *read(neutron.Port, document))
    assert found.instance_id == "86e0df74-8ef6-40f9-b2da-088f357f6999"
    assert (found.ip_addresses, found.mac_address) == (("10.10.3.194",), "fa:16:3e:60:67:b7")
    assert found.subnet_id == "07669c12-b172-4684-8b45-ad4c14852b43"
    assert found.firewall_ids == ("3d478adf-a449-4dd7-8f09-8d25e1204a8d",)


@pytest.mark.parametrize("owner", ["network:dhcp", "network:router_interface", "Octavia", "", None])
def test_a_port_of_something_else(owner):
    document = {"id": "p", "device_id": "d", "device_owner": owner}
    found = convert_network.network_interface("lisbon", *read(neutron.Port, document))
    assert (found.instance_id, found.ip_addresses, found.subnet_id) == (None, (), None)


def test_an_address(captured):
    document = captured("neutron fip associate").body["floatingip"]
    found = convert_network.address("lisbon", *read(neutron.FloatingIp, document))
    assert (found.ip, found.private_ip) == ("203.0.113.85", "10.10.3.194")
    assert found.instance_id == "86e0df74-8ef6-40f9-b2da-088f357f6999"
    assert found.network_interface_id == "b01f3ec1-3f38-4683-b4c7-1a0959fbd7ad"
    assert found.platform_state == "DOWN"
    document["port_details"]["device_owner"] = "Octavia"
    assert convert_network.address("x", *read(neutron.FloatingIp, document)).instance_id is None


def test_a_firewall(captured):
    document = captured("neutron sg create").body["security_group"]
    found = convert_network.firewall("lisbon", *read(neutron.SecurityGroup, document))
    assert (found.name, found.description) == ("cap-sg", "x")
    assert found.owner_id == document["project_id"]
    assert [(r.direction, r.sources[0].cidr) for r in found.rules] == [
        (Direction.EGRESS, "::/0"),
        (Direction.EGRESS, "0.0.0.0/0"),
    ]
    assert to_builtins(found)["rules"][0]["id"] == document["security_group_rules"][0]["id"]


@pytest.mark.parametrize(
    ("fields", "source"),
    [
        ({"remote_ip_prefix": "192.0.2.0/24"}, RuleSource(cidr="192.0.2.0/24")),
        ({"remote_group_id": "g"}, RuleSource(kind=SourceKind.GROUP, group="g")),
        ({"remote_address_group_id": "a"}, RuleSource(kind=SourceKind.GROUP, group="a")),
        ({"ethertype": "IPv4"}, RuleSource(cidr="0.0.0.0/0")),
        ({}, RuleSource()),
    ],
)
def test_the_other_end_of_a_rule(fields, source):
    document = {"id": "f", "security_group_rules": [{"id": "r", **fields}]}
    found = convert_network.firewall("lisbon", *read(neutron.SecurityGroup, document))
    assert found.rules[0].sources == (source,)


def balancer(captured, tags=(), tree=True):
    found = read(octavia.LoadBalancer, captured("octavia show").body["loadbalancer"])
    document = {**captured("octavia listener").body["listener"], "tags": list(tags)}
    listener, _ = read(octavia.Listener, document)
    status = msgspec.convert(captured("octavia status").body, octavia.StatusDocument)
    return convert_load_balancer.load_balancer(
        "lisbon", *found, [listener], status.statuses.loadbalancer if tree else None, ["i"]
    )


def test_a_load_balancer(captured):
    found = balancer(captured)
    assert (found.name, found.platform_state) == ("front", "ACTIVE/ONLINE")
    assert found.created_at == datetime(2026, 11, 22, 15, 21, 41, tzinfo=UTC)
    assert (found.public_addresses, found.instance_ids) == (("10.10.2.179",), ("i",))
    assert found.extra["vip_port_id"] == "b771e632-d4ec-4410-ab55-7c5b4c49cc60"


@pytest.mark.parametrize(
    ("tags", "tree", "port"),
    [
        (["x", "anabranch:instance_port=9000"], True, 9000),
        (["anabranch:instance_port=http"], True, 8080),
        ([], True, 8080),
        ([], False, 80),
    ],
)
def test_the_port_of_the_instances(captured, tags, tree, port):
    (listener,) = balancer(captured, tags, tree).listeners
    assert listener == Listener(protocol="HTTP", load_balancer_port=80, instance_port=port)


@pytest.mark.parametrize(
    ("label", "kind", "code"),
    [
        ("neutron rule duplicate", Conflict, "SecurityGroupRuleExists"),
        ("octavia immutable", InvalidState, "409"),
    ],
)
def test_refusals(captured, label, kind, code):
    error = failure(captured(label).reply)
    assert (type(error), error.provider_code) == (kind, code)
