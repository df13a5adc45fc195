"""VPCs and their network ACLs."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.offerings import services
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.compute.sizing import check_limits
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.networks import block_of, network_document
from anabranch_cloudstack.simulator.network.provision import release_address, take_address
from anabranch_cloudstack.simulator.network.records import Vpc
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, stamp

__all__ = ["commands"]

commands = Commands()


@commands.add(
    "listVPCs", "id:uuid name displaytext cidr zoneid:uuid state vpcofferingid:uuid", listing=True
)
def list_vpcs(call: Call) -> Document:
    """Lists VPCs with their tiers."""
    vpcs = matching(
        call,
        call.state.vpcs.values(),
        zone="zoneid",
        state="state",
        cidr="cidr",
        offering="vpcofferingid",
    )
    return listed(call, "vpc", [_document(call.state, vpc) for vpc in vpcs])


@commands.add(
    "createVPC",
    "name! vpcofferingid!:uuid zoneid!:uuid displaytext!<4.19 cidr!<4.20 networkdomain"
    " projectid:uuid account domainid:uuid start:boolean",
    job="user.vpc.CreateVPCCmd",
    instance_type="None",
)
def create_vpc(call: Call) -> Document:
    """Creates a VPC; it takes a public address for source NAT."""
    state = call.state
    offering = call.take(state.vpc_offerings, "vpcofferingid")
    zone = call.take(state.zones, "zoneid")
    check_limits(call, 532, vpc=1)
    vpc = Vpc(
        id=state.new_id(),
        name=call.text("name"),
        text=call.text("displaytext") or call.text("name"),
        account=call.account.name,
        project=call.project,
        created=state.now,
        zone=zone.id,
        offering=offering.id,
        cidr=str(block_of(call.text("cidr", "10.0.0.0/16"))),
        domain=call.text("networkdomain", "cs2cloud.internal"),
    )
    state.add(state.vpcs, vpc)

    def work() -> Work:
        yield
        address = take_address(state, vpc.zone, vpc.account, vpc.project)
        address.source_nat, address.vpc = True, vpc.id
        return {"vpc": _document(state, vpc)}

    return call.start(work(), vpc.id, created=True)


@commands.add("updateVPC", "id!:uuid name displaytext", job="user.vpc.UpdateVPCCmd")
def update_vpc(call: Call) -> Document:
    """Updates a VPC."""
    vpc = call.take(call.state.vpcs, "id")

    def work() -> Work:
        yield
        vpc.name = call.text("name") or vpc.name
        vpc.text = call.text("displaytext") or vpc.text
        return {"vpc": _document(call.state, vpc)}

    return call.start(work(), vpc.id)


@commands.add("restartVPC", "id!:uuid cleanup:boolean", job="user.vpc.RestartVPCCmd")
def restart_vpc(call: Call) -> Document:
    """Restarts a VPC."""
    vpc = call.take(call.state.vpcs, "id")

    def work() -> Work:
        yield
        return {"success": True}

    return call.start(work(), vpc.id)


@commands.add("deleteVPC", "id!:uuid", job="user.vpc.DeleteVPCCmd", instance_type="Vpc")
def delete_vpc(call: Call) -> Document:
    """Deletes a VPC that has no tiers."""
    vpc = call.take(call.state.vpcs, "id")
    state = call.state

    def work() -> Work:
        yield
        if any(network.vpc == vpc.id for network in state.networks.values()):
            raise Refusal(536, f"Can't delete VPC {vpc.name} as it is used by networks")
        for address in state.addresses.values():
            if address.vpc == vpc.id:
                release_address(state, address)
        for acl in [a for a in state.acl_lists.values() if a.vpc == vpc.id]:
            for item in [i for i in state.acl_items.values() if i.acl == acl.id]:
                del state.acl_items[item.id]
            del state.acl_lists[acl.id]
        del state.vpcs[vpc.id]
        return {"success": True}

    return call.start(work(), vpc.id)


def _document(state: State, vpc: Vpc) -> Document:
    offering = state.vpc_offerings[vpc.offering]
    tiers = [n for n in state.networks.values() if n.vpc == vpc.id]
    return {
        "id": vpc.id,
        "name": vpc.name,
        "displaytext": vpc.text,
        "state": vpc.state,
        "zoneid": vpc.zone,
        "zonename": state.zones[vpc.zone].name,
        "service": services(offering.services, "VpcVirtualRouter"),
        "cidr": vpc.cidr,
        "vpcofferingid": offering.id,
        "vpcofferingname": offering.name,
        "created": stamp(vpc.created),
        **owner(state, vpc),
        "network": [network_document(state, tier) for tier in tiers],
        "restartrequired": False,
        "networkdomain": vpc.domain,
        "tags": tag_documents(state, vpc),
        "distributedvpcrouter": False,
        "regionlevelvpc": False,
        "redundantvpcrouter": False,
        "publicmtu": 1500,
        "hasannotations": False,
    }
