"""Load balancers: appliances that the platform makes of a server, with nothing to be set."""

from __future__ import annotations

from anabranch_paci.simulator.creation import new_ve
from anabranch_paci.simulator.documents import balancer_list, ve_document
from anabranch_paci.simulator.lifecycle import begin, refuse_in_transition
from anabranch_paci.simulator.lookup import check_new_name, find_balancer, find_ve, subscription
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import Subscription
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import (
    Reply,
    Request,
    accepted,
    conflict,
    missing,
    password_reply,
    xml_reply,
)

__all__ = ["routes"]

_PASSWORD_LENGTH = 10  # so that the reply has the 167 bytes that were once measured

routes = Routes()


@routes.on("GET", "/load-balancer")
def show_all(request: Request) -> Reply:
    """The names of all balancers."""
    return xml_reply(balancer_list(request.state.balancers.values()))


@routes.on("GET", "/load-balancer/{lb}")
def show(request: Request, name: str) -> Reply:
    """One balancer: a document like a server's, and who is behind it."""
    return xml_reply(ve_document(request.state, find_balancer(request, name)))


@routes.on("POST", "/load-balancer/create/{lb}")
def create(request: Request, name: str) -> Reply:
    """Make a balancer."""
    return _create(request, name, subscription(request.state, None))


@routes.on("POST", "/load-balancer/{subscription}/create/{lb}")
def create_for(request: Request, number: str, name: str) -> Reply:
    """Make a balancer for a subscription."""
    return _create(request, name, subscription(request.state, number))


@routes.on("POST", "/load-balancer/{lb}/{ve}")
def attach(request: Request, name: str, ve_name: str) -> Reply:
    """Put a server behind a balancer.

    What is refused is inferred: a server has room for the name of one balancer. The reply is
    inferred too: with 28 characters of message it has the 131 bytes that were once measured.
    """
    state = request.state
    balancer, ve = find_balancer(request, name), find_ve(request, ve_name)
    holder = next((b.name for b in state.balancers.values() if ve_name in b.members), None)
    if holder is not None:
        raise conflict(f"{ve_name} is attached to {holder}")

    def join(_: float) -> None:
        if state.ves.get(ve_name) is ve and ve_name not in balancer.members:
            balancer.members = [*balancer.members, ve_name]

    request.later(join)
    message = Element("message", "VE attaching to LB initiated")
    return xml_reply(Element("pwd-response", None, message), 202)


@routes.on("DELETE", "/load-balancer/{lb}/{ve}")
def detach(request: Request, name: str, ve_name: str) -> Reply:
    """Take a server away from a balancer."""
    balancer = find_balancer(request, name)
    find_ve(request, ve_name)
    if ve_name not in balancer.members:
        raise missing(f"In load balancer {name}, VE", ve_name)

    def leave(_: float) -> None:
        balancer.members = [member for member in balancer.members if member != ve_name]

    request.later(leave)
    return accepted("VE removal from LB initiated")


@routes.on("PUT", "/load-balancer/{lb}/restart")
def restart(request: Request, name: str) -> Reply:
    """Stop a balancer and start it again."""
    state, balancer = request.state, find_balancer(request, name)
    refuse_in_transition(balancer, "restart")

    def start(at: float) -> None:
        begin(state, balancer, "START_IN_PROGRESS", "STARTED", at)

    begin(state, balancer, "STOP_IN_PROGRESS", "STOPPED", request.now, start)
    return accepted("LB restart initiated")


@routes.on("DELETE", "/load-balancer/{lb}")
def delete(request: Request, name: str) -> Reply:
    """Delete a balancer with nobody behind it; it runs, for nothing can stop it."""
    state, balancer = request.state, find_balancer(request, name)
    refuse_in_transition(balancer, "delete")
    if balancer.members:
        raise conflict(f"{name} has servers: detach {', '.join(balancer.members)}")

    def forget(_: float) -> None:
        del state.balancers[name]

    begin(state, balancer, "DELETE_IN_PROGRESS", "DELETED", request.now, forget)
    return accepted("LB deletion initiated")


def _create(request: Request, name: str, bought: Subscription) -> Reply:
    """Make a balancer; that it starts by itself is inferred, as there is no verb to start it."""
    state = request.state
    check_new_name(state.balancers, name)
    balancer = new_ve(
        state,
        request.now,
        name=name,
        subscription_id=bought.id,
        template=next(t for t in state.templates.values() if t.default),
        cpu=(1, 1600),
        ram=512,
        bandwidth=10_240,
        disk=10,
        ipv4=1,
        password=state.new_password(_PASSWORD_LENGTH),
    )
    balancer.is_balancer = True
    state.balancers[name] = balancer
    begin(state, balancer, "CREATION_IN_PROGRESS", "STARTED", request.now)
    return password_reply(balancer.id, "LB creation initiated", balancer.password)
