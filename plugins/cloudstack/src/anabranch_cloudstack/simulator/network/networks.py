"""Guest networks, and the tiers of VPCs."""

from __future__ import annotations

import ipaddress

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import NetworkOffering, Zone
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.placement import new_network
from anabranch_cloudstack.simulator.network.provision import release_address
from anabranch_cloudstack.simulator.network.records import Network
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid, stamp

__all__ = ["block_of", "commands", "network_document"]

commands = Commands()


@commands.add(
    "listNetworks",
    "id:uuid name zoneid:uuid type vpcid:uuid issystem:boolean forvpc:boolean"
    " canusefordeploy:boolean traffictype supportedservices:list aclid:uuid"
    " networkfilter physicalnetworkid:uuid restartrequired:boolean",
    listing=True,
)
def list_networks(call: Call) -> Document:
    """Lists networks."""
    networks = matching(
        call, call.state.networks.values(), zone="zoneid", type="type", vpc="vpcid", acl="aclid"
    )
    if call.has("forvpc"):
        networks = [n for n in networks if bool(n.vpc) == call.flag("forvpc")]
    wanted = set(call.items("supportedservices"))
    if wanted:
        offerings = call.state.network_offerings
        networks = [n for n in networks if wanted <= set(offerings[n.offering].services)]
    return listed(call, "network", [network_document(call.state, n) for n in networks])


@commands.add(
    "createNetwork",
    "name! networkofferingid!:uuid zoneid!:uuid displaytext!<4.18 gateway netmask startip endip"
    " networkdomain vlan vpcid:uuid aclid:uuid projectid:uuid account domainid:uuid"
    " subdomainaccess:boolean acltype",
)
def create_network(call: Call) -> Document:
    """Creates a network."""
    state = call.state
    zone = call.take(state.zones, "zoneid")
    offering = call.take(state.network_offerings, "networkofferingid")
    if not zone.enabled and not call.account.is_admin:
        raise Refusal(
            531, f"Cannot perform this operation, Zone is currently disabled: {zone.name}", 4365
        )
    if zone.network_type == "Basic":
        raise invalid("Can't create guest networks in a Basic zone")
    if offering.specify_vlan and not call.account.is_admin:
        raise invalid("Only ROOT admin is allowed to specify vlanId")
    check_limits(call, 532, network=1)
    network = new_network(call, zone, call.text("name"), offering.id)
    network.text = call.text("displaytext") or network.name
    network.type = offering.guest_type
    network.domain = call.text("networkdomain") or network.domain
    network.gateway, network.cidr = _addresses(call, offering)
    if offering.for_vpc or call.has("vpcid"):
        _join_vpc(call, network, offering)
    state.add(state.networks, network)
    return {"network": network_document(state, network)}


@commands.add(
    "updateNetwork",
    "id!:uuid name displaytext networkdomain networkofferingid:uuid",
    job="user.network.UpdateNetworkCmd",
    instance_type="Network",
)
def update_network(call: Call) -> Document:
    """Updates a network."""
    network = call.take_own(call.state.networks, "id")

    def work() -> Work:
        yield
        network.name = call.text("name") or network.name
        network.text = call.text("displaytext") or network.text
        network.domain = call.text("networkdomain") or network.domain
        for machine in call.state.machines.values():
            if any(nic.network == network.id for nic in machine.nics):
                machine.encoded.clear()
        return {"network": network_document(call.state, network)}

    return call.start(work(), network.id)


@commands.add(
    "restartNetwork",
    "id!:uuid cleanup:boolean makeredundant:boolean",
    job="user.network.RestartNetworkCmd",
    instance_type="Network",
)
def restart_network(call: Call) -> Document:
    """Restarts a network."""
    network = call.take_own(call.state.networks, "id")

    def work() -> Work:
        yield
        return {"success": True}

    return call.start(work(), network.id)


@commands.add(
    "deleteNetwork",
    "id!:uuid forced:boolean",
    job="user.network.DeleteNetworkCmd",
    instance_type="Network",
)
def delete_network(call: Call) -> Document:
    """Deletes a network."""
    network = call.take_own(call.state.networks, "id")
    return call.start(_deleting(call.state, network), network.id)


def _deleting(state: State, network: Network) -> Work:
    yield
    if any(nic.network == network.id for m in state.machines.values() for nic in m.nics):
        raise Refusal(530, "Failed to delete network")
    for address in state.addresses.values():
        if address.network == network.id:
            release_address(state, address)
    for rule in [r for r in state.firewall_rules.values() if r.network == network.id]:
        del state.firewall_rules[rule.id]
    del state.networks[network.id]
    return {"success": True}


def block_of(text: str) -> ipaddress.IPv4Network:
    """A CIDR.

    Raises:
        Refusal: 431, it is none.
    """
    try:
        return ipaddress.IPv4Network(text)
    except ValueError:
        raise invalid(f"Invalid format for cidr {text}") from None


def _addresses(call: Call, offering: NetworkOffering) -> tuple[str, str]:
    if offering.guest_type == "L2":
        return "", ""
    gateway, netmask = call.text("gateway"), call.text("netmask")
    if bool(gateway) != bool(netmask):
        raise invalid("Gateway and netmask must be specified together")
    if not gateway:
        return "10.1.1.1", "10.1.1.0/24"
    try:
        return gateway, str(ipaddress.IPv4Interface(f"{gateway}/{netmask}").network)
    except ValueError:
        raise invalid(f"Invalid gateway or netmask: {gateway}/{netmask}") from None


def _join_vpc(call: Call, network: Network, offering: NetworkOffering) -> None:
    state = call.state
    if not call.has("vpcid"):
        raise invalid("Network offering can be used for VPC networks only")
    vpc = call.take(state.vpcs, "vpcid")
    if not offering.for_vpc:
        raise invalid(f"Network offering {offering.name} can't be used for VPC networks")
    if not call.has("gateway"):
        raise invalid("Gateway and netmask are required for a network of a VPC")
    block = block_of(network.cidr)
    if not block.subnet_of(block_of(vpc.cidr)):
        raise invalid(
            f'Network cidr {network.cidr} is not within vpc VPC {{"name":"{vpc.name}",'
            f'"uuid":"{vpc.id}"}} cidr'
        )
    for tier in state.networks.values():
        if tier.vpc == vpc.id and block_of(tier.cidr).overlaps(block):
            raise invalid(
                f"Network cidr {network.cidr} crosses other network cidr {tier.cidr} belonging"
                f' to the same vpc VPC {{"name":"{vpc.name}","uuid":"{vpc.id}"}}'
            )
    if call.has("aclid"):
        network.acl = call.take(state.acl_lists, "aclid").id
    else:
        network.acl = next(a.id for a in state.acl_lists.values() if a.name == "default_deny")
    network.vpc, network.domain = vpc.id, vpc.domain


def network_document(state: State, network: Network) -> Document:
    """One network."""
    offering = state.network_offerings[network.offering]
    zone: Zone = state.zones[network.zone]
    document: Document = {
        "id": network.id,
        "name": network.name,
        "displaytext": network.text,
        "broadcastdomaintype": "Native" if zone.network_type == "Basic" else "Vlan",
        "traffictype": "Guest",
    }
    if network.cidr:
        document |= {
            "gateway": network.gateway,
            "netmask": network.netmask,
            "cidr": network.cidr,
        }
    document |= {
        "zoneid": network.zone,
        "zonename": zone.name,
        "networkofferingid": offering.id,
        "networkofferingname": offering.name,
        "networkofferingdisplaytext": offering.text,
        "networkofferingconservemode": True,
        "networkofferingavailability": offering.availability,
        "issystem": False,
        "state": network.state,
        "related": network.id,
        "dns1": "192.0.2.53",
        "type": network.type,
        "acltype": "Account" if network.account else "Domain",
        **owner(state, network),
    }
    if not network.account:
        del document["account"]
    if network.type == "Shared":
        document["subdomainaccess"] = True
    provider = "VpcVirtualRouter" if network.vpc else "VirtualRouter"
    document |= {
        "service": [_service(name, provider) for name in offering.services],
        "networkdomain": network.domain,
        "physicalnetworkid": next(iter(state.addresses.values())).public_network,
        "restartrequired": False,
        "specifyvlan": offering.specify_vlan,
        "specifyipranges": network.type == "Shared",
    }
    if network.vpc:
        document |= {"vpcid": network.vpc, "vpcname": state.vpcs[network.vpc].name}
    document |= {
        "canusefordeploy": True,
        "ispersistent": False,
        "tags": tag_documents(state, network),
    }
    if network.acl:
        document |= {"aclid": network.acl, "aclname": state.acl_lists[network.acl].name}
    document |= {
        "strechedl2subnet": False,
        "redundantrouter": False,
        "supportsvmautoscaling": "Lb" in offering.services,
        "created": stamp(network.created),
        "receivedbytes": 0,
        "sentbytes": 0,
    }
    if "Firewall" in offering.services:
        document["egressdefaultpolicy"] = False
    return document | {"publicmtu": 1500, "privatemtu": 1500, "hasannotations": False}


def _service(name: str, provider: str) -> Document:
    capability = {
        "name": f"Supported{name}",
        "value": "true",
        "canchooseservicecapability": False,
    }
    return {"name": name, "provider": [{"name": provider}], "capability": [capability]}
