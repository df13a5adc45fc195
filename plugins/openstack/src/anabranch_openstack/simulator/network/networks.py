"""`/networks` and `/subnets`."""

from __future__ import annotations

import ipaddress
import uuid

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
from anabranch_openstack.simulator.network.ports import port_documents
from anabranch_openstack.simulator.network.records import Network, Subnet
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    json_reply,
)

__all__ = ["routes"]

routes = Routes()

_NETWORK_FIELDS = {
    *("name", "admin_state_up", "description", "mtu", "port_security_enabled"),
    *("tenant_id", "project_id", "availability_zone_hints", "is_default", "vlan_transparent"),
}
_SUBNET_FIELDS = {
    *("name", "network_id", "ip_version", "cidr", "gateway_ip", "enable_dhcp", "description"),
    *("dns_nameservers", "allocation_pools", "host_routes", "tenant_id", "project_id"),
    *("subnetpool_id", "prefixlen", "ipv6_ra_mode", "ipv6_address_mode", "service_types"),
}


@routes.on("GET", "/v2.0/networks", policy="get_networks")
def list_networks(request: Request) -> Reply:
    """The networks that the project sees."""
    store = request.region.networks
    seen = [n for n in store.networks.values() if store.sees(n, request.token.project_id)]
    return list_reply(request, "networks", "Network", [_network(request, n) for n in seen])


@routes.on("GET", "/v2.0/networks/{network_id}", policy="get_network")
def show_network(request: Request) -> Reply:
    """One network."""
    return json_reply({"network": only_fields(request, _network(request, _find(request)))})


@routes.on("POST", "/v2.0/networks", policy="create_network")
def create_network(request: Request) -> Reply:
    """A network without subnets."""
    document = wanted(request, "network")
    check_known(document, _NETWORK_FIELDS | {"shared", "router:external"})
    store, project_id = request.region.networks, request.token.project_id
    for field in ("shared", "router:external"):
        if document.get(field):
            raise Refusal(
                403,
                f"(rule:create_network and rule:create_network:{field}) is disallowed by policy",
                kind="PolicyNotAuthorized",
            )
    for zone in document.get("availability_zone_hints", ()):
        message = f"AvailabilityZone {zone} could not be found."
        raise Refusal(404, message, kind="AvailabilityZoneNotFound")
    check_room(request, "network", sum(n.project_id == project_id for n in store.networks.values()))
    network = Network(
        id=str(uuid.uuid4()),
        name=str(document.get("name", "")),
        project_id=project_id,
        created=request.now,
        description=str(document.get("description", "")),
        mtu=int(document.get("mtu") or 1450),
    )
    store.networks[network.id] = network
    return json_reply({"network": {**_network(request, network), "is_default": False}}, 201)


@routes.on("PUT", "/v2.0/networks/{network_id}", policy="update_network")
def update_network(request: Request) -> Reply:
    """A new name or description."""
    network = _own(request, "update_network")
    document = wanted(request, "network")
    check_known(document, _NETWORK_FIELDS)
    network.name = str(document.get("name", network.name))
    network.description = str(document.get("description", network.description))
    return json_reply({"network": _network(request, network)})


@routes.on("DELETE", "/v2.0/networks/{network_id}", policy="delete_network")
def delete_network(request: Request) -> Reply:
    """Delete a network without ports, and its subnets with it."""
    network = _own(request, "delete_network")
    store = request.region.networks
    ports = [p["id"] for p in port_documents(request) if p["network_id"] == network.id]
    if ports:
        raise Refusal(
            409,
            f"Unable to complete operation on network {network.id}. There are one or more ports"
            f" still in use on the network, id for these ports is: {','.join(ports)}.",
            kind="NetworkInUse",
        )
    store.subnets = {k: s for k, s in store.subnets.items() if s.network_id != network.id}
    del store.networks[network.id]
    return Reply(status=204)


@routes.on("GET", "/v2.0/subnets", policy="get_subnets")
def list_subnets(request: Request) -> Reply:
    """The subnets of the networks that the project sees."""
    store = request.region.networks
    seen = [
        s
        for s in store.subnets.values()
        if store.visible(s.network_id, request.token.project_id) is not None
    ]
    return list_reply(request, "subnets", "Subnet", [_subnet(request, s) for s in seen])


@routes.on("GET", "/v2.0/subnets/{subnet_id}", policy="get_subnet")
def show_subnet(request: Request) -> Reply:
    """One subnet."""
    subnet = _subnet(request, _find_subnet(request))
    return json_reply({"subnet": only_fields(request, subnet)})


@routes.on("POST", "/v2.0/subnets", policy="create_subnet")
def create_subnet(request: Request) -> Reply:
    """A range of addresses in a network of the project's."""
    document = wanted(request, "subnet")
    check_known(document, _SUBNET_FIELDS)
    require(document, "network_id", "ip_version")
    store, project_id = request.region.networks, request.token.project_id
    network_id = str(document.get("network_id"))
    network = store.visible(network_id, project_id)
    if network is None:
        raise not_found("Network", network_id)
    if network.project_id != project_id:
        raise not_allowed("create_subnet")
    try:
        cidr = ipaddress.ip_network(str(document.get("cidr")), strict=False)
    except ValueError as error:
        message = f"Invalid input for operation: {document.get('cidr')} is not in a CIDR format."
        raise Refusal(400, message, kind="InvalidInput") from error
    check_room(request, "subnet", sum(s.project_id == project_id for s in store.subnets.values()))
    for other in store.subnets.values():
        if other.network_id == network_id and cidr.overlaps(ipaddress.ip_network(other.cidr)):
            raise Refusal(
                400,
                f"Invalid input for operation: Requested subnet with cidr: {cidr} for network:"
                f" {network_id} overlaps with another subnet.",
                kind="InvalidInput",
            )
    subnet = Subnet(
        id=str(uuid.uuid4()),
        name=str(document.get("name", "")),
        project_id=project_id,
        network_id=network_id,
        cidr=str(cidr),
        created=request.now,
        gateway=str(document.get("gateway_ip", cidr[1 if cidr.version == 4 else 0])),
        dns=[str(item) for item in document.get("dns_nameservers", [])],
        dhcp=bool(document.get("enable_dhcp", True)),
    )
    store.subnets[subnet.id] = subnet
    return json_reply({"subnet": _subnet(request, subnet)}, 201)


@routes.on("DELETE", "/v2.0/subnets/{subnet_id}", policy="delete_subnet")
def delete_subnet(request: Request) -> Reply:
    """Delete a subnet whose addresses nobody has."""
    subnet = _find_subnet(request)
    if subnet.project_id != request.token.project_id:
        raise not_allowed("delete_subnet")
    taken = {f["subnet_id"] for p in port_documents(request) for f in p["fixed_ips"]}
    if subnet.id in taken:
        raise Refusal(
            409,
            f"Unable to complete operation on subnet {subnet.id}: One or more ports have an IP"
            " allocation from this subnet.",
            kind="SubnetInUse",
        )
    del request.region.networks.subnets[subnet.id]
    return Reply(status=204)


def _find(request: Request) -> Network:
    network = request.region.networks.visible(request.args[0], request.token.project_id)
    if network is None:
        raise not_found("Network", request.args[0])
    return network


def _own(request: Request, policy: str) -> Network:
    network = _find(request)
    if network.project_id != request.token.project_id:
        raise not_allowed(policy)
    return network


def _find_subnet(request: Request) -> Subnet:
    store = request.region.networks
    subnet = store.subnets.get(request.args[0])
    if subnet is None or store.visible(subnet.network_id, request.token.project_id) is None:
        raise not_found("Subnet", request.args[0])
    return subnet


def _network(request: Request, network: Network) -> Document:
    subnets = request.region.networks.subnets.values()
    document: Document = {
        "id": network.id,
        "name": network.name,
        "tenant_id": network.project_id,
        "project_id": network.project_id,
        "admin_state_up": True,
        "mtu": network.mtu,
        "status": "ACTIVE",
        "subnets": [s.id for s in subnets if s.network_id == network.id],
        "shared": network.shared,
        "availability_zone_hints": [],
        "availability_zones": [],
        "ipv4_address_scope": None,
        "ipv6_address_scope": None,
        "router:external": network.external,
        "qinq": False,
        "vlan_transparent": False,
        "description": network.description,
        "port_security_enabled": True,
        "tags": [],
        "created_at": compact_time(network.created),
        "updated_at": compact_time(network.created),
        "revision_number": 2,
    }
    if network.external:
        document["is_default"] = False
    return document


def _subnet(request: Request, subnet: Subnet) -> Document:
    network = request.region.networks.networks[subnet.network_id]
    cidr = ipaddress.ip_network(subnet.cidr)
    return {
        "id": subnet.id,
        "name": subnet.name,
        "project_id": subnet.project_id,
        "network_id": subnet.network_id,
        "ip_version": cidr.version,
        "subnetpool_id": None,
        "enable_dhcp": subnet.dhcp,
        "ipv6_ra_mode": None,
        "ipv6_address_mode": None,
        "gateway_ip": subnet.gateway,
        "cidr": subnet.cidr,
        "allocation_pools": [
            {
                "start": str(cidr[2 if cidr.version == 4 else 1]),
                "end": str(cidr[-2 if cidr.version == 4 else -1]),
            }
        ],
        "host_routes": [],
        "dns_nameservers": subnet.dns,
        "description": "",
        "router:external": network.external,
        "service_types": [],
        "tags": [],
        "created_at": compact_time(subnet.created),
        "updated_at": compact_time(subnet.created),
        "revision_number": 0,
        "tenant_id": subnet.project_id,
    }
