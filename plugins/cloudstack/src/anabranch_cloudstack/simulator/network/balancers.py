"""Load balancer rules, their members and how they keep a client."""

from __future__ import annotations

import ipaddress

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.documents import machine_document
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.firewall import open_port
from anabranch_cloudstack.simulator.network.provision import take_address
from anabranch_cloudstack.simulator.network.records import Address, Balancer
from anabranch_cloudstack.simulator.network.rules import ports_conflict
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_ALGORITHMS = ("source", "roundrobin", "leastconn")
_PROTOCOLS = ("tcp", "udp", "tcp-proxy", "ssl")
_MEMBERS = "id!:uuid virtualmachineids:list vmidipmap:map"


@commands.add(
    "listLoadBalancerRules",
    "id:uuid name publicipid:uuid virtualmachineid:uuid zoneid:uuid networkid:uuid",
    listing=True,
)
def list_balancers(call: Call) -> Document:
    """Lists load balancer rules."""
    balancers = matching(
        call,
        call.state.balancers.values(),
        address="publicipid",
        zone="zoneid",
        network="networkid",
    )
    if call.has("virtualmachineid"):
        balancers = [b for b in balancers if call.text("virtualmachineid") in b.members]
    return listed(call, "loadbalancerrule", [_document(call.state, b) for b in balancers])


@commands.add(
    "createLoadBalancerRule",
    "name! algorithm! publicport!:integer privateport!:integer publicipid:uuid zoneid:uuid"
    " networkid:uuid protocol description openfirewall:boolean cidrlist:list account"
    " domainid:uuid fordisplay:boolean",
    job="user.loadbalancer.CreateLoadBalancerRuleCmd",
    instance_type="FirewallRule",
)
def create_balancer(call: Call) -> Document:
    """Creates a load balancer rule: one port of a public address."""
    state = call.state
    algorithm = call.text("algorithm")
    if algorithm not in _ALGORITHMS:
        raise Refusal(431, f"Invalid algorithm: {algorithm}")
    protocol = call.text("protocol", "tcp").lower()
    if protocol not in _PROTOCOLS:
        raise invalid(f"Protocol {protocol} is not supported")
    public, private = call.number("publicport") or 0, call.number("privateport") or 0
    if not (0 < public < 65536 and 0 < private < 65536):
        raise invalid(f"Invalid port: {public} or {private}")
    address = _address(call)
    network = call.text("networkid") or address.network
    if not network:
        raise invalid("The address is not associated with a network; specify networkId")
    _check_free(state, address, public)
    balancer = Balancer(
        id=state.new_id(),
        name=call.text("name"),
        text=call.text("description"),
        account=address.account,
        project=address.project,
        created=state.now,
        address=address.id,
        network=network,
        zone=address.zone,
        algorithm=algorithm,
        protocol=protocol,
        public_port=public,
        private_port=private,
    )
    state.add(state.balancers, balancer)
    if call.flag("openfirewall", default=True) and not address.vpc:
        open_port(call, address.id, "tcp", public, public)

    def work() -> Work:
        yield
        return {"loadbalancer": _document(state, balancer)}

    return call.start(work(), balancer.id, created=True)


@commands.add(
    "updateLoadBalancerRule",
    "id!:uuid algorithm name description protocol fordisplay:boolean",
    job="user.loadbalancer.UpdateLoadBalancerRuleCmd",
)
def update_balancer(call: Call) -> Document:
    """Updates a load balancer rule."""
    balancer = call.take(call.state.balancers, "id")
    algorithm = call.text("algorithm", balancer.algorithm)
    if algorithm not in _ALGORITHMS:
        raise Refusal(431, f"Invalid algorithm: {algorithm}")

    def work() -> Work:
        yield
        balancer.algorithm = algorithm
        balancer.name = call.text("name") or balancer.name
        balancer.text = call.text("description", balancer.text)
        return {"loadbalancer": _document(call.state, balancer)}

    return call.start(work(), balancer.id)


@commands.add(
    "deleteLoadBalancerRule", "id!:uuid", job="user.loadbalancer.DeleteLoadBalancerRuleCmd"
)
def delete_balancer(call: Call) -> Document:
    """Deletes a load balancer rule; its address stays."""
    balancer = call.take(call.state.balancers, "id")

    def work() -> Work:
        yield
        call.state.balancers.pop(balancer.id, None)
        return {"success": True}

    return call.start(work(), balancer.id)


@commands.add(
    "assignToLoadBalancerRule", _MEMBERS, job="user.loadbalancer.AssignToLoadBalancerRuleCmd"
)
def assign(call: Call) -> Document:
    """Gives members to a load balancer rule."""
    balancer = call.take(call.state.balancers, "id")
    members = _members(call, balancer)

    def work() -> Work:
        for machine, addresses in members.items():
            if set(addresses) & set(balancer.members.get(machine, ())):
                raise invalid(f"VM {machine} is already mapped to load balancer.")
        yield
        for machine, addresses in members.items():
            balancer.members[machine] = [*balancer.members.get(machine, []), *addresses]
        balancer.state = "Active"
        return {"success": True}

    return call.start(work(), balancer.id)


@commands.add(
    "removeFromLoadBalancerRule", _MEMBERS, job="user.loadbalancer.RemoveFromLoadBalancerRuleCmd"
)
def remove(call: Call) -> Document:
    """Takes members from a load balancer rule."""
    balancer = call.take(call.state.balancers, "id")
    wanted = call.items("virtualmachineids") + [e.get("vmid", "") for e in call.maps("vmidipmap")]
    if not wanted:
        raise invalid("Both virtualmachineids and vmidipmap can't be null")

    def work() -> Work:
        for machine in wanted:
            if machine not in balancer.members:
                raise invalid(f"Invalid instance id: {machine} is no member")
        yield
        for machine in wanted:
            balancer.members.pop(machine, None)
        return {"success": True}

    return call.start(work(), balancer.id)


@commands.add(
    "listLoadBalancerRuleInstances", "id!:uuid applied:boolean lbvmips:boolean", listing=True
)
def list_members(call: Call) -> Document:
    """Lists the machines to which a load balancer rule goes, or with applied=false the others."""
    state = call.state
    balancer = call.take(state.balancers, "id")
    applied = call.flag("applied", default=True)
    machines = [
        machine
        for machine in state.machines.values()
        if (machine.id in balancer.members) == applied
        and machine.account == balancer.account
        and any(nic.network == balancer.network for nic in machine.nics)
        and machine.present
    ]
    rows = [machine_document(state, machine) for machine in machines]
    if not call.flag("lbvmips"):
        return listed(call, "loadbalancerruleinstance", rows)
    pairs = [
        {
            "loadbalancerruleinstance": row,
            "lbvmipaddresses": balancer.members.get(machine.id, []),
        }
        for machine, row in zip(machines, rows, strict=True)
    ]
    return listed(call, "lbrulevmidip", pairs)


def _address(call: Call) -> Address:
    """The address of a new rule: the one it names, or a new one of its zone or network."""
    state = call.state
    if call.has("publicipid"):
        address = call.take(state.addresses, "publicipid")
        if not address.account:
            raise invalid(
                f"Unable to create load balancer rule: {address.address} is not allocated"
            )
        if address.machine:
            raise Refusal(537, f"Can't create rule: {address.address} has static NAT", 4360)
        return address
    if not call.has("zoneid") and not call.has("networkid"):
        raise invalid("Either network id or zone id or public ip id has to be specified")
    if call.has("networkid"):
        network = call.take(state.networks, "networkid")
        address = take_address(state, network.zone, call.account.name, call.project)
        address.network = network.id
        return address
    zone = call.take(state.zones, "zoneid").id
    address = take_address(state, zone, call.account.name, call.project)
    address.network = next(
        (n.id for n in call.visible(state.networks.values()) if n.zone == zone and n.account), ""
    )
    return address


def _members(call: Call, balancer: Balancer) -> dict[str, list[str]]:
    state = call.state
    wanted: dict[str, list[str]] = {machine: [] for machine in call.items("virtualmachineids")}
    for entry in call.maps("vmidipmap"):
        wanted.setdefault(entry.get("vmid", ""), []).append(entry.get("vmip", ""))
    if not wanted:
        raise invalid("Both virtualmachineids and vmidipmap can't be null")
    for machine_id, addresses in wanted.items():
        machine = call.take_id(state.machines, machine_id, "virtualmachineids")
        nics = [nic for nic in machine.nics if nic.network == balancer.network]
        if not nics:
            raise invalid(f"VM {machine.id} cannot be added: it is not in the rule's network")
        known = [nics[0].address, *(one.address for one in nics[0].secondary)]
        if any(ipaddress.ip_address(a) not in map(ipaddress.ip_address, known) for a in addresses):
            raise invalid(f"VM ip {addresses} is not an address of {machine.id}")
        wanted[machine_id] = addresses or [nics[0].address]
    return wanted


def _check_free(state: State, address: Address, port: int) -> None:
    for other in state.balancers.values():
        if (other.address, other.public_port) == (address.id, port):
            raise ports_conflict(port, port, str(other.public_port), other.id)
    for rule in state.forwarding_rules.values():
        if rule.address == address.id and rule.public_start <= port <= rule.public_end:
            raise ports_conflict(port, port, str(rule.public_start), rule.id)


def _document(state: State, balancer: Balancer) -> Document:
    document: Document = {"id": balancer.id, "name": balancer.name}
    if balancer.text:
        document["description"] = balancer.text
    return document | {
        "publicipid": balancer.address,
        "publicip": state.addresses[balancer.address].address,
        "publicport": str(balancer.public_port),
        "privateport": str(balancer.private_port),
        "algorithm": balancer.algorithm,
        "networkid": balancer.network,
        **owner(state, balancer),
        "state": balancer.state,
        "zoneid": balancer.zone,
        "zonename": state.zones[balancer.zone].name,
        "protocol": balancer.protocol,
        "tags": tag_documents(state, balancer),
    }
