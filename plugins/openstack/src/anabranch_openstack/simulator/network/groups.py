"""`/security-groups` and the lists of their rules."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.network.listing import (
    check_known,
    list_reply,
    not_found,
    only_fields,
    wanted,
)
from anabranch_openstack.simulator.network.ports import port_documents
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    json_reply,
)

__all__ = ["new_group", "new_rule", "routes"]

routes = Routes()


def new_group(
    group_id: str, name: str, project_id: str, now: float, description: str = ""
) -> Document:
    """A security group as neutron makes it: everything may go out, nothing may come in."""
    stamps = {"created_at": compact_time(now), "updated_at": compact_time(now)}
    group: Document = {
        "id": group_id,
        "name": name,
        "stateful": True,
        "tenant_id": project_id,
        "project_id": project_id,
        "description": description,
        "shared": False,
        "security_group_rules": [],
        "tags": [],
        **stamps,
        "revision_number": 1,
    }
    for ethertype in ("IPv4", "IPv6"):
        new_rule(group, now, ethertype=ethertype, direction="egress")
    return group


def new_rule(group: Document, now: float, **fields: str | int) -> Document:
    """Add a rule to a security group; `fields` are its attributes."""
    rule: Document = {
        "id": str(uuid.uuid5(uuid.UUID(group["id"]), str(sorted(fields.items())))),
        "project_id": group["project_id"],
        "security_group_id": group["id"],
        "ethertype": "IPv4",
        "direction": "ingress",
        "protocol": None,
        "port_range_min": None,
        "port_range_max": None,
        "remote_ip_prefix": None,
        "remote_address_group_id": None,
        "normalized_cidr": fields.get("remote_ip_prefix"),
        "remote_group_id": None,
        "belongs_to_default_sg": group["name"] == "default",
        "description": "",
        "created_at": compact_time(now),
        "updated_at": compact_time(now),
        "revision_number": 0,
        "tenant_id": group["project_id"],
        **fields,
    }
    group["security_group_rules"].append(rule)
    return rule


@routes.on("GET", "/v2.0/security-groups", policy="get_security_groups")
def list_groups(request: Request) -> Reply:
    """The security groups of the project."""
    return list_reply(request, "security_groups", "Security group", _own(request))


@routes.on("GET", "/v2.0/security-groups/{group_id}", policy="get_security_group")
def show_group(request: Request) -> Reply:
    """One security group."""
    return json_reply({"security_group": only_fields(request, _find(request))})


@routes.on("POST", "/v2.0/security-groups", policy="create_security_group")
def create_group(request: Request) -> Reply:
    """A security group with its two first rules."""
    document = wanted(request, "security_group")
    check_known(document, {"name", "description", "stateful", "tenant_id", "project_id"})
    group = new_group(
        str(uuid.uuid4()),
        str(document.get("name", "")),
        request.token.project_id,
        request.now,
        str(document.get("description", "")),
    )
    request.region.networks.groups[group["id"]] = group
    return json_reply({"security_group": group}, 201)


@routes.on("DELETE", "/v2.0/security-groups/{group_id}", policy="delete_security_group")
def delete_group(request: Request) -> Reply:
    """Delete a security group that no port has."""
    group = _find(request)
    if group["name"] == "default":
        raise Refusal(
            409,
            "Insufficient rights for removing default security group.",
            kind="SecurityGroupCannotRemoveDefault",
        )
    if any(group["id"] in port["security_groups"] for port in port_documents(request)):
        raise Refusal(409, f"Security Group {group['id']} in use.", kind="SecurityGroupInUse")
    del request.region.networks.groups[group["id"]]
    return Reply(status=204)


@routes.on("GET", "/v2.0/security-group-rules", policy="get_security_group_rules")
def list_rules(request: Request) -> Reply:
    """The rules of all security groups of the project."""
    rules = [rule for group in _own(request) for rule in group["security_group_rules"]]
    return list_reply(request, "security_group_rules", "Security group rule", rules)


def _own(request: Request) -> list[Document]:
    groups = request.region.networks.groups.values()
    return [g for g in groups if g["project_id"] == request.token.project_id]


def _find(request: Request) -> Document:
    for group in _own(request):
        if group["id"] == request.args[0]:
            return group
    raise not_found("Security group", request.args[0])
