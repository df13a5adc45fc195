"""Zones, limits, quotas, and what else clients ask nova about a project."""

from __future__ import annotations

from anabranch_openstack.simulator.compute.records import Quota
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["routes"]

routes = Routes()


@routes.on("GET", "/v2.1/os-availability-zone", policy="os_compute_api:os-availability-zone:list")
def list_zones(request: Request) -> Reply:
    """The availability zones."""
    zones = [
        {"zoneName": name, "zoneState": {"available": True}, "hosts": None}
        for name in request.region.compute.zones
    ]
    return json_reply({"availabilityZoneInfo": zones})


@routes.on("GET", "/v2.1/limits", policy="os_compute_api:limits")
def show_limits(request: Request) -> Reply:
    """The limits of the project and what it uses of them."""
    quota, used = _usage(request, request.token.project_id)
    absolute: Document = {
        "maxTotalCores": quota.cores,
        "maxTotalInstances": quota.instances,
        "maxTotalKeypairs": quota.key_pairs,
        "maxServerMeta": 128,
        "maxTotalRAMSize": quota.ram,
        "maxServerGroups": 50,
        "maxServerGroupMembers": 10,
        "totalRAMUsed": used["ram"],
        "totalCoresUsed": used["cores"],
        "totalInstancesUsed": used["instances"],
        "totalServerGroupsUsed": 0,
    }
    if request.version < 57:
        absolute |= {"maxPersonality": 5, "maxPersonalitySize": 10240}
    if request.version < 39:
        absolute["maxImageMeta"] = 128
    if request.version < 36:
        absolute |= {
            "maxTotalFloatingIps": -1,
            "maxSecurityGroups": -1,
            "maxSecurityGroupRules": -1,
            "totalFloatingIpsUsed": 0,
            "totalSecurityGroupsUsed": 0,
        }
    return json_reply({"limits": {"rate": [], "absolute": absolute}})


@routes.on("GET", "/v2.1/os-quota-sets/{project_id}", policy="os_compute_api:os-quota-sets:show")
def show_quota(request: Request) -> Reply:
    """The quota of the project."""
    quota, _ = _usage(request, _project(request))
    return json_reply({"quota_set": {"id": request.args[0], **_quota(request, quota)}})


@routes.on(
    "GET",
    "/v2.1/os-quota-sets/{project_id}/defaults",
    policy="os_compute_api:os-quota-sets:defaults",
)
def show_default_quota(request: Request) -> Reply:
    """The quota of a new project."""
    return json_reply({"quota_set": {"id": request.args[0], **_quota(request, Quota())}})


@routes.on(
    "GET", "/v2.1/os-quota-sets/{project_id}/detail", policy="os_compute_api:os-quota-sets:detail"
)
def show_quota_usage(request: Request) -> Reply:
    """The quota of the project and what it uses of it."""
    quota, used = _usage(request, _project(request))
    details = {
        name: {"limit": limit, "in_use": used.get(name, 0), "reserved": 0}
        for name, limit in _quota(request, quota).items()
    }
    return json_reply({"quota_set": {"id": request.args[0], **details}})


@routes.on("GET", "/v2.1/extensions", policy="os_compute_api:extensions")
def list_extensions(request: Request) -> Reply:
    """What old clients ask before they dare."""
    del request
    aliases = ("os-availability-zone", "os-keypairs", "os-volumes", "os-extended-availability-zone")
    extensions: list[Document] = [
        {
            "alias": alias,
            "description": "",
            "links": [],
            "name": alias,
            "namespace": "http://docs.openstack.org/compute/ext/fake_xml",
            "updated": "2014-12-03T00:00:00Z",
        }
        for alias in aliases
    ]
    return json_reply({"extensions": extensions})


@routes.on("GET", "/v2.1/os-server-groups", policy="os_compute_api:os-server-groups:index")
def list_server_groups(request: Request) -> Reply:
    """No server is in a group."""
    del request
    return json_reply({"server_groups": []})


@routes.on(
    "GET",
    "/v2.1/os-availability-zone/detail",
    policy="os_compute_api:os-availability-zone:detail",
)
def list_zone_details(request: Request) -> Reply:
    """For administrators only."""
    raise _administrators_only(request, "os-availability-zone:detail")


@routes.on("GET", "/v2.1/os-hypervisors", policy="os_compute_api:os-hypervisors:list")
@routes.on("GET", "/v2.1/os-hypervisors/detail", policy="os_compute_api:os-hypervisors:list")
def list_hypervisors(request: Request) -> Reply:
    """For administrators only."""
    raise _administrators_only(request, "os-hypervisors:list")


@routes.on("GET", "/v2.1/os-services", policy="os_compute_api:os-services:list")
def list_services(request: Request) -> Reply:
    """For administrators only."""
    raise _administrators_only(request, "os-services:list")


def _administrators_only(request: Request, policy: str) -> Refusal:
    del request
    return Refusal(403, f"Policy doesn't allow os_compute_api:{policy} to be performed.")


def _project(request: Request) -> str:
    project_id = request.args[0]
    if project_id != request.token.project_id:
        raise _administrators_only(request, "os-quota-sets:show")
    return project_id


def _usage(request: Request, project_id: str) -> tuple[Quota, dict[str, int]]:
    compute = request.region.compute
    mine = [s for s in compute.servers.values() if s.project_id == project_id]
    used = {
        "instances": len(mine),
        "cores": sum(s.flavor.vcpus for s in mine),
        "ram": sum(s.flavor.ram for s in mine),
    }
    return compute.quota(project_id), used


def _quota(request: Request, quota: Quota) -> dict[str, int]:
    limits = {
        "cores": quota.cores,
        "instances": quota.instances,
        "key_pairs": quota.key_pairs,
        "metadata_items": 128,
        "ram": quota.ram,
        "server_group_members": 10,
        "server_groups": 50,
    }
    if request.version < 36:
        limits |= {
            "fixed_ips": -1,
            "floating_ips": -1,
            "security_group_rules": -1,
            "security_groups": -1,
        }
    if request.version < 57:
        limits |= {
            "injected_file_content_bytes": 10240,
            "injected_file_path_bytes": 255,
            "injected_files": 5,
        }
    return limits
