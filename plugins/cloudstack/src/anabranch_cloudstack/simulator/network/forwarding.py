"""Port forwarding rules, and with static NAT the IP forwarding rules."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.records import Machine
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.firewall import open_port
from anabranch_cloudstack.simulator.network.records import Address, ForwardingRule
from anabranch_cloudstack.simulator.network.rules import ports_conflict, traffic_of
from anabranch_cloudstack.simulator.records import tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()


@commands.add("listPortForwardingRules", "id:uuid ipaddressid:uuid networkid:uuid", listing=True)
def list_rules(call: Call) -> Document:
    """Lists port forwarding rules."""
    rules = matching(
        call, call.state.forwarding_rules.values(), address="ipaddressid", network="networkid"
    )
    rows = [_document(call.state, rule) for rule in rules if not rule.static]
    return listed(call, "portforwardingrule", rows)


@commands.add(
    "listIpForwardingRules", "id:uuid ipaddressid:uuid virtualmachineid:uuid", listing=True
)
def list_ip_rules(call: Call) -> Document:
    """Lists the rules of static NAT."""
    rules = matching(
        call,
        call.state.forwarding_rules.values(),
        address="ipaddressid",
        machine="virtualmachineid",
    )
    rows = [_ip_document(call.state, rule) for rule in rules if rule.static]
    return listed(call, "ipforwardingrule", rows)


@commands.add(
    "createPortForwardingRule",
    "ipaddressid!:uuid privateport!:integer protocol! publicport!:integer virtualmachineid!:uuid"
    " privateendport:integer publicendport:integer networkid:uuid openfirewall:boolean vmguestip"
    " cidrlist:list fordisplay:boolean",
    job="user.firewall.CreatePortForwardingRuleCmd",
    instance_type="FirewallRule",
)
def create_rule(call: Call) -> Document:
    """Forwards ports of a public address to a virtual machine."""
    state = call.state
    address = call.take(state.addresses, "ipaddressid")
    machine = call.take(state.machines, "virtualmachineid")
    protocol = call.text("protocol").lower()
    if protocol not in ("tcp", "udp"):
        raise invalid(f"Protocol {protocol} is unsupported")
    if address.machine:
        raise Refusal(
            537, f"Can't create port forwarding rule: {address.address} has static NAT", 4360
        )
    network, guest = _guest(call, address, machine)
    start, end = _range(call, "publicport", "publicendport")
    private_start, private_end = _range(call, "privateport", "privateendport")
    if end - start != private_end - private_start:
        raise invalid("Source port and destination port ranges should be of equal sizes.")
    _check_free(state, address, protocol, start, end)
    rule = ForwardingRule(
        id=state.new_id(),
        account=address.account,
        project=address.project,
        created=state.now,
        address=address.id,
        protocol=protocol,
        public_start=start,
        public_end=end,
        private_start=private_start,
        private_end=private_end,
        machine=machine.id,
        guest=guest,
        network=network,
    )
    state.add(state.forwarding_rules, rule)
    if call.flag("openfirewall", default=True) and not address.vpc:
        address.network = address.network or network
        open_port(call, address.id, protocol, start, end)

    def work() -> Work:
        yield
        return {"portforwardingrule": _document(state, rule)}

    return call.start(work(), rule.id, created=True)


@commands.add(
    "createIpForwardingRule",
    "ipaddressid!:uuid protocol! startport!:integer endport:integer openfirewall:boolean"
    " cidrlist:list",
    job="user.nat.CreateIpForwardingRuleCmd",
    instance_type="FirewallRule",
)
def create_ip_rule(call: Call) -> Document:
    """Adds a rule to an address with static NAT."""
    state = call.state
    address = call.take(state.addresses, "ipaddressid")
    if not address.machine:
        raise invalid(
            f"Can't create ip forwarding rule; static nat is not enabled for {address.address}"
        )
    traffic = traffic_of(call)
    start = traffic.start or 0
    end = traffic.end or start
    _check_free(state, address, traffic.protocol, start, end)
    rule = ForwardingRule(
        id=state.new_id(),
        account=address.account,
        project=address.project,
        created=state.now,
        address=address.id,
        protocol=traffic.protocol,
        public_start=start,
        public_end=end,
        private_start=start,
        private_end=end,
        machine=address.machine,
        guest=address.guest,
        network=address.network,
        static=True,
    )
    state.add(state.forwarding_rules, rule)
    if call.flag("openfirewall", default=True):
        open_port(call, address.id, rule.protocol, start, end)

    def work() -> Work:
        yield
        return {"ipforwardingrule": _ip_document(state, rule)}

    return call.start(work(), rule.id, created=True)


@commands.add(
    "deletePortForwardingRule", "id!:uuid", job="user.firewall.DeletePortForwardingRuleCmd"
)
def delete_rule(call: Call) -> Document:
    """Removes a port forwarding rule."""
    return _delete(call)


@commands.add("deleteIpForwardingRule", "id!:uuid", job="user.nat.DeleteIpForwardingRuleCmd")
def delete_ip_rule(call: Call) -> Document:
    """Removes a rule from an address with static NAT."""
    return _delete(call)


def _delete(call: Call) -> Document:
    rule = call.take(call.state.forwarding_rules, "id")

    def work() -> Work:
        yield
        call.state.forwarding_rules.pop(rule.id, None)
        return {"success": True}

    return call.start(work(), rule.id)


def _guest(call: Call, address: Address, machine: Machine) -> tuple[str, str]:
    """The network in which a machine is reached, and its address there."""
    wanted = call.text("networkid") or address.network
    if address.vpc and not wanted:
        raise invalid("Can't assign ip to the network directly: specify networkId of the VPC tier")
    for nic in machine.nics:
        if wanted in ("", nic.network):
            known = [nic.address, *(one.address for one in nic.secondary)]
            guest = call.text("vmguestip") or nic.address
            if guest not in known:
                raise invalid(f"Invalid vm guest ip {guest}")
            return nic.network, guest
    raise invalid(f"Unable to find nic of vm {machine.id} in network {wanted}")


def _range(call: Call, first: str, last: str) -> tuple[int, int]:
    start = call.number(first) or 0
    end = call.number(last) or start
    if not 1 <= start <= end <= 65535:
        raise invalid(f"Invalid port range: {start}-{end}")
    return start, end


def _check_free(state: State, address: Address, protocol: str, start: int, end: int) -> None:
    for rule in state.forwarding_rules.values():
        if (rule.address, rule.protocol) == (address.id, protocol) and (
            rule.public_start <= end and start <= rule.public_end
        ):
            raise ports_conflict(start, end, f"{rule.public_start}-{rule.public_end}", rule.id)
    for balancer in state.balancers.values():
        if balancer.address == address.id and start <= balancer.public_port <= end:
            raise ports_conflict(start, end, str(balancer.public_port), balancer.id)


def _machine(state: State, rule: ForwardingRule) -> Document:
    machine = state.machines[rule.machine]
    return {
        "virtualmachineid": machine.id,
        "virtualmachinename": machine.name,
        "virtualmachinedisplayname": machine.display,
    }


def _document(state: State, rule: ForwardingRule) -> Document:
    return {
        "id": rule.id,
        "privateport": str(rule.private_start),
        "privateendport": str(rule.private_end),
        "protocol": rule.protocol,
        "publicport": str(rule.public_start),
        "publicendport": str(rule.public_end),
        **_machine(state, rule),
        "ipaddressid": rule.address,
        "ipaddress": state.addresses[rule.address].address,
        "state": "Active",
        "cidrlist": "",
        "tags": tag_documents(state, rule),
        "vmguestip": rule.guest,
        "networkid": rule.network,
    }


def _ip_document(state: State, rule: ForwardingRule) -> Document:
    """A rule of static NAT; its `ipaddressid` is the internal number, as the real one's."""
    address = state.addresses[rule.address]
    return {
        "id": rule.id,
        "protocol": rule.protocol,
        **_machine(state, rule),
        "ipaddressid": address.number,
        "ipaddress": address.address,
        "startport": rule.public_start,
        "endport": rule.public_end,
        "state": "Active",
    }
