"""Public addresses and static NAT."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.provision import release_address, take_address
from anabranch_cloudstack.simulator.network.records import Address
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid, stamp

__all__ = ["commands"]

commands = Commands()


@commands.add(
    "listPublicIpAddresses",
    "id:uuid ipaddress zoneid:uuid state associatednetworkid:uuid vpcid:uuid networkid:uuid"
    " issourcenat:boolean isstaticnat:boolean forvirtualnetwork:boolean forloadbalancing:boolean"
    " allocatedonly:boolean",
    listing=True,
)
def list_addresses(call: Call) -> Document:
    """Lists public addresses; free ones only when they are asked for."""
    states = call.items("state") or ["Allocated"]
    if not call.flag("allocatedonly", default=True):
        states = ["Allocated", "Allocating", "Free"]
    pool = [a for a in call.state.addresses.values() if a.state in states]
    found = matching(
        call,
        pool,
        address="ipaddress",
        zone="zoneid",
        network="associatednetworkid",
        vpc="vpcid",
        public_network="networkid",
    )
    if call.has("issourcenat"):
        found = [a for a in found if a.source_nat == call.flag("issourcenat")]
    if call.has("isstaticnat"):
        found = [a for a in found if bool(a.machine) == call.flag("isstaticnat")]
    return listed(call, "publicipaddress", [_document(call.state, a) for a in found])


@commands.add(
    "associateIpAddress",
    "zoneid:uuid networkid:uuid vpcid:uuid ipaddress@4.13 projectid:uuid account domainid:uuid"
    " isportable:boolean fordisplay:boolean",
    job="user.address.AssociateIPAddrCmd",
    instance_type="IpAddress",
)
def associate_address(call: Call) -> Document:
    """Takes a public address."""
    state = call.state
    zone, network, vpc = _place(call)
    try:
        check_limits(call, 532, public_ip=1)
    except Refusal as refusal:
        raise Refusal(
            532,
            f"Maximum number of public IP addresses for account: {call.account.name} has been"
            " exceeded.",
            refusal.cserror,
        ) from None
    wanted = call.text("ipaddress")
    if wanted and not any(a.address == wanted and not a.account for a in state.addresses.values()):
        raise invalid(f"The specified IP address {wanted} is not free")
    address = take_address(state, zone, call.account.name, call.project, wanted)
    address.network, address.vpc = network, vpc
    address.state = "Allocating"

    def work() -> Work:
        yield
        if not address.account:
            raise Refusal(530, f"{address.address} was released meanwhile")
        result = {"ipaddress": _document(state, address)}
        address.state = "Allocated"
        return result

    return call.start(work(), address.id, created=True)


@commands.add(
    "disassociateIpAddress",
    "id!:uuid ipaddress",
    job="user.address.DisassociateIPAddrCmd",
    instance_type="IpAddress",
)
def disassociate_address(call: Call) -> Document:
    """Gives a public address back, with all rules on it."""
    address = call.take(call.state.addresses, "id")

    def work() -> Work:
        if address.source_nat:
            raise Refusal(
                530, "ip address is used for source nat purposes and can not be disassociated."
            )
        yield
        release_address(call.state, address)
        return {"success": True}

    return call.start(work(), address.id)


@commands.add("reserveIpAddress", "id!:uuid projectid:uuid", since="4.17")
def reserve_address(call: Call) -> Document:
    """Keeps a free public address for the account."""
    address = call.take(call.state.addresses, "id")
    if address.account:
        raise invalid(f"Ip address {address.address} is not free")
    address.account, address.project = call.account.name, call.project
    address.state, address.allocated = "Reserved", call.state.now
    return {"ipaddress": _document(call.state, address)}


@commands.add("releaseIpAddress", "id!:uuid", since="4.17")
def release_reserved(call: Call) -> Document:
    """Gives a reserved public address back."""
    address = call.take(call.state.addresses, "id")
    if address.state != "Reserved":
        raise invalid(f"Ip address {address.address} is not reserved")
    release_address(call.state, address)
    return {"success": True}


@commands.add(
    "enableStaticNat", "ipaddressid!:uuid virtualmachineid!:uuid networkid:uuid vmguestip"
)
def enable_static_nat(call: Call) -> Document:
    """Sends all traffic of a public address to a virtual machine."""
    state = call.state
    address = call.take(state.addresses, "ipaddressid")
    machine = call.take(state.machines, "virtualmachineid")
    if address.source_nat:
        raise invalid("Can't enable static nat: the address is used for source nat")
    if address.machine and address.machine != machine.id:
        raise invalid(f"Failed to enable static nat: {address.address} is already in use")
    for what, store in (
        ("PortForwarding", state.forwarding_rules),
        ("LoadBalancing", state.balancers),
    ):
        if any(rule.address == address.id for rule in store.values()):
            raise Refusal(
                537,
                "Failed to enable static nat for the ip address IPAddress"
                f' {{"address":"{address.address}","uuid":"{address.id}"}} as it already has'
                f" {what} rules assigned",
            )
    other = state.addresses.get(machine.public_address)
    if other is not None and other is not address:
        raise invalid(f"Failed to enable static nat: the machine has {other.address} already")
    wanted = call.text("networkid") or address.network
    nics = [nic for nic in machine.nics if wanted in ("", nic.network)]
    if not nics:
        raise invalid(f"Vm {machine.id} doesn't belong to network {wanted} of the address")
    address.network = nics[0].network
    address.machine, address.guest = machine.id, call.text("vmguestip") or nics[0].address
    machine.public_address = address.id
    state.changed(machine.id)
    return {"success": True}


@commands.add(
    "disableStaticNat",
    "ipaddressid!:uuid",
    job="user.nat.DisableStaticNatCmd",
    instance_type="IpAddress",
)
def disable_static_nat(call: Call) -> Document:
    """Ends the static NAT of a public address."""
    address = call.take(call.state.addresses, "ipaddressid")

    def work() -> Work:
        if not address.machine:
            raise invalid("Specified IP address id is not associated with any static NAT")
        yield
        rules = call.state.forwarding_rules
        for rule in [r for r in rules.values() if r.static and r.address == address.id]:
            del rules[rule.id]
        release_address(call.state, address, keep=True)
        return {"success": True}

    return call.start(work(), address.id)


def _place(call: Call) -> tuple[str, str, str]:
    """The ids of the zone, the network and the VPC for which an address is taken."""
    state = call.state
    if call.has("networkid"):
        network = call.take(state.networks, "networkid")
        return network.zone, "" if network.vpc else network.id, network.vpc
    if call.has("vpcid"):
        vpc = call.take(state.vpcs, "vpcid")
        return vpc.zone, "", vpc.id
    if not call.has("zoneid"):
        raise invalid(
            "Unable to figure out zone to assign IP to. Please specify either zoneId, or"
            " networkId, or vpcId in the call"
        )
    zone = call.take(state.zones, "zoneid").id
    networks = [
        network.id
        for network in call.visible(state.networks.values())
        if network.zone == zone and network.account and not network.vpc
    ]
    return zone, networks[0] if len(networks) == 1 else "", ""


def _document(state: State, address: Address) -> Document:
    document: Document = {"id": address.id, "ipaddress": address.address}
    if address.allocated:
        document["allocated"] = stamp(address.allocated)
    document |= {
        "zoneid": address.zone,
        "zonename": state.zones[address.zone].name,
        "issourcenat": address.source_nat,
    }
    if address.account:
        document |= owner(state, address)
    document |= {
        "forvirtualnetwork": True,
        "isstaticnat": bool(address.machine),
        "issystem": False,
    }
    machine = state.machines.get(address.machine)
    if machine is not None:
        document |= {
            "virtualmachineid": machine.id,
            "virtualmachinetype": "User",
            "vmipaddress": address.guest,
            "virtualmachinename": machine.name,
            "virtualmachinedisplayname": machine.display,
        }
    if address.network:
        document["associatednetworkid"] = address.network
        document["associatednetworkname"] = state.networks[address.network].name
    if address.vpc:
        document |= {"vpcid": address.vpc, "vpcname": state.vpcs[address.vpc].name}
    stores = (state.firewall_rules, state.forwarding_rules, state.balancers)
    return document | {
        "networkid": address.public_network,
        "state": address.state,
        "physicalnetworkid": address.public_network,
        "tags": tag_documents(state, address),
        "isportable": False,
        "hasrules": any(r.address == address.id for store in stores for r in store.values()),
        "forsystemvms": False,
        "forprovider": False,
        "hasannotations": False,
    }
