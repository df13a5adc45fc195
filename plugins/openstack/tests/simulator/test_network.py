"""Neutron and octavia of the simulator by themselves, where no real cloud is at hand."""

from __future__ import annotations

import pytest

NET = "/network/v2.0"
LB = "/load-balancer/v2/lbaas"


def make(api, path, key, **fields):
    reply = api.call("POST", path, {key: fields})
    assert reply.status_code == 201, reply.text
    return reply.json()[key]


def refused(reply, status, kind):
    assert (reply.status_code, reply.json()["NeutronError"]["type"]) == (status, kind)


@pytest.fixture
def private(api):
    return api.get(f"{NET}/networks?name=private")["networks"][0]


@pytest.fixture
def public(api):
    return api.get(f"{NET}/networks?name=public")["networks"][0]


def test_a_floating_ip_leads_to_a_server(api, public):
    made = make(api, f"{NET}/floatingips", "floatingip", floating_network_id=public["id"])
    path = f"{NET}/floatingips/{made['id']}"
    taken = {f["port_id"] for f in api.get(f"{NET}/floatingips")["floatingips"]}
    ports = api.get(f"{NET}/ports")["ports"]
    owned = [p for p in ports if p["device_owner"].startswith("compute:")]
    free = next(p for p in owned if p["id"] not in taken)
    busy = next(p for p in owned if p["id"] in taken)
    refused(
        api.call("PUT", path, {"floatingip": {"port_id": busy["id"]}}),
        409,
        "FloatingIPPortAlreadyAssociated",
    )
    led = api.call("PUT", path, {"floatingip": {"port_id": free["id"]}}).json()["floatingip"]
    assert (led["status"], led["port_details"]["device_id"]) == ("DOWN", free["device_id"])
    assert api.get(path)["floatingip"]["status"] == "ACTIVE"
    server = api.get(f"/compute/v2.1/servers/{free['device_id']}")["server"]
    shown = {a["addr"] for a in server["addresses"]["private"]}
    assert shown == {free["fixed_ips"][0]["ip_address"], made["floating_ip_address"]}


def test_a_floating_ip_outlives_its_server(api, clock):
    led = api.get(f"{NET}/floatingips")["floatingips"][0]
    api.call("DELETE", f"/compute/v2.1/servers/{led['port_details']['device_id']}")
    clock.now += 4
    left = api.get(f"{NET}/floatingips/{led['id']}")["floatingip"]
    assert (left["port_id"], left["status"], left["port_details"]) == (None, "DOWN", None)


def test_a_router_makes_a_network_reachable(api, public):
    net = make(api, f"{NET}/networks", "network", name="n")
    subnet = make(
        api, f"{NET}/subnets", "subnet", network_id=net["id"], ip_version=4, cidr="10.7.0.0/24"
    )
    port = make(api, f"{NET}/ports", "port", network_id=net["id"])
    floating = make(api, f"{NET}/floatingips", "floatingip", floating_network_id=public["id"])
    path = f"{NET}/floatingips/{floating['id']}"
    lead = {"floatingip": {"port_id": port["id"]}}
    refused(api.call("PUT", path, lead), 404, "ExternalGatewayForFloatingIPNotFound")
    gateway = {"network_id": public["id"]}
    router = make(api, f"{NET}/routers", "router", name="r", external_gateway_info=gateway)
    here = f"{NET}/routers/{router['id']}"
    side = {"subnet_id": subnet["id"]}
    assert api.call("PUT", f"{here}/add_router_interface", side).status_code == 200
    refused(api.call("PUT", f"{here}/add_router_interface", side), 400, "BadRequest")
    assert api.call("PUT", path, lead).json()["floatingip"]["router_id"] == router["id"]
    refused(api.call("DELETE", here), 409, "RouterInUse")
    inside = api.get(f"{NET}/ports?device_id={router['id']}")["ports"]
    assert [p["device_owner"] for p in inside] == ["network:router_interface"]
    refused(api.call("DELETE", f"{NET}/ports/{inside[0]['id']}"), 409, "ServicePortInUse")
    assert api.call("PUT", f"{here}/remove_router_interface", side).status_code == 200
    refused(
        api.call("PUT", f"{here}/remove_router_interface", side),
        404,
        "RouterInterfaceNotFoundForSubnet",
    )
    assert api.call("DELETE", here).status_code == 204
    assert "edge" in {r["name"] for r in api.get(f"{NET}/routers")["routers"]}


def test_an_address_is_given_away_once(api, private):
    one = make(api, f"{NET}/ports", "port", network_id=private["id"])
    taken = one["fixed_ips"][0]["ip_address"]
    wish = {"port": {"network_id": private["id"], "fixed_ips": [{"ip_address": taken}]}}
    refused(api.call("POST", f"{NET}/ports", wish), 409, "IpAddressAlreadyAllocated")
    ahead = taken.rsplit(".", 1)[0] + f".{int(taken.rsplit('.', 1)[1]) + 1}"
    wish["port"]["fixed_ips"][0]["ip_address"] = ahead
    assert api.call("POST", f"{NET}/ports", wish).status_code == 201
    other = make(api, f"{NET}/ports", "port", network_id=private["id"])
    assert other["fixed_ips"][0]["ip_address"] not in (taken, ahead)


def test_several_rules_are_made_or_none(api):
    group = make(api, f"{NET}/security-groups", "security_group", name="g")
    rule = {
        "security_group_id": group["id"],
        "direction": "ingress",
        "protocol": "tcp",
        "port_range_min": 80,
        "port_range_max": 80,
    }
    one = make(api, f"{NET}/security-group-rules", "security_group_rule", **rule)
    both = [{**rule, "port_range_max": 81}, rule]
    reply = api.call("POST", f"{NET}/security-group-rules", {"security_group_rules": both})
    refused(reply, 409, "SecurityGroupRuleExists")
    assert one["id"] in reply.json()["NeutronError"]["message"]
    found = api.get(f"{NET}/security-groups/{group['id']}")["security_group"]
    assert len(found["security_group_rules"]) == 3
    path = f"{NET}/security-group-rules/{one['id']}"
    assert api.call("DELETE", path).status_code == 204
    refused(api.call("GET", path), 404, "SecurityGroupRuleNotFound")


def test_a_load_balancer_is_pending_until_it_is_not(api, clock, private):
    pool = {"name": "p", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
    listener = {"protocol": "HTTP", "protocol_port": 80, "default_pool": pool}
    made = make(
        api,
        f"{LB}/loadbalancers",
        "loadbalancer",
        name="lb",
        vip_network_id=private["id"],
        listeners=[listener],
    )
    path = f"{LB}/loadbalancers/{made['id']}"
    assert made["provisioning_status"] == "PENDING_CREATE"
    members = f"{LB}/pools/{made['pools'][0]['id']}/members"
    member = {"member": {"address": "10.10.0.9", "protocol_port": 8080}}
    assert "is immutable" in api.call("POST", members, member).json()["faultstring"]
    refusal = api.call("DELETE", f"{path}?cascade=true")
    assert (refusal.status_code, refusal.json()["faultstring"]) == (
        409,
        f"Invalid state PENDING_CREATE of loadbalancer resource {made['id']}",
    )
    clock.now += 4
    assert api.get(path)["loadbalancer"]["provisioning_status"] == "ACTIVE"
    assert api.call("POST", members, member).status_code == 201
    assert api.get(path)["loadbalancer"]["provisioning_status"] == "PENDING_UPDATE"
    clock.now += 4
    tree = api.get(f"{path}/status")["statuses"]["loadbalancer"]
    assert tree["listeners"][0]["pools"][0]["members"][0]["address"] == "10.10.0.9"
    assert "has children" in api.call("DELETE", path).json()["faultstring"]
    assert api.call("DELETE", f"{path}?cascade=true").status_code == 204
    assert api.get(path)["loadbalancer"]["provisioning_status"] == "PENDING_DELETE"
    clock.now += 4
    assert api.call("GET", path).status_code == 404


def test_who_may_only_read(auditor, private, public):
    refused(
        auditor.call("POST", f"{NET}/networks", {"network": {"name": "n"}}),
        403,
        "PolicyNotAuthorized",
    )
    body = {"loadbalancer": {"vip_network_id": private["id"]}}
    reply = auditor.call("POST", f"{LB}/loadbalancers", body)
    assert (reply.status_code, reply.json()["faultstring"]) == (
        403,
        "Policy does not allow this request to be performed.",
    )
    assert auditor.get(f"{LB}/loadbalancers") == {"loadbalancers": [], "loadbalancers_links": []}
