"""`/routers`: what connects the networks of a project with an external one."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.network.listing import (
    check_known,
    check_room,
    list_reply,
    not_found,
    only_fields,
    wanted,
)
from anabranch_openstack.simulator.network.records import Networks, Port, Router, Subnet
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    json_reply,
)

__all__ = ["connect", "routes"]

routes = Routes()

_INTERFACE = "network:router_interface"
_FIELDS = {
    *("name", "description", "admin_state_up", "external_gateway_info", "tenant_id"),
    *("project_id", "availability_zone_hints", "flavor_id"),
}


def connect(store: Networks, router: Router, subnet: Subnet, port_id: str, now: float) -> Port:
    """Give a router an interface at the gateway of a subnet."""
    port = Port(
        id=port_id,
        name="",
        project_id=router.project_id,
        network_id=subnet.network_id,
        subnet_id=subnet.id,
        address=subnet.gateway or "",
        mac=store.free_mac(),
        created=now,
        device_id=router.id,
        device_owner=_INTERFACE,
    )
    store.ports[port.id] = port
    return port


@routes.on("GET", "/v2.0/routers", policy="get_routers")
def list_routers(request: Request) -> Reply:
    """The routers of the project."""
    documents = [_document(request, r) for r in _own(request)]
    return list_reply(request, "routers", "Router", documents)


@routes.on("GET", "/v2.0/routers/{router_id}", policy="get_router")
def show_router(request: Request) -> Reply:
    """One router."""
    document = _document(request, _find(request))
    return json_reply({"router": only_fields(request, document)})


@routes.on("POST", "/v2.0/routers", policy="create_router")
def create_router(request: Request) -> Reply:
    """A router, with a gateway if it is to have one."""
    document = wanted(request, "router")
    check_known(document, _FIELDS)
    check_room(request, "router", len(_own(request)))
    store = request.region.networks
    router = Router(
        id=str(uuid.uuid4()),
        name=str(document.get("name", "")),
        project_id=request.token.project_id,
        created=request.now,
    )
    gateway = document.get("external_gateway_info")
    if gateway:
        network = store.visible(str(gateway.get("network_id")), router.project_id)
        if network is None:
            raise not_found("Network", str(gateway.get("network_id")))
        subnet = store.first_subnet(network.id)
        if not network.external or subnet is None:
            message = f"Bad router request: Network {network.id} is not an external network."
            raise Refusal(400, message, kind="BadRequest")
        router.gateway_network_id = network.id
        router.gateway_address = store.free_address(subnet)
    store.routers[router.id] = router
    return json_reply({"router": _document(request, router)}, 201)


@routes.on("PUT", "/v2.0/routers/{router_id}/add_router_interface", policy="update_router")
def add_interface(request: Request) -> Reply:
    """Connect a subnet."""
    router, subnet = _find(request), _subnet(request)
    store = request.region.networks
    if any(p.subnet_id == subnet.id and p.device_owner == _INTERFACE for p in store.ports.values()):
        message = f"Bad router request: Router already has a port on subnet {subnet.id}."
        raise Refusal(400, message, kind="BadRequest")
    port = connect(store, router, subnet, str(uuid.uuid4()), request.now)
    return json_reply(_interface(router, port))


@routes.on("PUT", "/v2.0/routers/{router_id}/remove_router_interface", policy="update_router")
def remove_interface(request: Request) -> Reply:
    """Disconnect a subnet."""
    router, subnet = _find(request), _subnet(request)
    for port in _interfaces(request, router):
        if port.subnet_id == subnet.id:
            del request.region.networks.ports[port.id]
            return json_reply(_interface(router, port))
    raise Refusal(
        404,
        f"Router {router.id} has no interface on subnet {subnet.id}",
        kind="RouterInterfaceNotFoundForSubnet",
    )


@routes.on("DELETE", "/v2.0/routers/{router_id}", policy="delete_router")
def delete_router(request: Request) -> Reply:
    """Delete a router without interfaces."""
    router = _find(request)
    ports = ",".join(port.id for port in _interfaces(request, router))
    if ports:
        message = f"Router {router.id} has ports still attached: {ports}"
        raise Refusal(409, message, kind="RouterInUse")
    del request.region.networks.routers[router.id]
    return Reply(status=204)


def _own(request: Request) -> list[Router]:
    routers = request.region.networks.routers.values()
    return [r for r in routers if r.project_id == request.token.project_id]


def _find(request: Request) -> Router:
    for router in _own(request):
        if router.id == request.args[0]:
            return router
    message = f"Router {request.args[0]} could not be found"
    raise Refusal(404, message, kind="RouterNotFound")


def _subnet(request: Request) -> Subnet:
    store = request.region.networks
    try:
        subnet_id = str(request.json().get("subnet_id"))
    except (ValueError, AttributeError) as error:
        raise Refusal(400, "Body contains invalid data") from error
    subnet = store.subnets.get(subnet_id)
    if subnet is None or store.visible(subnet.network_id, request.token.project_id) is None:
        raise not_found("Subnet", subnet_id)
    return subnet


def _interfaces(request: Request, router: Router) -> list[Port]:
    ports = request.region.networks.ports.values()
    return [p for p in ports if p.device_id == router.id]


def _interface(router: Router, port: Port) -> Document:
    return {
        "id": router.id,
        "project_id": router.project_id,
        "port_id": port.id,
        "network_id": port.network_id,
        "subnet_id": port.subnet_id,
        "subnet_ids": [port.subnet_id],
    }


def _document(request: Request, router: Router) -> Document:
    store = request.region.networks
    gateway = store.first_subnet(router.gateway_network_id)
    return {
        "id": router.id,
        "name": router.name,
        "project_id": router.project_id,
        "admin_state_up": True,
        "status": "ACTIVE",
        "external_gateway_info": {
            "network_id": router.gateway_network_id,
            "external_fixed_ips": [{"subnet_id": gateway.id, "ip_address": router.gateway_address}],
            "enable_snat": True,
        }
        if gateway
        else None,
        "description": "",
        "availability_zones": [],
        "availability_zone_hints": [],
        "routes": [],
        "flavor_id": None,
        "tags": [],
        "created_at": compact_time(router.created),
        "updated_at": compact_time(router.created),
        "revision_number": 3,
        "tenant_id": router.project_id,
    }
