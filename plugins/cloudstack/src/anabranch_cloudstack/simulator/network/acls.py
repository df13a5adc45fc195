"""Network ACL lists and their rules."""

from __future__ import annotations

from anabranch_cloudstack.simulator.call import Call
from anabranch_cloudstack.simulator.commands import Commands
from anabranch_cloudstack.simulator.jobs import Work
from anabranch_cloudstack.simulator.listing import listed, matching
from anabranch_cloudstack.simulator.network.records import AclItem, AclList
from anabranch_cloudstack.simulator.network.rules import (
    checked_cidrs,
    traffic_document,
    traffic_of,
)
from anabranch_cloudstack.simulator.records import tag_documents
from anabranch_cloudstack.simulator.state import State
from anabranch_cloudstack.simulator.wire import Document, invalid

__all__ = ["commands"]

commands = Commands()

_RULE = (
    "cidrlist:list action traffictype number:integer startport:integer endport:integer"
    " icmptype:integer icmpcode:integer reason"
)


@commands.add("listNetworkACLLists", "id:uuid name vpcid:uuid networkid:uuid", listing=True)
def list_acl_lists(call: Call) -> Document:
    """Lists network ACL lists; the two built-in ones belong to everyone."""
    lists = matching(call, call.state.acl_lists.values(), vpc="vpcid")
    if call.has("networkid"):
        network = call.take(call.state.networks, "networkid")
        lists = [one for one in lists if one.id == network.acl]
    return listed(call, "networkacllist", [_list_document(call.state, one) for one in lists])


@commands.add(
    "createNetworkACLList",
    "name! vpcid!:uuid description",
    job="user.network.CreateNetworkACLListCmd",
    instance_type="NetworkAcl",
)
def create_acl_list(call: Call) -> Document:
    """Creates a network ACL list."""
    state = call.state
    vpc = call.take(state.vpcs, "vpcid")
    acl = AclList(
        id=state.new_id(),
        name=call.text("name"),
        account=vpc.account,
        project=vpc.project,
        text=call.text("description"),
        vpc=vpc.id,
    )
    state.add(state.acl_lists, acl)

    def work() -> Work:
        yield
        return {"networkacllist": _list_document(state, acl)}

    return call.start(work(), acl.id, created=True)


@commands.add(
    "deleteNetworkACLList",
    "id!:uuid",
    job="user.network.DeleteNetworkACLListCmd",
    instance_type="NetworkAcl",
)
def delete_acl_list(call: Call) -> Document:
    """Deletes a network ACL list that no network has."""
    state = call.state
    acl = _own_list(call, "id")

    def work() -> Work:
        yield
        if any(network.acl == acl.id for network in state.networks.values()):
            raise invalid(f"ACL is still associated with networks: {acl.name}")
        for item in [i for i in state.acl_items.values() if i.acl == acl.id]:
            del state.acl_items[item.id]
        del state.acl_lists[acl.id]
        return {"success": True}

    return call.start(work(), acl.id)


@commands.add(
    "replaceNetworkACLList",
    "aclid!:uuid networkid:uuid gatewayid:uuid",
    job="user.network.ReplaceNetworkACLListCmd",
)
def replace_acl_list(call: Call) -> Document:
    """Gives a tier another network ACL list."""
    acl = call.take(call.state.acl_lists, "aclid")
    network = call.take(call.state.networks, "networkid")
    if not network.vpc:
        raise invalid(f"Network is not part of a VPC: {network.name}")

    def work() -> Work:
        yield
        if acl.id not in call.state.acl_lists:
            raise invalid(f"ACL {acl.id} was removed meanwhile")
        network.acl = acl.id
        return {"success": True}

    return call.start(work(), network.id)


@commands.add(
    "listNetworkACLs",
    "id:uuid aclid:uuid networkid:uuid protocol traffictype action",
    listing=True,
)
def list_acls(call: Call) -> Document:
    """Lists the rules of network ACL lists."""
    state = call.state
    items = matching(call, state.acl_items.values(), acl="aclid", direction="traffictype")
    if call.has("networkid"):
        acl = call.take(state.networks, "networkid").acl
        items = [item for item in items if item.acl == acl]
    items.sort(key=lambda item: item.number)
    return listed(call, "networkacl", [_document(state, item) for item in items])


@commands.add(
    "createNetworkACL",
    f"protocol! aclid:uuid networkid:uuid {_RULE}",
    job="user.network.CreateNetworkACLCmd",
    instance_type="NetworkAclItem",
)
def create_acl(call: Call) -> Document:
    """Adds a rule to a network ACL list."""
    state = call.state
    if not call.has("aclid") and not call.has("networkid"):
        raise invalid("Both networkId and aclId can not be null")
    if not call.has("aclid"):
        network = call.take(state.networks, "networkid")
        if not network.acl:
            raise invalid(f"Network: {network.id} is not part of a VPC")
        acl = state.acl_lists[network.acl]
    else:
        acl = call.take(state.acl_lists, "aclid")
    if not acl.vpc:
        raise invalid("Default ACL cannot be modified")
    traffic = traffic_of(call, numbers=True)
    numbers = [item.number for item in state.acl_items.values() if item.acl == acl.id]
    number = call.number("number") or max(numbers, default=0) + 1
    if number in numbers:
        raise invalid(f"ACL item with number {number} already exists in ACL: {acl.id}")
    item = AclItem(
        id=state.new_id(),
        account=acl.account,
        project=acl.project,
        created=state.now,
        acl=acl.id,
        number=number,
        protocol=traffic.protocol,
        start=traffic.start,
        end=traffic.end,
        icmp_type=traffic.icmp_type,
        icmp_code=traffic.icmp_code,
        action=_word(call, "action", ("Allow", "Deny"), "Allow"),
        direction=_word(call, "traffictype", ("Ingress", "Egress"), "Ingress"),
        cidrs=checked_cidrs(call, "cidrlist", "0.0.0.0/0"),
        reason=call.text("reason"),
    )
    state.add(state.acl_items, item)

    def work() -> Work:
        yield
        return {"networkacl": _document(state, item)}

    return call.start(work(), item.id, created=True)


@commands.add(
    "updateNetworkACLItem",
    f"id!:uuid protocol {_RULE} partialupgrade:boolean",
    job="user.network.UpdateNetworkACLItemCmd",
    instance_type="NetworkAclItem",
)
def update_acl(call: Call) -> Document:
    """Changes a rule of a network ACL list."""
    item = call.take(call.state.acl_items, "id")
    if call.has("protocol"):
        traffic = traffic_of(call, numbers=True)
        item.protocol, item.start, item.end = traffic.protocol, traffic.start, traffic.end
        item.icmp_type, item.icmp_code = traffic.icmp_type, traffic.icmp_code
    item.action = _word(call, "action", ("Allow", "Deny"), item.action)
    item.direction = _word(call, "traffictype", ("Ingress", "Egress"), item.direction)
    item.cidrs = checked_cidrs(call, "cidrlist", item.cidrs)
    item.number = call.number("number") or item.number

    def work() -> Work:
        yield
        return {"networkacl": _document(call.state, item)}

    return call.start(work(), item.id)


@commands.add(
    "deleteNetworkACL",
    "id!:uuid",
    job="user.network.DeleteNetworkACLCmd",
    instance_type="NetworkAclItem",
)
def delete_acl(call: Call) -> Document:
    """Removes a rule from a network ACL list."""
    item = call.take(call.state.acl_items, "id")

    def work() -> Work:
        yield
        call.state.acl_items.pop(item.id, None)
        return {"success": True}

    return call.start(work(), item.id)


def _own_list(call: Call, name: str) -> AclList:
    acl = call.take(call.state.acl_lists, name)
    if not acl.vpc:
        raise invalid("Default ACL cannot be removed")
    return acl


def _word(call: Call, name: str, words: tuple[str, ...], default: str) -> str:
    text = call.text(name, default)
    for word in words:
        if word.lower() == text.lower():
            return word
    raise invalid(f"Invalid {name} {text}; use one of {', '.join(words)}")


def _list_document(state: State, acl: AclList) -> Document:
    document: Document = {"id": acl.id, "name": acl.name}
    if acl.text:
        document["description"] = acl.text
    if acl.vpc:
        document |= {"vpcid": acl.vpc, "vpcname": state.vpcs[acl.vpc].name}
    return document


def _document(state: State, item: AclItem) -> Document:
    document: Document = {
        "id": item.id,
        **traffic_document(item, as_text=True),
        "traffictype": item.direction,
        "state": "Active",
        "cidrlist": item.cidrs,
        "tags": tag_documents(state, item),
        "aclid": item.acl,
        "aclname": state.acl_lists[item.acl].name,
        "number": item.number,
        "action": item.action,
    }
    if item.reason:
        document["reason"] = item.reason
    return document
