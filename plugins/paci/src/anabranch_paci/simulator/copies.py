"""Servers made of what is there: from an image, from another server, and once more in its place."""

from __future__ import annotations

from anabranch_paci.simulator.creation import new_ve
from anabranch_paci.simulator.lifecycle import begin, refuse_in_transition
from anabranch_paci.simulator.lookup import (
    check_limit,
    check_new_name,
    find_image,
    find_template,
    find_ve,
    subscription,
)
from anabranch_paci.simulator.records import Subscription
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import Reply, Request, accepted, password_reply

__all__ = ["routes"]

routes = Routes()


@routes.on("POST", "/ve/{new}/from/{image}")
def create_from_image(request: Request, name: str, image_name: str) -> Reply:
    """Make a server of an image; its password is made up, and not told in the reply."""
    return _from_image(request, name, image_name, subscription(request.state, None))


@routes.on("POST", "/ve/{subscription}/{new}/from/{image}")
def create_from_image_for(request: Request, number: str, name: str, image_name: str) -> Reply:
    """Make a server of an image for a subscription."""
    return _from_image(request, name, image_name, subscription(request.state, number))


@routes.on("POST", "/ve/{source}/clone-to/{new}")
def clone(request: Request, source: str, name: str) -> Reply:
    """Make a server like another one, on the same account (inferred)."""
    return _clone(request, source, name, None)


@routes.on("POST", "/ve/{source}/clone-to/{new}/for/{subscription}")
def clone_for(request: Request, source: str, name: str, number: str) -> Reply:
    """Make a server like another one for a subscription."""
    return _clone(request, source, name, number)


@routes.on("POST", "/ve/{ve}/recreate")
def recreate(request: Request, name: str) -> Reply:
    """Make a server anew in its place; addresses, size, rules and balancer stay.

    One that runs is stopped for it. Applications stay unless `drop-apps` is true.
    """
    ve = find_ve(request, name)
    refuse_in_transition(ve, "recreate")
    wanted = request.parameter("template")
    if wanted is not None:
        ve.template = find_template(request, wanted)
        ve.login = ve.template.root_login
    if request.parameter("drop-apps") == "true":
        ve.applications = []
    ve.password = request.state.new_password()
    begin(request.state, ve, "CREATION_IN_PROGRESS", "CREATED", request.now)
    return password_reply(ve.id, "VE recreation initiated", ve.password)


def _from_image(request: Request, name: str, image_name: str, bought: Subscription) -> Reply:
    state, image = request.state, find_image(request, image_name)
    check_new_name(state.ves, name)
    check_limit(state, bought)
    ve = new_ve(
        state,
        request.now,
        name=name,
        subscription_id=bought.id,
        template=image.template,
        cpu=(image.cpu_number, image.cpu_power),
        ram=image.ram,
        bandwidth=image.bandwidth,
        disk=image.disk.size,
        ipv4=image.ipv4,
        ipv6=image.ipv6,
        login=image.login,
    )
    ve.custom_ns = image.custom_ns
    state.ves[name] = ve
    begin(state, ve, "CREATION_IN_PROGRESS", "CREATED", request.now)
    return accepted("VE creation initiated")


def _clone(request: Request, source: str, name: str, number: str | None) -> Reply:
    state, model = request.state, find_ve(request, source)
    refuse_in_transition(model, "clone")
    check_new_name(state.ves, name)
    bought = subscription(state, number or str(model.subscription_id))
    check_limit(state, bought)
    ve = new_ve(
        state,
        request.now,
        name=name,
        subscription_id=bought.id,
        template=model.template,
        cpu=(model.cpu_number, model.cpu_power),
        ram=model.ram,
        bandwidth=model.bandwidth,
        disk=model.disk.size,
        ipv4=len(model.ipv4),
        ipv6=len(model.ipv6),
        login=model.login,
    )
    ve.description, ve.schedule, ve.custom_ns = model.description, model.schedule, model.custom_ns
    ve.applications, ve.rules = model.applications, model.rules
    state.ves[name] = ve
    begin(state, ve, "CREATION_IN_PROGRESS", "CREATED", request.now)
    return password_reply(ve.id, "VE cloning initiated", ve.password)
