"""`/listeners`, `/pools` and `/pools/{id}/members`, the quotas and the providers."""

from __future__ import annotations

from anabranch_openstack.simulator.load_balancer.checks import not_found
from anabranch_openstack.simulator.load_balancer.documents import (
    listener_document,
    member_document,
    pool_document,
)
from anabranch_openstack.simulator.load_balancer.listing import list_reply
from anabranch_openstack.simulator.load_balancer.parts import add_listener, add_member, add_pool
from anabranch_openstack.simulator.load_balancer.records import Balancer, Member
from anabranch_openstack.simulator.load_balancer.turns import (
    begin,
    check_turn,
    find_balancer,
    find_pool,
    own_balancers,
)
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import Refusal, Reply, Request, json_reply

__all__ = ["routes"]

routes = Routes()

_BASE = "/v2/lbaas"
_MEMBERS = _BASE + "/pools/{pool_id}/members"


@routes.on("GET", _BASE + "/listeners", policy="load-balancer:read")
def list_listeners(request: Request) -> Reply:
    """The listeners of all load balancers, or of one."""
    documents = [
        listener_document(b, item) for b in _wanted(request) for item in b.listeners.values()
    ]
    return list_reply(request, "listeners", documents)


@routes.on("POST", _BASE + "/listeners", policy="load-balancer:write")
def create_listener(request: Request) -> Reply:
    """A listener of a load balancer that is there."""
    wish = request.wants("listener")
    balancer = find_balancer(request, str(wish.get("loadbalancer_id")))
    check_turn(balancer, "Load Balancer", balancer.id)
    listener = add_listener(balancer, wish, request.now)
    begin(request, balancer, "PENDING_UPDATE")
    return json_reply({"listener": listener_document(balancer, listener)}, 201)


@routes.on("GET", _BASE + "/pools", policy="load-balancer:read")
def list_pools(request: Request) -> Reply:
    """The pools of all load balancers, or of one."""
    documents = [pool_document(b, item) for b in _wanted(request) for item in b.pools.values()]
    return list_reply(request, "pools", documents)


@routes.on("POST", _BASE + "/pools", policy="load-balancer:write")
def create_pool(request: Request) -> Reply:
    """A pool, the default one of a listener or for itself."""
    wish = request.wants("pool")
    for balancer in own_balancers(request):
        listener = balancer.listeners.get(str(wish.get("listener_id")))
        if listener is not None or balancer.id == wish.get("loadbalancer_id"):
            check_turn(balancer, "Load Balancer", balancer.id)
            pool = add_pool(balancer, wish, request.now, listener)
            begin(request, balancer, "PENDING_UPDATE")
            return json_reply({"pool": pool_document(balancer, pool)}, 201)
    raise not_found("Listener", str(wish.get("listener_id")))


@routes.on("GET", _MEMBERS, policy="load-balancer:read")
def list_members(request: Request) -> Reply:
    """The members of a pool."""
    balancer, pool = find_pool(request)
    documents = [member_document(balancer, m) for m in pool.members.values()]
    return list_reply(request, "members", documents)


@routes.on("POST", _MEMBERS, policy="load-balancer:write")
def create_member(request: Request) -> Reply:
    """A member of a pool that is there."""
    balancer, pool = find_pool(request)
    check_turn(balancer, "Pool", pool.id)
    member = add_member(pool, request.wants("member"), request.now)
    begin(request, balancer, "PENDING_UPDATE")
    return json_reply({"member": member_document(balancer, member)}, 201)


@routes.on("DELETE", _MEMBERS + "/{member_id}", policy="load-balancer:write")
def delete_member(request: Request) -> Reply:
    """Take a member away."""
    balancer, pool = find_pool(request)
    member: Member | None = pool.members.get(request.args[1])
    if member is None:
        raise not_found("Member", request.args[1])
    check_turn(balancer, "Pool", pool.id)
    member.status = "PENDING_DELETE"
    begin(request, balancer, "PENDING_UPDATE")
    return Reply(status=204)


@routes.on("GET", _BASE + "/quotas/{project_id}", policy="load-balancer:read")
def show_quota(request: Request) -> Reply:
    """What the project may have; octavia does not say what it has."""
    project_id = request.args[0]
    if project_id != request.token.project_id:
        raise Refusal(403, "Policy does not allow this request to be performed.")
    limit = request.region.balancers.limit
    names = ("listener", "member", "pool", "healthmonitor", "health_monitor", "l7policy", "l7rule")
    quota = {
        "project_id": project_id,
        "loadbalancer": limit,
        "load_balancer": limit,
        **dict.fromkeys(names, -1),
        "tenant_id": project_id,
    }
    return json_reply({"quota": quota})


@routes.on("GET", _BASE + "/providers", policy="load-balancer:read")
def list_providers(request: Request) -> Reply:
    """What can make a load balancer work."""
    del request
    return json_reply({"providers": [{"name": "octavia", "description": "simulated"}]})


def _wanted(request: Request) -> list[Balancer]:
    ident = request.param("load_balancer_id") or request.param("loadbalancer_id")
    return [b for b in own_balancers(request) if ident in (None, b.id)]
