"""How load balancer rules keep a client at a member, and that they can not look at members."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.network.records import Balancer, StickinessPolicy
from anabranch_cloudstack.simulator.records import owner
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_METHODS = ("LbCookie", "AppCookie", "SourceBased")


@commands.add("listLBStickinessPolicies", "lbruleid:uuid id:uuid", listing=True)
def list_policies(call: Call) -> Document:
    """Lists how a load balancer rule keeps a client."""
    balancer = call.take(call.state.balancers, "lbruleid")
    return {"count": 1, "stickinesspolicies": [_document(call.state, balancer)]}


@commands.add(
    "createLBStickinessPolicy",
    "lbruleid!:uuid name! methodname! param:map description fordisplay:boolean",
    job="user.loadbalancer.CreateLBStickinessPolicyCmd",
    instance_type="None",
)
def create_policy(call: Call) -> Document:
    """Says how a load balancer rule keeps a client."""
    state = call.state
    balancer = call.take(state.balancers, "lbruleid")
    method = call.text("methodname")
    if method not in _METHODS:
        raise invalid(
            f"Failed to create Stickiness policy: Validation Failed for LB Rule {balancer.id}:"
            f" method {method} is not one of {', '.join(_METHODS)}"
        )
    policy = StickinessPolicy(
        id=state.new_id(),
        name=call.text("name"),
        method=method,
        parameters={e.get("name", ""): e.get("value", "") for e in call.maps("param")},
    )

    def work() -> Work:
        if balancer.policy is not None:
            raise invalid("Failed to create Stickiness policy: Already policy attached")
        yield
        balancer.policy = policy
        return {"stickinesspolicies": _document(state, balancer)}

    return call.start(work(), policy.id, created=True, lock=balancer.id)


@commands.add(
    "deleteLBStickinessPolicy",
    "id!",
    job="user.loadbalancer.DeleteLBStickinessPolicyCmd",
    instance_type="None",
)
def delete_policy(call: Call) -> Document:
    """Lets a load balancer rule no longer keep a client."""
    for balancer in call.state.balancers.values():
        if balancer.policy is not None and balancer.policy.id == call.text("id"):
            call.take_id(call.state.balancers, balancer.id, "id")
            return call.start(_forgetting(balancer), lock=balancer.id)
    raise call.no_entity("id", call.text("id"))


@commands.add(
    "createLBHealthCheckPolicy",
    "lbruleid!:uuid pingpath description responsetimeout:integer intervaltime:integer"
    " healthythreshold:integer unhealthythreshold:integer",
    job="user.loadbalancer.CreateLBHealthCheckPolicyCmd",
)
def create_health_check(call: Call) -> Document:
    """Refuses: the virtual router, which serves these rules, does not look at members."""
    balancer = call.take(call.state.balancers, "lbruleid")
    raise Refusal(
        430, f"Failed to create HealthCheck policy: Validation Failed for LB Rule {balancer.id}"
    )


@commands.add("listLBHealthCheckPolicies", "lbruleid:uuid id:uuid", listing=True)
def list_health_checks(call: Call) -> Document:
    """Lists that no member of a load balancer rule is looked at."""
    balancer = call.take(call.state.balancers, "lbruleid")
    whose = owner(call.state, balancer)
    del whose["domainpath"]
    policies: Document = {"lbruleid": balancer.id, **whose, "healthcheckpolicy": []}
    return {"count": 1, "healthcheckpolicies": [policies]}


def _forgetting(balancer: Balancer) -> Work:
    yield
    balancer.policy = None
    return {"success": True}


def _document(state: State, balancer: Balancer) -> Document:
    policy = balancer.policy
    whose = owner(state, balancer)
    del whose["domainpath"]
    rows: list[Document] = []
    if policy is not None:
        rows.append(
            {
                "id": policy.id,
                "name": policy.name,
                "methodname": policy.method,
                "params": policy.parameters,
            }
        )
    return {"lbruleid": balancer.id, **whose, "stickinesspolicy": rows}
