"""What neutron offers, its zones and its quotas."""

from __future__ import annotations

from anabranch_openstack.simulator.network.ports import port_documents
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.service import NOT_FOUND
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["routes"]

routes = Routes()

_ALIASES = (
    *("security-group", "external-net", "quotas", "quota_details", "pagination", "sorting"),
    *("net-mtu", "project-id", "standard-attr-timestamp", "standard-attr-revisions"),
    *("router", "fip-port-details", "floatingip-pools"),
    *("availability_zone", "network_availability_zone", "default-subnetpools"),
    *("port-security", "filter-validation", "security-groups-default-rules"),
)
_RESOURCES = (
    *("network", "subnet", "port", "security_group", "security_group_rule"),
    *("floatingip", "router"),
)


@routes.on("GET", "/v2.0", policy="get_resources")
def list_resources(request: Request) -> Reply:
    """The kinds of things that there are."""
    if not request.path.endswith("/"):
        raise Refusal(404, NOT_FOUND, kind="HTTPNotFound")
    documents: list[Document] = [
        {
            "name": name,
            "collection": f"{name}s",
            "links": [{"rel": "self", "href": f"{request.root}/v2.0/{name.replace('_', '-')}s"}],
        }
        for name in _RESOURCES
    ]
    return json_reply({"resources": documents})


@routes.on("GET", "/v2.0/extensions.json", policy="get_extensions")
@routes.on("GET", "/v2.0/extensions", policy="get_extensions")
def list_extensions(request: Request) -> Reply:
    """The extensions."""
    del request
    return json_reply({"extensions": [_extension(alias) for alias in _ALIASES]})


@routes.on("GET", "/v2.0/extensions/{alias}", policy="get_extension")
def show_extension(request: Request) -> Reply:
    """One extension."""
    alias = request.args[0]
    if alias not in _ALIASES:
        message = f"Extension with alias {alias} does not exist"
        raise Refusal(404, message, kind="HTTPNotFound")
    return json_reply({"extension": _extension(alias)})


@routes.on("GET", "/v2.0/availability_zones", policy="get_availability_zones")
def list_zones(request: Request) -> Reply:
    """There are no agents, so no zones."""
    del request
    return json_reply({"availability_zones": []})


@routes.on("GET", "/v2.0/quotas/{project_id}", policy="get_quota")
def show_limits(request: Request) -> Reply:
    """What the project may have."""
    return json_reply({"quota": request.region.networks.limits})


@routes.on("GET", "/v2.0/quotas/{project_id}/details.json", policy="get_quota")
def show_quota(request: Request) -> Reply:
    """What the project may have and what it has."""
    store, project_id = request.region.networks, request.token.project_id
    groups = [g for g in store.groups.values() if g["project_id"] == project_id]
    used = {
        "network": sum(n.project_id == project_id for n in store.networks.values()),
        "subnet": sum(s.project_id == project_id for s in store.subnets.values()),
        "port": len(port_documents(request)),
        "router": sum(r.project_id == project_id for r in store.routers.values()),
        "floatingip": sum(f.project_id == project_id for f in store.floating_ips.values()),
        "security_group": len(groups),
        "security_group_rule": sum(len(g["security_group_rules"]) for g in groups),
    }
    quota = {
        name: {"limit": limit, "used": used.get(name, 0), "reserved": 0}
        for name, limit in store.limits.items()
    }
    return json_reply({"quota": quota})


def _extension(alias: str) -> Document:
    return {
        "name": alias,
        "alias": alias,
        "description": "",
        "updated": "2012-10-05T10:00:00-00:00",
        "links": [],
    }
