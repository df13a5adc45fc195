"""`/loadbalancers`: made with or without their parts, and deleted with them."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.load_balancer.checks import check_known, not_found
from anabranch_openstack.simulator.load_balancer.documents import (
    balancer_document,
    created_document,
    status_document,
)
from anabranch_openstack.simulator.load_balancer.listing import list_reply
from anabranch_openstack.simulator.load_balancer.parts import add_listener, add_member, add_pool
from anabranch_openstack.simulator.load_balancer.records import Balancer
from anabranch_openstack.simulator.load_balancer.turns import begin, find_balancer, own_balancers
from anabranch_openstack.simulator.network.records import Port, Subnet
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["routes"]

routes = Routes()

_PATH = "/v2/lbaas/loadbalancers"
_FIELDS = {
    *("name", "description", "vip_address", "vip_network_id", "vip_subnet_id", "vip_port_id"),
    *("listeners", "pools", "tags", "provider", "admin_state_up", "project_id", "flavor_id"),
    *("availability_zone", "vip_qos_policy_id", "additional_vips", "vip_sg_ids"),
}


@routes.on("GET", _PATH, policy="load-balancer:read")
def list_balancers(request: Request) -> Reply:
    """The load balancers of the project."""
    documents = [balancer_document(b) for b in own_balancers(request)]
    return list_reply(request, "loadbalancers", documents)


@routes.on("GET", _PATH + "/{balancer_id}", policy="load-balancer:read")
def show_balancer(request: Request) -> Reply:
    """One load balancer."""
    return json_reply({"loadbalancer": balancer_document(find_balancer(request))})


@routes.on("GET", _PATH + "/{balancer_id}/status", policy="load-balancer:read")
def show_status(request: Request) -> Reply:
    """One load balancer as a tree."""
    return json_reply({"statuses": {"loadbalancer": status_document(find_balancer(request))}})


@routes.on("POST", _PATH, policy="load-balancer:write")
def create_balancer(request: Request) -> Reply:
    """A load balancer, with the listeners, pools and members that the body names."""
    wish = request.wants("loadbalancer")
    check_known("load_balancer.loadbalancer", wish, _FIELDS)
    limit = request.region.balancers.limit
    if 0 <= limit <= len(own_balancers(request)):
        raise Refusal(403, "Quota has been met for resources: Load Balancer")
    subnet = _vip_subnet(request, wish)
    if wish.get("availability_zone"):
        raise Refusal(400, "Validation failure: Invalid availability zone.")
    ident = str(uuid.uuid4())
    store = request.region.networks
    port = Port(
        id=str(uuid.uuid4()),
        name=f"octavia-lb-{ident}",
        project_id=request.token.project_id,
        network_id=subnet.network_id,
        subnet_id=subnet.id,
        address=str(wish.get("vip_address") or store.free_address(subnet)),
        mac=store.free_mac(),
        created=request.now,
        device_id=f"lb-{ident}",
        device_owner="Octavia",
    )
    balancer = Balancer(
        id=ident,
        name=str(wish.get("name", "")),
        project_id=request.token.project_id,
        created=request.now,
        vip_address=port.address,
        vip_port_id=port.id,
        vip_subnet_id=subnet.id,
        vip_network_id=subnet.network_id,
        description=str(wish.get("description", "")),
        tags=list(wish.get("tags", [])),
    )
    _check_names([item.get("default_pool") for item in wish.get("listeners", [])])
    for item in wish.get("listeners", []):
        pool_wish = item.get("default_pool")
        listener = add_listener(balancer, item, request.now)
        if pool_wish is not None:
            pool = add_pool(balancer, pool_wish, request.now, listener)
            for member in pool_wish.get("members", []):
                add_member(pool, member, request.now)
    store.ports[port.id] = port
    request.region.balancers.balancers[ident] = balancer
    begin(request, balancer, "PENDING_CREATE")
    return json_reply({"loadbalancer": created_document(balancer)}, 201)


@routes.on("DELETE", _PATH + "/{balancer_id}", policy="load-balancer:write")
def delete_balancer(request: Request) -> Reply:
    """Delete a load balancer; its parts only with `cascade`."""
    balancer = find_balancer(request)
    if balancer.status.startswith("PENDING"):
        message = f"Invalid state {balancer.status} of loadbalancer resource {balancer.id}"
        raise Refusal(409, message)
    cascade = (request.param("cascade") or "").lower() == "true"
    if not cascade and (balancer.listeners or balancer.pools):
        message = f"Cannot delete Load Balancer {balancer.id} - it has children"
        raise Refusal(400, f"Validation failure: {message}")
    request.region.networks.ports.pop(balancer.vip_port_id, None)
    begin(request, balancer, "PENDING_DELETE")
    return Reply(status=204)


def _check_names(pools: list[Document | None]) -> None:
    names = [pool.get("name") for pool in pools if pool is not None]
    if not all(names):
        message = "Pools must be named when creating a fully populated loadbalancer."
        raise Refusal(400, f"Validation failure: {message}")
    if len(set(names)) < len(names):
        message = "Pool names must be unique when creating a fully populated loadbalancer."
        raise Refusal(400, f"Validation failure: {message}")


def _vip_subnet(request: Request, wish: Document) -> Subnet:
    store, project_id = request.region.networks, request.token.project_id
    if subnet_id := wish.get("vip_subnet_id"):
        subnet = store.subnets.get(subnet_id)
        if subnet is None or store.visible(subnet.network_id, project_id) is None:
            raise Refusal(400, f"Subnet {subnet_id} not found.")
        return subnet
    if network_id := wish.get("vip_network_id"):
        subnet = store.first_subnet(network_id)
        if store.visible(network_id, project_id) is None:
            raise Refusal(400, f"Network {network_id} not found.")
        if subnet is None:
            message = "Supplied network does not contain a subnet."
            raise Refusal(400, f"Validation failure: {message}")
        return subnet
    if wish.get("vip_port_id"):
        raise not_found("Port", str(wish["vip_port_id"]))
    raise Refusal(
        400,
        "Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.",
    )
