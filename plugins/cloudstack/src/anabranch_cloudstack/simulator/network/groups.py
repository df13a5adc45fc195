"""Security groups."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.records import SecurityGroup, SecurityRule
from anabranch_cloudstack.simulator.network.rules import (
    checked_cidrs,
    traffic_document,
    traffic_of,
)
from anabranch_cloudstack.simulator.records import owner, tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, Refusal, invalid

__all__ = ["commands"]

commands = Commands()

_TYPE = "SecurityGroup"
_RULE = (
    "securitygroupid:uuid securitygroupname protocol startport:integer endport:integer"
    " icmptype:integer icmpcode:integer cidrlist:list usersecuritygrouplist:map account"
    " domainid:uuid projectid:uuid"
)


@commands.add("listSecurityGroups", "id:uuid securitygroupname virtualmachineid:uuid", listing=True)
def list_groups(call: Call) -> Document:
    """Lists security groups with their rules."""
    state = call.state
    groups = matching(call, state.security_groups.values(), name="securitygroupname")
    if call.has("virtualmachineid"):
        machine = call.take(state.machines, "virtualmachineid")
        groups = [group for group in groups if group.id in machine.security_groups]
    return listed(call, "securitygroup", [_document(state, group) for group in groups])


@commands.add("createSecurityGroup", "name! description projectid:uuid account domainid:uuid")
def create_group(call: Call) -> Document:
    """Creates a security group."""
    state, name = call.state, call.text("name")
    if any(g.name == name for g in call.visible(state.security_groups.values())):
        raise invalid(f"Unable to create security group, a group with name {name} already exists.")
    group = SecurityGroup(
        id=state.new_id(),
        name=name,
        text=call.text("description"),
        account=call.account.name,
        project=call.project,
        created=state.now,
    )
    state.add(state.security_groups, group)
    return {"securitygroup": _document(state, group)}


@commands.add("updateSecurityGroup", "id!:uuid name", since="4.14.0.0")
def update_group(call: Call) -> Document:
    """Renames a security group."""
    group = call.take(call.state.security_groups, "id")
    if group.name == "default":
        raise invalid("The default security group cannot be renamed")
    group.name = call.text("name") or group.name
    for machine in call.state.machines.values():
        if group.id in machine.security_groups:
            machine.encoded.clear()
    return {"securitygroup": _document(call.state, group)}


@commands.add("deleteSecurityGroup", "id:uuid name projectid:uuid account domainid:uuid")
def delete_group(call: Call) -> Document:
    """Deletes a security group, by id or by name."""
    groups = call.state.security_groups
    if call.has("id"):
        group = call.take(groups, "id")
    else:
        name = call.text("name")
        found = {group.name: group for group in call.visible(groups.values())}
        if name not in found:
            raise invalid(f"Unable to find security group by name {name}")
        group = found[name]
    if group.name == "default":
        raise invalid("The network group default is reserved")
    if _members(call.state, group):
        raise Refusal(536, "Cannot delete group when it's in use by virtual machines")
    for other in groups.values():
        if other is not group and any(
            (r.group, r.group_account) == (group.name, group.account) for r in other.ingress
        ):
            raise Refusal(536, "Cannot delete group when there are security rules in use")
    del groups[group.id]
    return {"success": True}


@commands.add(
    "authorizeSecurityGroupIngress",
    _RULE,
    job="user.securitygroup.AuthorizeSecurityGroupIngressCmd",
    instance_type=_TYPE,
)
def authorize_ingress(call: Call) -> Document:
    """Lets traffic in to the members of a security group."""
    return _authorize(call, "ingress")


@commands.add(
    "authorizeSecurityGroupEgress",
    _RULE,
    job="user.securitygroup.AuthorizeSecurityGroupEgressCmd",
    instance_type=_TYPE,
    since="3.0.0",
)
def authorize_egress(call: Call) -> Document:
    """Lets traffic out from the members of a security group; before the first rule all may."""
    return _authorize(call, "egress")


@commands.add(
    "revokeSecurityGroupIngress",
    "id!",
    job="user.securitygroup.RevokeSecurityGroupIngressCmd",
    instance_type=_TYPE,
)
def revoke_ingress(call: Call) -> Document:
    """Removes a rule about what comes in."""
    return _revoke(call, "ingress")


@commands.add(
    "revokeSecurityGroupEgress",
    "id!",
    job="user.securitygroup.RevokeSecurityGroupEgressCmd",
    instance_type=_TYPE,
    since="3.0.0",
)
def revoke_egress(call: Call) -> Document:
    """Removes a rule about what goes out."""
    return _revoke(call, "egress")


def _authorize(call: Call, direction: str) -> Document:
    state = call.state
    group = _named(call)
    new = _rules(call)
    rules: list[SecurityRule] = getattr(group, direction)

    def work() -> Work:
        known = {_key(rule) for rule in rules}
        if any(_key(rule) in known for rule in new):
            raise Refusal(530, f"Failed to authorize security group {direction} rule(s)")
        yield
        rules.extend(new)
        document = _document(state, group, tags=False)
        del document["virtualmachinecount"]
        document["ingressrule"], document["egressrule"] = [], []
        document[f"{direction}rule"] = [_rule_document(rule) for rule in new]
        return {"securitygroup": document}

    return call.start(work(), group.id)


def _revoke(call: Call, direction: str) -> Document:
    wanted = call.text("id")
    for group in call.state.security_groups.values():
        rules: list[SecurityRule] = getattr(group, direction)
        for rule in rules:
            if rule.id == wanted:
                call.take_id(call.state.security_groups, group.id, "id")
                return call.start(_revoking(rules, rule), group.id)
    raise call.no_entity("id", wanted)


def _revoking(rules: list[SecurityRule], rule: SecurityRule) -> Work:
    yield
    if rule in rules:
        rules.remove(rule)
    return {"success": True}


def _named(call: Call) -> SecurityGroup:
    groups = call.state.security_groups
    if call.has("securitygroupid"):
        return call.take(groups, "securitygroupid")
    name = call.text("securitygroupname")
    for group in call.visible(groups.values()):
        if group.name == name:
            return group
    raise invalid(
        "Either securityGroupId or securityGroupName is required by authorizeSecurityGroup command"
    )


def _rules(call: Call) -> list[SecurityRule]:
    """One rule for every CIDR and every group that a call names."""
    state = call.state
    if not call.has("protocol"):
        raise invalid("Invalid protocol null")
    traffic = traffic_of(call, numbers=True)
    if traffic.protocol in ("tcp", "udp") and traffic.start is None:
        raise invalid("Invalid port range specified, startPort = null, endPort = null")
    start, end = traffic.start, traffic.end
    if traffic.protocol not in ("tcp", "udp", "icmp"):
        start = end = 0
    cidrs = [c for c in checked_cidrs(call, "cidrlist", "").split(",") if c]
    groups = [
        (e.get("account", ""), e.get("group", "")) for e in call.maps("usersecuritygrouplist")
    ]
    if bool(cidrs) == bool(groups):
        raise invalid("Specify either a cidrlist or a usersecuritygrouplist")
    known = {(group.account, group.name) for group in state.security_groups.values()}
    for account, name in groups:
        if (account, name) not in known:
            raise invalid(f"Unable to find security group {name} of account {account}")
    targets = [(cidr, "", "") for cidr in cidrs] + [("", g, a) for a, g in groups]
    return [
        SecurityRule(
            id=state.new_id(),
            protocol=traffic.protocol,
            start=start,
            end=end,
            icmp_type=traffic.icmp_type,
            icmp_code=traffic.icmp_code,
            cidr=cidr,
            group=group,
            group_account=account,
        )
        for cidr, group, account in targets
    ]


def _key(rule: SecurityRule) -> tuple[object, ...]:
    return (
        *(rule.protocol, rule.start, rule.end, rule.icmp_type, rule.icmp_code),
        *(rule.cidr, rule.group, rule.group_account),
    )


def _members(state: State, group: SecurityGroup) -> list[str]:
    return [m.id for m in state.machines.values() if group.id in m.security_groups]


def _rule_document(rule: SecurityRule) -> Document:
    document = {"ruleid": rule.id, **traffic_document(rule)}
    if rule.cidr:
        return document | {"cidr": rule.cidr}
    return document | {"securitygroupname": rule.group, "account": rule.group_account}


def _document(state: State, group: SecurityGroup, *, tags: bool = True) -> Document:
    members = _members(state, group)
    own: Document = {"tags": []} if tags else {}
    document: Document = {"id": group.id, "name": group.name}
    if group.text:
        document["description"] = group.text
    return document | {
        **owner(state, group),
        "ingressrule": [_rule_document(rule) | own for rule in group.ingress],
        "egressrule": [_rule_document(rule) | own for rule in group.egress],
        "tags": tag_documents(state, group),
        "virtualmachinecount": len(members),
        "virtualmachineids": members,
    }
