"""Neutron and octavia: the simulator answers as the real services do, refusals word for word."""

from __future__ import annotations

import re
import time

import pytest

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
WORDS = re.compile(r"[A-Z_]+(?:, [A-Z_]+)+")
NOBODY = "00000000-0000-0000-0000-000000000000"
NET = "network/v2.0"
LB = "load-balancer/v2/lbaas"


class Story:
    """The same steps on both sides; what they make is deleted in the end, the last first."""

    def __init__(self, sides):
        self.sides = sides
        self._made = []

    def step(self, method, target, body=None, *, keep=None, drop=(), depth=3, pick=None):
        """One step: `keep` names what it makes; `pick` also keeps a field of it under a name."""
        replies = self.sides.compare(method, target, body=body, depth=depth, drop=drop)
        documents = []
        for side, reply in zip(self.sides, replies, strict=True):
            document = reply.json() if reply.content else {}
            documents.append(document)
            if keep:
                made = next(iter(document.values()))
                side.names[keep] = made["id"]
                for name, read in (pick or {}).items():
                    side.names[name] = read(made)
        if keep:
            query = "?cascade=true" if "loadbalancers" in target else ""
            self._made.append(("DELETE", f"{target}/{{{keep}}}{query}", None))
        if replies[1].status_code >= 400:
            texts = [self._said(s, d) for s, d in zip(self.sides, documents, strict=True)]
            assert texts[0] == texts[1], f"{method} {target}"
        return documents

    def _said(self, side, document):
        text = str(document.get("NeutronError") or document)
        for name, value in sorted(side.names.items()):
            text = text.replace(value, "{" + name + "}")
        # Octavia tells what would be valid in another order after every start.
        text = WORDS.sub(lambda words: ", ".join(sorted(words[0].split(", "))), text)
        return UUID.sub("{id}", text)

    def undo(self, method, target, body):
        """What is to be done in the end before that which was made is deleted."""
        self._made.append((method, target, body))

    def settle(self, target):
        for side in self.sides:
            for _ in range(100):
                reply = side.ask("GET", target)
                if "PENDING" not in reply.text:
                    break
                time.sleep(0.1)

    def close(self):
        for method, target, body in reversed(self._made):
            for side in self.sides:
                for _ in range(20):
                    if side.ask(method, target, body=body).status_code != 409:
                        break
                    time.sleep(0.2)


@pytest.fixture
def story(sides):
    found = Story(sides)
    yield found
    found.close()


def external(side):
    found = side.ask("GET", f"{NET}/networks?router:external=True").json()["networks"]
    return next(n["id"] for n in found if n["name"] == "public")


@pytest.fixture
def pools(sides):
    for side in sides:
        side.names["public"] = external(side)
        port = side.ask("GET", f"{NET}/ports?device_id={{server}}").json()["ports"][0]
        side.names |= {"nic": port["id"], "fixed": port["fixed_ips"][0]["ip_address"]}
        side.names["subnet"] = port["fixed_ips"][0]["subnet_id"]


def test_floating_ips(story, pools):
    fips = f"{NET}/floatingips"

    def wish(**fields):
        return {"floatingip": fields}

    for fields in (
        {},
        {"floating_network_id": "nope"},
        {"floating_network_id": NOBODY},
        {"floating_network_id": "{network}"},
        {"colour": "red"},
    ):
        story.step("POST", fips, wish(**fields))

    def address(made):
        return made["floating_ip_address"]

    create = wish(floating_network_id="{public}")
    story.step("POST", fips, create, keep="fip", pick={"ip": address})
    story.step("POST", fips, create, keep="other", pick={"ip2": address})
    one, two = f"{fips}/{{fip}}", f"{fips}/{{other}}"
    led = story.step("PUT", one, wish(port_id="{nic}"), depth=4)
    assert [d["floatingip"]["status"] for d in led] == ["DOWN", "DOWN"]
    story.step("PUT", one, wish(port_id="{nic}"), depth=4)
    story.step("PUT", two, wish(port_id="{nic}"))
    story.step("PUT", two, wish(port_id=NOBODY))
    story.step("PUT", f"{fips}/{NOBODY}", wish(port_id="{nic}"))
    story.step("GET", one, depth=4)
    story.step("GET", f"{fips}?limit=1&port_id={{nic}}", depth=4)
    story.step("GET", f"{fips}?floating_ip_address=192.0.2.1")
    loose = story.step("PUT", one, wish(port_id=None))
    assert all(d["floatingip"]["fixed_ip_address"] is None for d in loose)
    story.step("DELETE", one)
    story.step("DELETE", one)
    story.step("GET", one)


def test_rules(story):
    groups, rules = f"{NET}/security-groups", f"{NET}/security-group-rules"
    story.step("POST", groups, {"security_group": {"name": "default"}})
    story.step("POST", groups, {"security_group": {"colour": "red"}})
    story.step("POST", groups, {"security_group": {"name": "n" * 256}})
    group = {"security_group": {"name": "differential", "description": "d"}}
    story.step("POST", groups, group, keep="group", depth=4)

    def wish(**fields):
        return {
            "security_group_id": "{group}",
            "direction": "ingress",
            "ethertype": "IPv4",
            **fields,
        }

    def ask(**fields):
        return {"security_group_rule": wish(**fields)}

    web = {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80}
    everybody = ask(**web, remote_ip_prefix="0.0.0.0/0")
    story.step("POST", rules, everybody, keep="rule")
    for body in (
        everybody,
        ask(**web),
        ask(protocol="icmp", port_range_max=0),
        ask(protocol="tcp", port_range_min=90, port_range_max=80),
        ask(protocol="tcp", port_range_min=90),
        ask(port_range_min=90, port_range_max=90),
        ask(protocol="tcp", port_range_min=0, port_range_max=70000),
        ask(protocol="blah"),
        ask(remote_ip_prefix="2001:db8::/32"),
        ask(remote_ip_prefix="bogus"),
        ask(remote_group_id=NOBODY),
        ask(remote_group_id="{group}", remote_ip_prefix="0.0.0.0/0"),
        ask(security_group_id=NOBODY),
        {"security_group_rule": {"direction": "ingress"}},
    ):
        story.step("POST", rules, body)
    for fields in (
        {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0},
        {"protocol": "TCP", "port_range_min": 443, "port_range_max": 443},
        {"protocol": "47", "remote_ip_prefix": "192.0.2.7/24"},
        {"ethertype": "IPv6", "remote_group_id": "{group}"},
    ):
        made = story.step("POST", rules, ask(**fields))
        ours, theirs = (d["security_group_rule"] for d in made)
        for name in ("protocol", "remote_ip_prefix", "normalized_cidr"):
            assert ours[name] == theirs[name]
    blocks = ("192.0.2.0/24", "198.51.100.0/24")
    dns = {"protocol": "udp", "port_range_min": 53, "port_range_max": 53}
    both = [wish(**dns, remote_ip_prefix=block) for block in blocks]
    story.step("POST", rules, {"security_group_rules": both})
    story.step("POST", rules, {"security_group_rules": [*both, wish(protocol="ah")]})
    whole = story.step("GET", f"{groups}/{{group}}", depth=4)
    counts = [len(d["security_group"]["security_group_rules"]) for d in whole]
    assert counts == [9, 9]
    story.step("GET", f"{rules}/{{rule}}")
    story.step("GET", f"{rules}?security_group_id={{group}}&direction=egress")
    story.step("DELETE", f"{rules}/{{rule}}")
    story.step("DELETE", f"{rules}/{{rule}}")
    story.step("GET", f"{rules}/nope")
    story.step("DELETE", f"{groups}/{NOBODY}")


def test_networks_subnets_ports(story, pools):
    nets, subnets, ports = f"{NET}/networks", f"{NET}/subnets", f"{NET}/ports"
    story.step("POST", nets, {"network": {"name": "differential"}}, keep="net")
    zoned = {"network": {"name": "n", "availability_zone_hints": ["nowhere"]}}
    story.step("POST", nets, zoned)

    def subnet(**fields):
        return {"subnet": {"network_id": "{net}", "ip_version": 4, **fields}}

    story.step("POST", subnets, subnet(cidr="10.211.0.7/24", name="s"), keep="sub")
    for fields in (
        {"cidr": "10.211.0.0/25"},
        {"cidr": "bogus"},
        {"cidr": "10.212.0.0/24", "network_id": NOBODY},
        {"cidr": "10.212.0.0/24", "network_id": "{public}"},
    ):
        story.step("POST", subnets, subnet(**fields))
    story.step("POST", subnets, {"subnet": {"network_id": "{net}", "cidr": "10.212.0.0/24"}})
    for name in ("gateway_ip", "cidr", "allocation_pools"):
        found = story.step("GET", f"{subnets}/{{sub}}")
        assert found[0]["subnet"][name] == found[1]["subnet"][name]

    def port(**fields):
        return {"port": {"network_id": "{net}", **fields}}

    def at(**fields):
        return port(fixed_ips=[fields])

    story.step("POST", ports, at(ip_address="10.211.0.77"), keep="port")
    for body in (
        at(ip_address="10.211.0.77"),
        at(ip_address="192.0.2.1"),
        at(subnet_id=NOBODY),
        port(network_id=NOBODY),
        port(network_id="{public}"),
        {"port": {}},
    ):
        story.step("POST", ports, body)
    story.step("GET", f"{ports}?fixed_ips=ip_address=10.211.0.77&fixed_ips=ip_address=192.0.2.9")
    story.step("DELETE", f"{subnets}/{{sub}}")
    story.step("DELETE", f"{nets}/{{net}}")
    story.step("DELETE", f"{ports}/{{nic}}")
    story.step("DELETE", f"{ports}/{NOBODY}")
    apart = {"floatingip": {"floating_network_id": "{public}"}}
    story.step("POST", f"{NET}/floatingips", apart, keep="fip")
    story.step("PUT", f"{NET}/floatingips/{{fip}}", {"floatingip": {"port_id": "{port}"}})
    attach = {"interfaceAttachment": {"port_id": "{port}"}}
    interfaces = "compute/v2.1/servers/{server}/os-interface"
    story.step("POST", interfaces, attach)
    story.step("POST", interfaces, attach)
    story.step("POST", interfaces, {"interfaceAttachment": {"port_id": NOBODY}})
    story.step("GET", f"{ports}/{{port}}")
    story.step("DELETE", f"{ports}/{{port}}")
    story.step("DELETE", f"{interfaces}/{{port}}")
    for side in story.sides:
        for _ in range(100):
            if not side.ask("GET", f"{ports}/{{port}}").json()["port"]["device_id"]:
                break
            time.sleep(0.1)
    story.step("DELETE", f"{ports}/{{port}}")


def test_routers(story, pools):
    routers = f"{NET}/routers"
    story.step("GET", f"{routers}?name=edge", depth=5)
    gateway = {"network_id": "{public}"}
    body = {"router": {"name": "differential", "external_gateway_info": gateway}}
    story.step("POST", routers, body, keep="router", depth=4)
    wrong = {"router": {"external_gateway_info": {"network_id": NOBODY}}}
    story.step("POST", routers, wrong)
    story.step("POST", f"{NET}/networks", {"network": {"name": "differential"}}, keep="net")
    subnet = {"subnet": {"network_id": "{net}", "ip_version": 4, "cidr": "10.214.0.0/24"}}
    story.step("POST", f"{NET}/subnets", subnet, keep="sub")
    inside = {"subnet_id": "{sub}"}
    story.step("PUT", f"{routers}/{{router}}/add_router_interface", inside)
    story.undo("PUT", f"{routers}/{{router}}/remove_router_interface", inside)
    story.step("GET", f"{NET}/ports?device_id={{router}}")
    story.step("DELETE", f"{routers}/{{router}}")
    story.step("PUT", f"{routers}/{{router}}/remove_router_interface", inside)
    story.step("DELETE", f"{routers}/{{router}}")
    story.step("GET", f"{routers}/{{router}}")


@pytest.mark.parametrize(
    "target",
    [
        f"{NET}/quotas/{{project}}",
        f"{NET}/quotas/{{project}}/details.json",
        f"{LB}/quotas/{{project}}",
        f"{LB}/loadbalancers?limit=zz",
        f"{LB}/loadbalancers?limit=1&marker=nope",
        f"{LB}/loadbalancers?name=nobody",
        f"{LB}/loadbalancers/{NOBODY}",
        f"{LB}/listeners?load_balancer_id={NOBODY}",
        f"{LB}/pools/{NOBODY}/members",
        f"{LB}/providers",
        f"{LB}/nope",
    ],
)
def test_quotas_and_what_there_is_not(story, target):
    story.step("GET", target, depth=3)


def test_load_balancers(story, pools):
    balancers = f"{LB}/loadbalancers"

    def wish(**fields):
        return {"loadbalancer": {"name": "differential", **fields}}

    def listener(protocol="HTTP", port=80, **fields):
        return {"protocol": protocol, "protocol_port": port, **fields}

    for fields in (
        {},
        {"vip_network_id": NOBODY},
        {"vip_subnet_id": NOBODY},
        {"vip_subnet_id": "{subnet}", "availability_zone": "nowhere"},
        {"vip_subnet_id": "{subnet}", "listeners": [listener("FOO")]},
        {"vip_subnet_id": "{subnet}", "listeners": [listener(port=0)]},
        {"colour": "red"},
    ):
        story.step("POST", balancers, wish(**fields))
    pool = {"name": "p", "protocol": "HTTP", "lb_algorithm": "ROUND_ROBIN"}
    whole = wish(vip_network_id="{network}", listeners=[listener(default_pool=pool, tags=["t"])])
    provider = ("loadbalancer/provider",)
    story.step(
        "POST",
        balancers,
        whole,
        keep="balancer",
        depth=4,
        pick={"pool": lambda made: made["pools"][0]["id"], "vip": lambda made: made["vip_address"]},
    )
    one, members = f"{balancers}/{{balancer}}", f"{LB}/pools/{{pool}}/members"
    story.settle(one)
    story.step("GET", one, depth=4, drop=provider)
    story.step("GET", f"{balancers}?name=differential&limit=1", depth=4)
    story.step("GET", f"{one}/status", depth=6)
    story.step("GET", f"{LB}/listeners?load_balancer_id={{balancer}}", depth=4)
    story.step("GET", f"{LB}/pools?loadbalancer_id={{balancer}}", depth=4)

    def member(**fields):
        return {"member": {"address": "{fixed}", "protocol_port": 8080, **fields}}

    story.step("POST", members, member(address="bogus"))
    story.step("POST", members, member(name="m", subnet_id="{subnet}"), keep="member")
    story.settle(one)
    story.step("POST", members, member())
    story.step("GET", members, depth=4)
    story.step("GET", f"{one}/status", depth=7)
    story.step("DELETE", one)
    story.step("DELETE", f"{members}/{NOBODY}")
    story.step("DELETE", f"{members}/{{member}}")
    story.settle(one)
    more = {"listener": listener(port=81, loadbalancer_id="{balancer}")}
    story.step("POST", f"{LB}/listeners", more, depth=2)
    story.settle(one)
    story.step("DELETE", f"{one}?cascade=true")


def test_a_load_balancer_takes_one_change_at_a_time(sides, story, pools):
    """The simulator is slowed down to what the real one takes."""
    behaviour = sides.simulated.twin.behaviour
    before, behaviour.state_delay = behaviour.state_delay, 30
    try:
        balancers = f"{LB}/loadbalancers"
        body = {"loadbalancer": {"name": "one-at-a-time", "vip_network_id": "{network}"}}
        story.step("POST", balancers, body, keep="balancer", depth=2)
        one = f"{balancers}/{{balancer}}"
        listener = {"protocol": "TCP", "protocol_port": 81, "loadbalancer_id": "{balancer}"}
        story.step("POST", f"{LB}/listeners", {"listener": listener})
        story.step("DELETE", f"{one}?cascade=true")
    finally:
        behaviour.state_delay = before
        for balancer in sides.simulated.twin.state.regions[
            "RegionOne"
        ].balancers.balancers.values():
            balancer.due = 0
