"""Firewall rules on public addresses, and for what leaves a network."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.records import FirewallRule
from anabranch_cloudstack.simulator.network.rules import (
    checked_cidrs,
    ports_conflict,
    traffic_document,
    traffic_of,
)
from anabranch_cloudstack.simulator.records import tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["commands", "open_port"]

commands = Commands()

_TRAFFIC = "startport:integer endport:integer icmptype:integer icmpcode:integer cidrlist:list"


@commands.add("listFirewallRules", "id:uuid ipaddressid:uuid networkid:uuid", listing=True)
def list_rules(call: Call) -> Document:
    """Lists the firewall rules on public addresses."""
    rules = matching(
        call, call.state.firewall_rules.values(), address="ipaddressid", network="networkid"
    )
    rows = [_document(call.state, rule) for rule in rules if not rule.egress]
    return listed(call, "firewallrule", rows)


@commands.add("listEgressFirewallRules", "id:uuid ipaddressid:uuid networkid:uuid", listing=True)
def list_egress_rules(call: Call) -> Document:
    """Lists the firewall rules for what leaves networks."""
    rules = matching(call, call.state.firewall_rules.values(), network="networkid")
    rows = [_document(call.state, rule) for rule in rules if rule.egress]
    return listed(call, "firewallrule", rows)


@commands.add(
    "createFirewallRule",
    f"ipaddressid!:uuid protocol! {_TRAFFIC} type fordisplay:boolean",
    job="user.firewall.CreateFirewallRuleCmd",
    instance_type="FirewallRule",
)
def create_rule(call: Call) -> Document:
    """Lets traffic in to a public address."""
    state = call.state
    address = call.take(state.addresses, "ipaddressid")
    if not address.network:
        raise invalid(
            "Unable to create firewall rule for the IP address: it is not associated with a network"
        )
    traffic = traffic_of(call)
    rule = FirewallRule(
        id=state.new_id(),
        account=address.account,
        project=address.project,
        created=state.now,
        protocol=traffic.protocol,
        start=traffic.start,
        end=traffic.end,
        icmp_type=traffic.icmp_type,
        icmp_code=traffic.icmp_code,
        cidrs=checked_cidrs(call, "cidrlist", "0.0.0.0/0"),
        network=address.network,
        address=address.id,
    )
    _check_same(state, rule)
    return _start(call, rule)


@commands.add(
    "createEgressFirewallRule",
    f"networkid!:uuid protocol! {_TRAFFIC} destcidrlist:list type fordisplay:boolean",
    job="user.firewall.CreateEgressFirewallRuleCmd",
    instance_type="FirewallRule",
)
def create_egress_rule(call: Call) -> Document:
    """Says what may leave a network, or what may not, by the network's default."""
    state = call.state
    network = call.take(state.networks, "networkid")
    if "Firewall" not in state.network_offerings[network.offering].services:
        raise invalid(f"Egress firewall rules are not supported in network {network.name}")
    traffic = traffic_of(call)
    rule = FirewallRule(
        id=state.new_id(),
        account=network.account,
        project=network.project,
        created=state.now,
        protocol=traffic.protocol,
        start=traffic.start,
        end=traffic.end,
        icmp_type=traffic.icmp_type,
        icmp_code=traffic.icmp_code,
        cidrs=checked_cidrs(call, "cidrlist", network.cidr),
        network=network.id,
        destinations=checked_cidrs(call, "destcidrlist", ""),
    )
    _check_same(state, rule)
    return _start(call, rule)


@commands.add("deleteFirewallRule", "id!:uuid", job="user.firewall.DeleteFirewallRuleCmd")
def delete_rule(call: Call) -> Document:
    """Removes a firewall rule from a public address."""
    return _delete(call)


@commands.add(
    "deleteEgressFirewallRule", "id!:uuid", job="user.firewall.DeleteEgressFirewallRuleCmd"
)
def delete_egress_rule(call: Call) -> Document:
    """Removes a firewall rule for what leaves a network."""
    return _delete(call)


def open_port(call: Call, address_id: str, protocol: str, start: int, end: int) -> None:
    """Open ports of a public address to everyone, as `openfirewall=true` does."""
    address = call.state.addresses[address_id]
    rule = FirewallRule(
        id=call.state.new_id(),
        account=address.account,
        project=address.project,
        created=call.state.now,
        protocol=protocol,
        start=start,
        end=end,
        cidrs="0.0.0.0/0",
        network=address.network,
        address=address.id,
    )
    call.state.add(call.state.firewall_rules, rule)


def _check_same(state: State, rule: FirewallRule) -> None:
    """Refuse a rule that is there already; ranges may overlap, and only a same one is refused."""
    for other in state.firewall_rules.values():
        same = (other.address, other.protocol, other.start, other.end, other.icmp_type) == (
            *(rule.address, rule.protocol, rule.start, rule.end, rule.icmp_type),
        )
        if same and other.network == rule.network and other.cidrs == rule.cidrs:
            start, end = rule.start or 0, rule.end or 0
            raise ports_conflict(start, end, f"{other.start}-{other.end}", other.id)


def _start(call: Call, rule: FirewallRule) -> Document:
    state = call.state
    state.add(state.firewall_rules, rule)

    def work() -> Work:
        yield
        return {"firewallrule": _document(state, rule)}

    return call.start(work(), rule.id, created=True)


def _delete(call: Call) -> Document:
    rule = call.take(call.state.firewall_rules, "id")

    def work() -> Work:
        yield
        call.state.firewall_rules.pop(rule.id, None)
        return {"success": True}

    return call.start(work(), rule.id)


def _document(state: State, rule: FirewallRule) -> Document:
    document: Document = {"id": rule.id}
    traffic = traffic_document(rule)
    document |= {key: traffic[key] for key in traffic if not key.startswith("icmp")}
    if rule.address:
        document["ipaddressid"] = rule.address
    document["networkid"] = rule.network
    if rule.address:
        document["ipaddress"] = state.addresses[rule.address].address
    document |= {"state": "Active", "cidrlist": rule.cidrs}
    document |= {key: traffic[key] for key in traffic if key.startswith("icmp")}
    return document | {
        "tags": tag_documents(state, rule),
        "destcidrlist": rule.destinations,
        "traffictype": "Egress" if rule.egress else "Ingress",
    }
