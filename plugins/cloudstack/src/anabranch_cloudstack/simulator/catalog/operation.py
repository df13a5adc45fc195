"""What only operators may ask: hosts, domains, routers, usage records."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.listing import listed
from anabranch_cloudstack.simulator.wire import Document

__all__ = ["commands"]

commands = Commands()

_USAGE_TYPES = {
    1: "RUNNING_VM",
    2: "ALLOCATED_VM",
    3: "IP_ADDRESS",
    4: "NETWORK_BYTES_SENT",
    5: "NETWORK_BYTES_RECEIVED",
    6: "VOLUME",
    7: "TEMPLATE",
    8: "ISO",
    9: "SNAPSHOT",
    10: "SECURITY_GROUP",
    11: "LOAD_BALANCER_POLICY",
    12: "PORT_FORWARDING_RULE",
    13: "NETWORK_OFFERING",
    14: "VPN_USERS",
    25: "VM_SNAPSHOT",
}


@commands.add("listDomains", "id:uuid name", listing=True, user=False)
def list_domains(call: Call) -> Document:
    """Lists domains."""
    domains = {
        account.domain_id: (account.domain, account.domain_path)
        for account in call.state.accounts.values()
    }
    rows = [
        {"id": domain, "name": name, "level": path.count("/"), "path": path, "state": "Active"}
        for domain, (name, path) in domains.items()
        if call.text("id", domain) == domain and call.text("name", name) == name
    ]
    return listed(call, "domain", rows)


@commands.add("listHosts", "id:uuid name zoneid:uuid type state", listing=True, user=False)
def list_hosts(call: Call) -> Document:
    """Lists hosts: one for every zone."""
    rows = [
        {
            "id": zone.id[::-1],
            "name": f"host-{zone.name}",
            "state": "Up",
            "type": "Routing",
            "zoneid": zone.id,
            "zonename": zone.name,
            "hypervisor": "KVM",
            "cpunumber": call.state.capacity,
            "resourcestate": "Enabled",
        }
        for zone in call.state.zones.values()
        if call.text("zoneid", zone.id) == zone.id
    ]
    return listed(call, "host", rows)


@commands.add("listRouters", "id:uuid zoneid:uuid networkid:uuid", listing=True, user=False)
def list_routers(call: Call) -> Document:
    """Lists virtual routers, of which none is shown here."""
    return listed(call, "router", [])


@commands.add("listUsageTypes", user=False)
def list_usage_types(call: Call) -> Document:
    """Lists the types of usage records."""
    rows = [{"id": number, "name": name} for number, name in _USAGE_TYPES.items()]
    return listed(call, "usagetype", rows)


@commands.add(
    "listUsageRecords",
    "startdate!:date enddate!:date type:long usageid accountid domainid:uuid",
    listing=True,
    user=False,
)
def list_usage_records(call: Call) -> Document:
    """Lists usage records: none, as where no usage server runs."""
    return listed(call, "usagerecord", [])


@commands.add("quotaIsEnabled", since="4.7.0")
def quota_is_enabled(call: Call) -> Document:
    """Says that quotas are off; the answer is nested twice, as the real one."""
    return {"isenabled": {"isenabled": False}}
