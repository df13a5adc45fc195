"""Networks, addresses and rules: what the recorded walk does not show."""

from __future__ import annotations

import pytest

from anabranch.testing.simulation import serve
from anabranch_cloudstack.simulator import simulator


@pytest.fixture
def network(api):
    return api.rows("listNetworks", name="demo-net")[0]


@pytest.fixture
def address(api, network):
    return api.done("associateIpAddress", networkid=network["id"])["id"]


def test_a_network_comes_to_life_with_its_first_machine(api, deployable, network):
    offering = api.rows("listNetworkOfferings", availability="Required")[0]["id"]
    made = {"name": "n2", "zoneid": network["zoneid"], "networkofferingid": offering}
    new = api.call("createNetwork", **made, gateway="172.20.0.1", netmask="255.255.255.0")[
        "network"
    ]
    assert (new["state"], new["cidr"]) == ("Allocated", "172.20.0.0/24")
    before = api.call("listPublicIpAddresses")["count"]
    machine = api.done(
        "deployVirtualMachine", **deployable, networkids=f"{network['id']},{new['id']}"
    )
    assert [nic["isdefault"] for nic in machine["nic"]] == [True, False]
    assert machine["nic"][1]["ipaddress"].startswith("172.20.0.")
    assert api.rows("listNetworks", id=new["id"])[0]["state"] == "Implemented"
    own = api.rows("listPublicIpAddresses", associatednetworkid=new["id"])
    assert (len(own), own[0]["issourcenat"]) == (1, True)
    assert api.call("listPublicIpAddresses")["count"] == before + 1
    assert api.failed("deleteNetwork", id=new["id"])[0] == 530
    api.done("destroyVirtualMachine", id=machine["id"], expunge="true")
    assert api.run("deleteNetwork", id=new["id"])["jobstatus"] == 1
    assert api.call("listPublicIpAddresses")["count"] == before


def test_networks_that_are_refused(api, network):
    offerings = {o["name"]: o["id"] for o in api.rows("listNetworkOfferings")}
    basic = api.rows("listZones", name="basic-1")[0]["id"]
    common = {"name": "n", "zoneid": network["zoneid"]}
    isolated = offerings["DefaultIsolatedNetworkOfferingWithSourceNatService"]
    tier = offerings["DefaultIsolatedNetworkOfferingForVpcNetworks"]
    for wrong in (
        {"networkofferingid": isolated, "gateway": "10.0.0.1"},
        {"networkofferingid": isolated, "gateway": "x", "netmask": "255.0.0.0"},
        {"networkofferingid": isolated, "zoneid": basic},
        {"networkofferingid": offerings["DefaultIsolatedNetworkOffering"]},
        {"networkofferingid": tier},
    ):
        assert api.refused("createNetwork", **{**common, **wrong})[0] == 431


def test_static_nat_is_shown_by_the_machine_and_excludes_rules(api, cloud, address):
    machine = cloud.machines[0].id
    assert "publicip" not in api.rows("listVirtualMachines", id=machine)[0]
    assert api.call("enableStaticNat", ipaddressid=address, virtualmachineid=machine) == {
        "success": True
    }
    row = api.rows("listVirtualMachines", id=machine)[0]
    assert row["publicipid"] == address
    listed = api.rows("listPublicIpAddresses", id=address)[0]
    assert (listed["isstaticnat"], listed["virtualmachineid"]) == (True, machine)
    rule = {"ipaddressid": address, "virtualmachineid": machine, "protocol": "tcp"}
    code, _ = api.refused("createPortForwardingRule", **rule, publicport=80, privateport=80)
    assert code == 537
    assert api.run("disableStaticNat", ipaddressid=address)["jobresult"] == {"success": True}
    assert "publicip" not in api.rows("listVirtualMachines", id=machine)[0]
    assert api.failed("disableStaticNat", ipaddressid=address)[0] == 431


def test_releasing_an_address_takes_its_rules_along(api, cloud, address):
    machine = cloud.machines[0].id
    forward = {"ipaddressid": address, "virtualmachineid": machine, "protocol": "tcp"}
    rule = api.done("createPortForwardingRule", **forward, publicport=80, privateport=8080)
    opened = api.rows("listFirewallRules", ipaddressid=address)
    assert [(r["startport"], r["cidrlist"]) for r in opened] == [(80, "0.0.0.0/0")]
    assert (rule["publicport"], rule["privateport"]) == ("80", "8080")
    assert api.rows("listPublicIpAddresses", id=address)[0]["hasrules"] is True
    api.run("disassociateIpAddress", id=address)
    assert api.call("listPortForwardingRules") == {}
    assert api.call("listFirewallRules") == {}
    assert api.call("listPublicIpAddresses", id=address) == {}
    assert api.call("listPublicIpAddresses", id=address, state="Free")["count"] == 1


def test_the_limit_of_addresses_is_532(make_api):
    cloud = simulator.cloud("tight", instances=1, limits={"public_ip": 2})
    with serve([cloud]) as urls:
        api = make_api(cloud.settings(urls["tight"]))
        zone = api.rows("listZones")[0]["id"]
        api.done("associateIpAddress", zoneid=zone)
        code, text = api.refused("associateIpAddress", zoneid=zone)
        assert code == 532
        assert text.startswith("Maximum number of public IP addresses for account: demo")


@pytest.mark.parametrize(
    "rule",
    [
        {"protocol": "gre"},
        {"protocol": "tcp", "startport": 9, "endport": 8},
        {"protocol": "tcp", "startport": 1, "endport": 70000},
        {"protocol": "tcp", "startport": 1, "cidrlist": "everywhere"},
    ],
)
def test_firewall_rules_that_are_refused(api, address, rule):
    assert api.refused("createFirewallRule", ipaddressid=address, **rule)[0] == 431


def test_the_same_firewall_rule_twice_is_a_conflict(api, address):
    rule = {"ipaddressid": address, "protocol": "udp", "startport": 53}
    assert api.done("createFirewallRule", **rule)["endport"] == 53
    assert api.refused("createFirewallRule", **rule)[0] == 537


def test_members_of_a_load_balancer(api, cloud, network, address):
    first, second = cloud.machines[0], cloud.machines[1]
    wanted = {"publicipid": address, "name": "lb", "publicport": 80, "privateport": 80}
    balancer = api.done("createLoadBalancerRule", **wanted, algorithm="source")
    assert (balancer["state"], balancer["publicport"]) == ("Add", "80")
    assert api.refused("createLoadBalancerRule", **wanted, algorithm="source")[0] == 537
    members = {"vmidipmap[0].vmid": second.id, "vmidipmap[0].vmip": second.nics[0].address}
    api.run("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=first.id, **members)
    again = api.failed("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=first.id)
    assert again[0] == 431
    rows = api.rows("listLoadBalancerRuleInstances", id=balancer["id"])
    assert {row["id"] for row in rows} == {first.id, second.id}
    others = api.rows("listLoadBalancerRuleInstances", id=balancer["id"], applied="false")
    assert first.id not in {row["id"] for row in others}
    assert api.call("listLoadBalancerRules", virtualmachineid=first.id)["count"] == 1
    assert api.rows("listLoadBalancerRules")[0]["state"] == "Active"
    basic = cloud.machines[9].id
    assert (
        api.refused("assignToLoadBalancerRule", id=balancer["id"], virtualmachineids=basic)[0]
        == 431
    )
    api.run("removeFromLoadBalancerRule", id=balancer["id"], virtualmachineids=first.id)
    api.run("deleteLoadBalancerRule", id=balancer["id"])
    assert api.call("listPublicIpAddresses", id=address)["count"] == 1
    wanted["networkid"] = network["id"]
    del wanted["publicipid"]
    taken = api.done("createLoadBalancerRule", **wanted, algorithm="leastconn")
    assert taken["publicipid"] != address


def test_security_groups_by_name_with_rules_of_both_directions(api):
    api.call("createSecurityGroup", name="web")
    named = {"securitygroupname": "web"}
    api.done("authorizeSecurityGroupIngress", **named, protocol="6", cidrlist="10.0.0.0/8")
    api.done(
        "authorizeSecurityGroupEgress",
        **named,
        protocol="UDP",
        startport=53,
        endport=53,
        cidrlist="::/0",
    )
    group = api.rows("listSecurityGroups", securitygroupname="web")[0]
    assert group["ingressrule"][0]["protocol"] == "6"
    assert group["egressrule"][0]["cidr"] == "::/0"
    for wrong in (
        {"protocol": "tcp", "cidrlist": "10.0.0.0/8"},
        {"protocol": "tcp", "startport": 1, "endport": 2},
        {"protocol": "tcp", "startport": 1, "endport": 2, "cidrlist": "x"},
        {"cidrlist": "10.0.0.0/8"},
        {"protocol": "icmpv9", "cidrlist": "10.0.0.0/8"},
    ):
        assert api.refused("authorizeSecurityGroupIngress", **named, **wrong)[0] == 431
    api.run("revokeSecurityGroupEgress", id=group["egressrule"][0]["ruleid"])
    assert api.rows("listSecurityGroups", id=group["id"])[0]["egressrule"] == []
    assert api.refused("revokeSecurityGroupEgress", id="x")[0] == 431
    assert api.call("deleteSecurityGroup", name="web") == {"success": True}


def test_the_tiers_of_a_vpc(api, cloud, deployable):
    offering = api.rows("listVPCOfferings")[0]["id"]
    zone = deployable["zoneid"]
    wanted = {"name": "v", "zoneid": zone, "vpcofferingid": offering, "cidr": "10.9.0.0/16"}
    vpc = api.done("createVPC", **wanted)
    assert [a["issourcenat"] for a in api.rows("listPublicIpAddresses", vpcid=vpc["id"])] == [True]
    tier_offering = api.rows("listNetworkOfferings", forvpc="true")[0]["id"]
    tier = {"name": "t", "zoneid": zone, "networkofferingid": tier_offering, "vpcid": vpc["id"]}
    tier |= {"gateway": "10.9.1.1", "netmask": "255.255.255.0"}
    network = api.call("createNetwork", **tier)["network"]
    assert network["aclname"] == "default_deny"
    address = api.done("associateIpAddress", vpcid=vpc["id"])
    assert "associatednetworkid" not in address
    machine = api.done("deployVirtualMachine", **deployable, networkids=network["id"])
    assert machine["nic"][0]["vpcname"] == "v"
    forward = {"ipaddressid": address["id"], "virtualmachineid": machine["id"], "protocol": "tcp"}
    forward |= {"publicport": 22, "privateport": 22}
    assert api.refused("createPortForwardingRule", **forward)[0] == 431
    api.done("createPortForwardingRule", **forward, networkid=network["id"])
    assert api.call("listFirewallRules") == {}
    assert api.failed("deleteVPC", id=vpc["id"])[0] == 536
    acl = api.done("createNetworkACLList", name="a", vpcid=vpc["id"])["id"]
    first = api.done("createNetworkACL", aclid=acl, protocol="tcp", startport=80, endport=80)
    second = api.done(
        "createNetworkACL", aclid=acl, protocol="all", action="deny", traffictype="egress"
    )
    assert (first["number"], second["number"], second["action"]) == (1, 2, "Deny")
    assert api.refused("createNetworkACL", aclid=acl, protocol="tcp", number=2)[0] == 431
    default = api.rows("listNetworkACLLists", name="default_allow")[0]["id"]
    assert api.refused("createNetworkACL", aclid=default, protocol="tcp")[0] == 431
    changed = api.done("updateNetworkACLItem", id=first["id"], cidrlist="10.0.0.0/8")
    assert changed["cidrlist"] == "10.0.0.0/8"
    api.run("replaceNetworkACLList", aclid=acl, networkid=network["id"])
    assert [row["number"] for row in api.rows("listNetworkACLs", networkid=network["id"])] == [1, 2]
    assert api.failed("deleteNetworkACLList", id=acl)[0] == 431


def test_addresses_of_nics(api, cloud, network):
    machine = cloud.machines[3].id
    nic = api.rows("listNics", virtualmachineid=machine)[0]["id"]
    added = api.done("addIpToNic", nicid=nic, ipaddress="10.1.9.9")
    assert added["ipaddress"] == "10.1.9.9"
    row = api.rows("listVirtualMachines", id=machine)[0]
    assert row["nic"][0]["secondaryip"][0]["ipaddress"] == "10.1.9.9"
    assert api.refused("addIpToNic", nicid=nic, ipaddress="10.1.9.9")[0] == 533
    assert api.refused("addIpToNic", nicid="x")[0] == 431
    api.run("removeIpFromNic", id=added["id"])
    assert "secondaryip" not in api.rows("listNics", virtualmachineid=machine)[0]
    assert api.done("updateVmNicIp", nicid=nic, ipaddress="10.1.9.10")["ipaddress"] == "10.1.9.10"
    running = api.rows("listNics", virtualmachineid=cloud.machines[0].id)[0]["id"]
    assert api.failed("updateVmNicIp", nicid=running)[0] == 431
