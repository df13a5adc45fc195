"""Servers: the list, one of them, its power and its end."""

from __future__ import annotations

from anabranch_paci.simulator.documents import ve_document, ve_list
from anabranch_paci.simulator.lifecycle import begin, refuse_in_transition, refuse_unless_stopped
from anabranch_paci.simulator.lookup import find_ve, listed_subscription
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import (
    Reply,
    Request,
    accepted,
    conflict,
    not_modified,
    xml_reply,
)

__all__ = ["routes"]

routes = Routes()


@routes.on("GET", "/ve")
def show_all(request: Request) -> Reply:
    """The names of all servers, or of those of one subscription."""
    wanted = listed_subscription(request)
    ves = [ve for ve in request.state.ves.values() if wanted in (None, ve.subscription_id)]
    return xml_reply(ve_list(ves, with_subscription=wanted is None))


@routes.on("GET", "/ve/{ve}")
def show(request: Request, name: str) -> Reply:
    """One server."""
    return xml_reply(ve_document(request.state, find_ve(request, name)))


@routes.on("PUT", "/ve/{ve}/start")
def start(request: Request, name: str) -> Reply:
    """Start a server; 304 when it runs."""
    ve = find_ve(request, name)
    if ve.state == "STARTED":
        return not_modified()
    refuse_in_transition(ve, "start")
    begin(request.state, ve, "START_IN_PROGRESS", "STARTED", request.now)
    return accepted("VE start initiated")


@routes.on("PUT", "/ve/{ve}/stop")
def stop(request: Request, name: str) -> Reply:
    """Stop a server; 304 when it is stopped, and (inferred) when it was never started."""
    ve = find_ve(request, name)
    if ve.state in ("CREATED", "STOPPED"):
        return not_modified()
    refuse_in_transition(ve, "stop")
    begin(request.state, ve, "STOP_IN_PROGRESS", "STOPPED", request.now)
    return accepted("VE stop initiated")


@routes.on("DELETE", "/ve/{ve}")
def delete(request: Request, name: str) -> Reply:
    """Delete a server that does not run; that one behind a balancer is refused is inferred."""
    state, ve = request.state, find_ve(request, name)
    refuse_unless_stopped(ve, "delete")
    if any(name in balancer.members for balancer in state.balancers.values()):
        raise conflict(f"{name} is attached to a load balancer: detach it before delete")

    def forget(_: float) -> None:
        del state.ves[name]
        for balancer in state.balancers.values():  # it was attached after it was asked for
            balancer.members = [member for member in balancer.members if member != name]

    begin(state, ve, "DELETE_IN_PROGRESS", "DELETED", request.now, forget)
    return accepted("VE delete initiated")
