"""Finds what a path or a document names, and checks names that are new."""

from __future__ import annotations

from anabranch_paci.simulator.markup import is_text
from anabranch_paci.simulator.reading import number
from anabranch_paci.simulator.records import Image, Subscription, Template, Ve
from anabranch_paci.simulator.state import State
from anabranch_paci.simulator.wire import Refusal, Request, bad_request, conflict, missing

__all__ = [
    "check_limit",
    "check_new_name",
    "find_balancer",
    "find_image",
    "find_template",
    "find_ve",
    "listed_subscription",
    "subscription",
]

_LONGEST_NAME = 255
_LIMIT_EXCEEDED = "Subscription limit for VE number exceeded"


def find_ve(request: Request, name: str) -> Ve:
    """The server of this name.

    Raises:
        Refusal: 404.
    """
    found = request.state.ves.get(name)
    if found is None or found.listed_only:
        raise missing("VE", name)
    return found


def find_balancer(request: Request, name: str) -> Ve:
    """The load balancer of this name.

    Raises:
        Refusal: 404.
    """
    found = request.state.balancers.get(name)
    if found is None:
        raise missing("Load balancer", name)
    return found


def find_image(request: Request, name: str) -> Image:
    """The image of this name.

    Raises:
        Refusal: 404.
    """
    found = request.state.images.get(name)
    if found is None:
        raise missing("Image", name)
    return found


def find_template(request: Request, name: str) -> Template:
    """The OS template of this name.

    Raises:
        Refusal: 404.
    """
    found = request.state.templates.get(name)
    if found is None:
        raise missing("OS template", name)
    return found


def listed_subscription(request: Request) -> int | None:
    """The subscription that `?subscription=` names, or `None` for all.

    Raises:
        Refusal: 400, it is no number (inferred).
    """
    text = request.parameter("subscription")
    if text is None:
        return None
    return number(text, "The id of a subscription")


def subscription(state: State, text: str | None) -> Subscription:
    """The subscription that a request names; without a name, the only one.

    Raises:
        Refusal: 404 for an unknown one, 400 for none where there are several (both inferred).
    """
    if text:
        found = next((s for s in state.subscriptions.values() if str(s.id) == text), None)
        if found is None:
            raise missing("Subscription", text)
        return found
    if len(state.subscriptions) > 1:
        raise bad_request("There are several subscriptions: name one with subscription-id")
    return next(iter(state.subscriptions.values()))


def check_new_name(taken: dict[str, Ve] | dict[str, Image], name: str) -> None:
    """Refuse a name that cannot be given to a new object.

    Anything goes that XML can carry; what the platform refuses is unknown.

    Raises:
        Refusal: 400 for an impossible name, 409 for one that is taken (both inferred).
    """
    if not name or len(name) > _LONGEST_NAME or not is_text(name):
        raise bad_request(f"A name has 1 to {_LONGEST_NAME} characters of text")
    if name in taken:
        raise conflict(f"The name {name} is in use")


def check_limit(state: State, bought: Subscription) -> None:
    """Refuse one more server than was bought.

    Raises:
        Refusal: 406, in the vendor's words.
    """
    owned = sum(ve.subscription_id == bought.id for ve in state.ves.values())
    if bought.ve_limit is not None and owned >= bought.ve_limit:
        raise Refusal(406, _LIMIT_EXCEEDED)
