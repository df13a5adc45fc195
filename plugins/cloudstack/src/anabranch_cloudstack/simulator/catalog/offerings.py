"""Service, disk, network and VPC offerings."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import (
    DiskOffering,
    NetworkOffering,
    ServiceOffering,
    VpcOffering,
)
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.wire import Document, stamp

__all__ = ["commands", "services"]

commands = Commands()


@commands.add(
    "listServiceOfferings",
    "id:uuid name virtualmachineid:uuid zoneid@4.13:uuid issystem:boolean domainid:uuid",
    listing=True,
)
def list_service_offerings(call: Call) -> Document:
    """Lists service offerings; with a machine, those to which it may change."""
    offerings = matching(call, call.state.service_offerings.values())
    if call.has("virtualmachineid"):
        machine = call.take(call.state.machines, "virtualmachineid")
        offerings = [offering for offering in offerings if offering.id != machine.offering]
    return listed(call, "serviceoffering", [_service(offering) for offering in offerings])


@commands.add("listDiskOfferings", "id:uuid name zoneid:uuid", listing=True)
def list_disk_offerings(call: Call) -> Document:
    """Lists disk offerings."""
    offerings = matching(call, call.state.disk_offerings.values())
    return listed(call, "diskoffering", [_disk(offering) for offering in offerings])


@commands.add(
    "listNetworkOfferings",
    "id:uuid name displaytext guestiptype traffictype availability state zoneid:uuid"
    " forvpc:boolean isdefault:boolean specifyvlan:boolean supportedservices:list",
    listing=True,
)
def list_network_offerings(call: Call) -> Document:
    """Lists network offerings."""
    offerings = matching(
        call,
        call.state.network_offerings.values(),
        guest_type="guestiptype",
        availability="availability",
    )
    if call.has("state") and call.text("state") != "Enabled":
        return {}
    if call.has("forvpc"):
        offerings = [o for o in offerings if o.for_vpc == call.flag("forvpc")]
    if call.has("specifyvlan"):
        offerings = [o for o in offerings if o.specify_vlan == call.flag("specifyvlan")]
    wanted = set(call.items("supportedservices"))
    offerings = [o for o in offerings if wanted <= set(o.services)]
    return listed(call, "networkoffering", [_network(call, o) for o in offerings])


@commands.add("listVPCOfferings", "id:uuid name state isdefault:boolean zoneid:uuid", listing=True)
def list_vpc_offerings(call: Call) -> Document:
    """Lists VPC offerings."""
    offerings = matching(call, call.state.vpc_offerings.values())
    return listed(call, "vpcoffering", [_vpc(offering) for offering in offerings])


def services(names: tuple[str, ...], provider: str) -> list[Document]:
    """The services of an offering."""
    return [{"name": name, "provider": [{"name": provider}]} for name in names]


def _service(offering: ServiceOffering) -> Document:
    document: Document = {
        "id": offering.id,
        "name": offering.name,
        "state": "Active",
        "displaytext": offering.name,
    }
    sizes = (
        ("cpunumber", offering.cpus),
        ("cpuspeed", offering.speed),
        ("memory", offering.memory),
    )
    document |= {key: value for key, value in sizes if value}
    document |= {
        "created": stamp(offering.created),
        "storagetype": "shared",
        "provisioningtype": "thin",
        "offerha": False,
        "limitcpuuse": False,
        "isvolatile": False,
        "issystem": False,
        "defaultuse": False,
    }
    if offering.bounds:
        document["serviceofferingdetails"] = offering.bounds
    return document | {
        "iscustomized": offering.customized,
        "rootdisksize": offering.root_size,
        "dynamicscalingenabled": True,
        "diskofferingstrictness": False,
        "diskofferingid": offering.disk_offering_id,
        "diskofferingname": offering.name,
        "diskofferingdisplaytext": offering.name,
        "encryptroot": False,
        "hasannotations": False,
    }


def _disk(offering: DiskOffering) -> Document:
    return {
        "id": offering.id,
        "name": offering.name,
        "state": "Active",
        "displaytext": offering.text,
        "disksize": offering.size,
        "created": stamp(offering.created),
        "iscustomized": not offering.size,
        "storagetype": "shared",
        "provisioningtype": "thin",
        "displayoffering": True,
        "disksizestrictness": False,
        "encrypt": False,
        "hasannotations": False,
    }


def _network(call: Call, offering: NetworkOffering) -> Document:
    provider = "VpcVirtualRouter" if offering.for_vpc else "VirtualRouter"
    document: Document = {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "created": stamp(offering.created),
        "traffictype": "Guest",
        "isdefault": True,
        "specifyvlan": offering.specify_vlan,
        "conservemode": True,
        "specifyipranges": offering.guest_type == "Shared",
        "availability": offering.availability,
        "networkrate": 200,
        "state": "Enabled",
        "guestiptype": offering.guest_type,
        "serviceofferingid": next(iter(call.state.service_offerings)),
        "service": services(offering.services, provider),
        "forvpc": offering.for_vpc,
        "fornsx": False,
        "fortungsten": False,
        "ispersistent": False,
        "egressdefaultpolicy": False,
        "supportsstrechedl2subnet": False,
        "supportspublicaccess": False,
        "supportsinternallb": False,
        "internetprotocol": "IPv4",
        "specifyasnumber": False,
        "hasannotations": False,
    }
    return document


def _vpc(offering: VpcOffering) -> Document:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "created": stamp(offering.created),
        "isdefault": True,
        "state": "Enabled",
        "service": services(offering.services, "VpcVirtualRouter"),
        "distributedvpcrouter": False,
        "supportsregionLevelvpc": False,
        "fornsx": False,
        "internetprotocol": "IPv4",
        "specifyasnumber": False,
    }
