"""`/ports`: those that were made here, and those that nova made for its servers."""

from __future__ import annotations

import ipaddress
import uuid
from typing import cast

from anabranch_openstack.simulator.compute.records import Nic, Server
from anabranch_openstack.simulator.network.listing import (
    check_known,
    check_room,
    list_reply,
    not_allowed,
    not_found,
    only_fields,
    require,
    wanted,
)
from anabranch_openstack.simulator.network.records import Network, Port, Subnet
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    json_reply,
)

__all__ = ["port_documents", "routes"]

routes = Routes()

_FIELDS = {
    *("name", "network_id", "fixed_ips", "security_groups", "admin_state_up", "description"),
    *("mac_address", "device_id", "device_owner", "port_security_enabled", "tenant_id"),
    *("project_id", "allowed_address_pairs", "binding:vnic_type", "extra_dhcp_opts"),
}


def port_documents(request: Request) -> list[Document]:
    """All ports of the project."""
    project_id = request.token.project_id
    region = request.region
    servers = [s for s in region.compute.servers.values() if s.project_id == project_id]
    owned = {s.id: s for s in servers}
    made = [p for p in region.networks.ports.values() if p.project_id == project_id]
    documents = [_port(p, owned.get(p.device_id)) for p in made]
    for server in servers:
        ids = [
            group["id"]
            for name in server.security_groups
            if (group := region.networks.find_group(name, project_id)) is not None
        ]
        documents += [_nova_port(server, nic, ids) for nic in server.nics if nic.own]
    return documents


@routes.on("GET", "/v2.0/ports", policy="get_ports")
def list_ports(request: Request) -> Reply:
    """The ports of the project."""
    documents = port_documents(request)
    wishes = request.params("fixed_ips")
    if wishes:
        addresses = {wish.removeprefix("ip_address=") for wish in wishes}
        documents = [
            d for d in documents if any(f["ip_address"] in addresses for f in d["fixed_ips"])
        ]
    return list_reply(request, "ports", "Port", documents, apart=("fixed_ips",))


@routes.on("GET", "/v2.0/ports/{port_id}", policy="get_port")
def show_port(request: Request) -> Reply:
    """One port."""
    for document in port_documents(request):
        if document["id"] == request.args[0]:
            return json_reply({"port": only_fields(request, document)})
    raise not_found("Port", request.args[0])


@routes.on("POST", "/v2.0/ports", policy="create_port")
def create_port(request: Request) -> Reply:
    """A port that waits for a server."""
    document = wanted(request, "port")
    check_known(document, _FIELDS)
    require(document, "network_id")
    store, project_id = request.region.networks, request.token.project_id
    network = store.visible(str(document["network_id"]), project_id)
    if network is None:
        raise not_found("Network", str(document["network_id"]))
    if network.project_id != project_id and not network.shared:
        raise not_allowed("create_port")
    check_room(request, "port", len(port_documents(request)))
    subnet, address = _fixed(request, network, cast("list[Document]", document.get("fixed_ips")))
    default = store.find_group("default", project_id)
    port = Port(
        id=str(uuid.uuid4()),
        name=str(document.get("name", "")),
        project_id=project_id,
        network_id=network.id,
        subnet_id=subnet.id,
        address=address,
        mac=str(document.get("mac_address") or store.free_mac()),
        created=request.now,
        security_groups=list(document.get("security_groups", [default["id"]] if default else [])),
        description=str(document.get("description", "")),
    )
    store.ports[port.id] = port
    return json_reply({"port": _port(port, None)}, 201)


@routes.on("PUT", "/v2.0/ports/{port_id}", policy="update_port")
def update_port(request: Request) -> Reply:
    """A new name, description or set of security groups."""
    document = wanted(request, "port")
    check_known(document, _FIELDS)
    store = request.region.networks
    port = store.ports.get(request.args[0])
    if port is not None:
        port.name = str(document.get("name", port.name))
        port.description = str(document.get("description", port.description))
        port.security_groups = list(document.get("security_groups", port.security_groups))
    elif "security_groups" in document:
        server = _server_of(request, request.args[0])
        groups = [store.groups[g]["name"] for g in document["security_groups"] if g in store.groups]
        server.security_groups = groups
        request.region.compute.touch(server, request.now)
    return show_port(request)


@routes.on("DELETE", "/v2.0/ports/{port_id}", policy="delete_port")
def delete_port(request: Request) -> Reply:
    """Delete a port; one of a server only nova and administrators may delete."""
    port_id = request.args[0]
    for document in port_documents(request):
        if document["id"] == port_id:
            if document["device_owner"].startswith("compute:"):
                raise not_allowed("delete_port")
            if document["device_owner"] == "network:router_interface":
                raise Refusal(
                    409,
                    f"Port {port_id} cannot be deleted directly via the port API: has device owner"
                    " network:router_interface.",
                    kind="ServicePortInUse",
                )
            del request.region.networks.ports[port_id]
            return Reply(status=204)
    raise not_found("Port", port_id)


def _fixed(request: Request, network: Network, wishes: list[Document] | None) -> tuple[Subnet, str]:
    """The subnet and the address of a new port, as wished.

    Raises:
        Refusal: The wish cannot be granted.
    """
    store = request.region.networks
    wish = wishes[0] if wishes else {}
    subnets = [s for s in store.subnets.values() if s.network_id == network.id]
    if "subnet_id" in wish:
        subnets = [s for s in subnets if s.id == wish["subnet_id"]]
        if not subnets:
            raise not_found("Subnet", str(wish["subnet_id"]))
    if "ip_address" in wish:
        address = str(wish["ip_address"])
        subnets = [s for s in subnets if _holds(s, address)]
        if not subnets:
            raise Refusal(
                400,
                f"IP address {address} is not a valid IP for any of the subnets on the specified"
                " network.",
                kind="InvalidIpForNetwork",
            )
        taken = [f for p in port_documents(request) for f in p["fixed_ips"]]
        if {"subnet_id": subnets[0].id, "ip_address": address} in taken:
            raise Refusal(
                409,
                f"IP address {address} already allocated in subnet {subnets[0].id}",
                kind="IpAddressAlreadyAllocated",
            )
        return subnets[0], store.claim(subnets[0], address)
    if not subnets:
        raise Refusal(400, f"Network {network.id} has no subnet.", kind="InvalidInput")
    return subnets[0], store.free_address(subnets[0])


def _holds(subnet: Subnet, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(subnet.cidr)
    except ValueError:
        return False


def _server_of(request: Request, port_id: str) -> Server:
    for server in request.region.compute.servers.values():
        if server.project_id == request.token.project_id and any(
            nic.port_id == port_id for nic in server.nics
        ):
            return server
    raise not_found("Port", port_id)


def _nova_port(server: Server, nic: Nic, groups: list[str]) -> Document:
    port = Port(
        id=nic.port_id,
        name="",
        project_id=server.project_id,
        network_id=nic.network_id,
        subnet_id=nic.subnet_id,
        address=nic.address,
        mac=nic.mac,
        created=server.created,
        device_id=server.id,
        security_groups=groups,
    )
    return _port(port, server)


def _port(port: Port, server: Server | None) -> Document:
    return {
        "id": port.id,
        "name": port.name,
        "network_id": port.network_id,
        "project_id": port.project_id,
        "mac_address": port.mac,
        "admin_state_up": True,
        "status": "ACTIVE" if server is not None else "DOWN",
        "device_id": port.device_id,
        "device_owner": f"compute:{server.zone}" if server is not None else port.device_owner,
        "fixed_ips": [{"subnet_id": port.subnet_id, "ip_address": port.address}],
        "allowed_address_pairs": [],
        "extra_dhcp_opts": [],
        "security_groups": port.security_groups,
        "description": port.description,
        "binding:vnic_type": "normal",
        "port_security_enabled": True,
        "tags": [],
        "created_at": compact_time(port.created),
        "updated_at": compact_time(port.created),
        "revision_number": 4,
        "tenant_id": port.project_id,
    }
