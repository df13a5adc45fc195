"""`/floatingips`: addresses of external networks that lead to ports."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.network.listing import (
    check_known,
    check_room,
    list_reply,
    not_found,
    only_fields,
    require,
    wanted,
)
from anabranch_openstack.simulator.network.ports import port_documents
from anabranch_openstack.simulator.network.records import FloatingIp
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    is_uuid,
    json_reply,
)

__all__ = ["routes"]

routes = Routes()

_FIELDS = {
    *("floating_network_id", "port_id", "fixed_ip_address", "floating_ip_address", "description"),
    *("tenant_id", "project_id", "subnet_id"),
}


@routes.on("GET", "/v2.0/floatingips", policy="get_floatingips")
def list_floating_ips(request: Request) -> Reply:
    """The floating IPs of the project."""
    ports = _ports(request)
    documents = [_document(f, ports) for f in _own(request, ports)]
    return list_reply(request, "floatingips", "Floating IP", documents)


@routes.on("GET", "/v2.0/floatingips/{floating_ip_id}", policy="get_floatingip")
def show_floating_ip(request: Request) -> Reply:
    """One floating IP."""
    ports = _ports(request)
    document = _document(_find(request, ports), ports)
    return json_reply({"floatingip": only_fields(request, document)})


@routes.on("POST", "/v2.0/floatingips", policy="create_floatingip")
def create_floating_ip(request: Request) -> Reply:
    """Take an address of an external network."""
    document = wanted(request, "floatingip")
    check_known(document, _FIELDS)
    require(document, "floating_network_id")
    store, project_id = request.region.networks, request.token.project_id
    network_id = document["floating_network_id"]
    if not is_uuid(network_id):
        raise Refusal(
            400,
            f"Invalid input for floating_network_id. Reason: '{network_id}' is not a valid UUID.",
        )
    network = store.visible(network_id, project_id)
    if network is None:
        raise not_found("Network", network_id)
    subnet = store.first_subnet(network.id)
    if not network.external or subnet is None:
        raise Refusal(
            400,
            f"Bad floatingip request: Network {network_id} is not a valid external network.",
            kind="BadRequest",
        )
    ports = _ports(request)
    check_room(request, "floatingip", len(_own(request, ports)))
    made = FloatingIp(
        id=str(uuid.uuid4()),
        project_id=project_id,
        address=store.free_address(subnet),
        network_id=network.id,
        created=request.now,
        description=str(document.get("description", "")),
    )
    if document.get("port_id"):
        _associate(request, made, document, ports)
    store.floating_ips[made.id] = made
    return json_reply({"floatingip": _document(made, ports)}, 201)


@routes.on("PUT", "/v2.0/floatingips/{floating_ip_id}", policy="update_floatingip")
def update_floating_ip(request: Request) -> Reply:
    """Let it lead to a port, or to none."""
    document = wanted(request, "floatingip")
    check_known(document, _FIELDS)
    ports = _ports(request)
    found = _find(request, ports)
    shown = found.status
    if document.get("port_id"):
        _associate(request, found, document, ports)
    elif "port_id" in document:
        _dissociate(request, found)
    found.description = str(document.get("description", found.description))
    # The reply shows the status from before: the change takes effect a moment later.
    return json_reply({"floatingip": {**_document(found, ports), "status": shown}})


@routes.on("DELETE", "/v2.0/floatingips/{floating_ip_id}", policy="delete_floatingip")
def delete_floating_ip(request: Request) -> Reply:
    """Give an address back, whether or not it is in use."""
    found = _find(request, _ports(request))
    _dissociate(request, found)
    del request.region.networks.floating_ips[found.id]
    return Reply(status=204)


def _ports(request: Request) -> dict[str, Document]:
    return {port["id"]: port for port in port_documents(request)}


def _own(request: Request, ports: dict[str, Document]) -> list[FloatingIp]:
    """The floating IPs of the project; what led to a port that is gone leads nowhere."""
    found = request.region.networks.floating_ips.values()
    own = [f for f in found if f.project_id == request.token.project_id]
    for floating_ip in own:
        if floating_ip.port_id and floating_ip.port_id not in ports:
            _dissociate(request, floating_ip)
    return own


def _find(request: Request, ports: dict[str, Document]) -> FloatingIp:
    for floating_ip in _own(request, ports):
        if floating_ip.id == request.args[0]:
            return floating_ip
    message = f"Floating IP {request.args[0]} could not be found"
    raise Refusal(404, message, kind="FloatingIPNotFound")


def _associate(
    request: Request, floating_ip: FloatingIp, document: Document, ports: dict[str, Document]
) -> None:
    store, port = request.region.networks, ports.get(document["port_id"])
    if port is None:
        raise not_found("Port", str(document["port_id"]))
    fixed = port["fixed_ips"][0]
    address = document.get("fixed_ip_address") or fixed["ip_address"]
    if address != fixed["ip_address"]:
        raise Refusal(
            400,
            f"Bad floatingip request: Port {port['id']} does not have fixed ip {address}.",
            kind="BadRequest",
        )
    router = store.gateway_between(fixed["subnet_id"], floating_ip.network_id)
    if router is None:
        raise Refusal(
            404,
            f"External network {floating_ip.network_id} is not reachable from subnet"
            f" {fixed['subnet_id']}.  Therefore, cannot associate Port {port['id']} with a"
            " Floating IP.",
            kind="ExternalGatewayForFloatingIPNotFound",
        )
    for other in store.floating_ips.values():
        if other is not floating_ip and (other.port_id, other.fixed) == (port["id"], address):
            raise Refusal(
                409,
                f"Cannot associate floating IP {floating_ip.address} ({floating_ip.id}) with port"
                f" {port['id']} using fixed IP {address}, as that fixed IP already has a floating"
                f" IP on external network {floating_ip.network_id}.",
                kind="FloatingIPPortAlreadyAssociated",
            )
    _dissociate(request, floating_ip)
    floating_ip.port_id, floating_ip.fixed = port["id"], address
    floating_ip.router_id, floating_ip.status = router.id, "ACTIVE"
    _tell_server(request, port["id"], floating_ip.address)


def _dissociate(request: Request, floating_ip: FloatingIp) -> None:
    if floating_ip.port_id:
        _tell_server(request, floating_ip.port_id, "")
    floating_ip.port_id = floating_ip.fixed = floating_ip.router_id = ""
    floating_ip.status = "DOWN"


def _tell_server(request: Request, port_id: str, address: str) -> None:
    """Nova shows the floating IPs of its servers."""
    for server in request.region.compute.servers.values():
        for nic in server.nics:
            if nic.port_id == port_id:
                nic.floating = address
                request.region.compute.touch(server, request.now)


def _document(floating_ip: FloatingIp, ports: dict[str, Document]) -> Document:
    port = ports.get(floating_ip.port_id)
    details = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id")
    return {
        "id": floating_ip.id,
        "tenant_id": floating_ip.project_id,
        "project_id": floating_ip.project_id,
        "floating_ip_address": floating_ip.address,
        "floating_network_id": floating_ip.network_id,
        "router_id": floating_ip.router_id or None,
        "port_id": floating_ip.port_id or None,
        "fixed_ip_address": floating_ip.fixed or None,
        "status": floating_ip.status,
        "description": floating_ip.description,
        "port_details": {name: port[name] for name in (*details, "device_owner")} if port else None,
        "port_forwardings": [],
        "tags": [],
        "created_at": compact_time(floating_ip.created),
        "updated_at": compact_time(floating_ip.created),
        "revision_number": 1,
    }
