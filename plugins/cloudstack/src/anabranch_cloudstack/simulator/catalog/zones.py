"""Zones, regions and hypervisors."""

from __future__ import annotations

import uuid

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.catalog.records import Zone
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.wire import Document

__all__ = ["commands"]

commands = Commands()

_HYPERVISORS = ("KVM", "VMware", "XenServer", "Hyperv", "BareMetal", "Ovm", "LXC", "Ovm3")


@commands.add(
    "listZones",
    "id:uuid ids:list name available:boolean networktype showcapacities:boolean",
    listing=True,
)
def list_zones(call: Call) -> Document:
    """Lists zones."""
    zones = matching(call, call.state.zones.values(), network_type="networktype")
    return listed(call, "zone", [_document(call, zone) for zone in zones])


@commands.add("listRegions", "id:integer name", listing=True)
def list_regions(call: Call) -> Document:
    """Lists regions."""
    region = {
        "id": 1,
        "name": "Local",
        "endpoint": "http://localhost:8080/client/",
        "gslbserviceenabled": True,
        "portableipserviceenabled": False,
    }
    return listed(call, "region", [region])


@commands.add("listHypervisors", "zoneid:uuid")
def list_hypervisors(call: Call) -> Document:
    """Lists hypervisors, of one zone or all that there are."""
    names = ("KVM",) if call.has("zoneid") else _HYPERVISORS
    return listed(call, "hypervisor", [{"name": name} for name in names])


def _document(call: Call, zone: Zone) -> Document:
    state = call.state
    document: Document = {"id": zone.id, "name": zone.name}
    if call.account.is_admin:
        document |= {"dns1": "192.0.2.53", "internaldns1": "192.0.2.53"}
        document["guestcidraddress"] = "10.1.1.0/24"
    document |= {
        "networktype": zone.network_type,
        "securitygroupsenabled": zone.security_groups,
        "allocationstate": "Enabled" if zone.enabled else "Disabled",
        "zonetoken": str(uuid.uuid3(uuid.NAMESPACE_OID, zone.id)),
        "dhcpprovider": "VirtualRouter",
        "localstorageenabled": False,
        "tags": [],
    }
    if state.version >= (4, 18):
        document |= {
            "allowuserspecifyvrmtu": False,
            "routerprivateinterfacemaxmtu": 1500,
            "routerpublicinterfacemaxmtu": 1500,
            "type": "Core",
        }
    if state.version >= (4, 20):
        document |= {
            "isnsxenabled": False,
            "ismultiarch": False,
            "asnrange": "",
            "routedmodeenabled": True,
        }
    if state.version >= (4, 22):
        document |= {"gputotal": 40, "gpuused": 0}
    return document | {"hasannotations": False}
