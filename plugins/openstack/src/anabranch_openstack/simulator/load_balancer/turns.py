"""A load balancer takes one change at a time, and is pending until that is done."""

from __future__ import annotations

from anabranch_openstack.simulator.load_balancer.checks import not_found
from anabranch_openstack.simulator.load_balancer.records import Balancer, Pool
from anabranch_openstack.simulator.wire import Refusal, Request

__all__ = ["begin", "check_turn", "find_balancer", "find_pool", "own_balancers"]


def own_balancers(request: Request) -> list[Balancer]:
    """The load balancers of the project, as they are by now."""
    store = request.region.balancers.balancers
    for ident, balancer in list(store.items()):
        if not balancer.advance(request.now):
            del store[ident]
    return [b for b in store.values() if b.project_id == request.token.project_id]


def find_balancer(request: Request, ident: str | None = None) -> Balancer:
    """The load balancer of that id, or of the one in the path.

    Raises:
        Refusal: There is none.
    """
    ident = request.args[0] if ident is None else ident
    for balancer in own_balancers(request):
        if balancer.id == ident:
            return balancer
    raise not_found("Load Balancer", ident)


def find_pool(request: Request) -> tuple[Balancer, Pool]:
    """The pool in the path, with its load balancer.

    Raises:
        Refusal: There is none.
    """
    for balancer in own_balancers(request):
        if request.args[0] in balancer.pools:
            return balancer, balancer.pools[request.args[0]]
    # One of the few places where octavia does not write `faultstring`.
    raise Refusal(404, f"Pool {request.args[0]} not found.", kind="description")


def check_turn(balancer: Balancer, kind: str, ident: str) -> None:
    """Refuse a change while another is pending, or after one that failed.

    Raises:
        Refusal: It is not its turn.
    """
    if balancer.status != "ACTIVE":
        raise Refusal(409, f"{kind} {ident} is immutable and cannot be updated.")


def begin(request: Request, balancer: Balancer, status: str) -> None:
    """Make a load balancer pending for as long as the cloud takes for a change."""
    balancer.status = status
    balancer.due = request.now + request.cloud.behaviour.state_delay
