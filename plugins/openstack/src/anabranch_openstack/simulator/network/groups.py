"""`/security-groups`."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.network.listing import (
    check_known,
    check_room,
    list_reply,
    only_fields,
    wanted,
)
from anabranch_openstack.simulator.network.ports import port_documents
from anabranch_openstack.simulator.network.rules import group_not_found, new_rule
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    json_reply,
)

__all__ = ["new_group", "routes"]

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
        new_rule(group, now, ethertype=ethertype, direction="egress", description=None)
    return group


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
    name = str(document.get("name", ""))
    if name == "default":
        message = "Default security group already exists."
        raise Refusal(409, message, kind="SecurityGroupDefaultAlreadyExists")
    if len(name) > 255:
        message = f"Invalid input for name. Reason: '{name}' exceeds maximum length of 255."
        raise Refusal(400, message)
    check_room(request, "security_group", len(_own(request)))
    group = new_group(
        str(uuid.uuid4()),
        name,
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
    if any(group["id"] in port["security_groups"] for port in port_documents(request)):
        raise Refusal(409, f"Security Group {group['id']} in use.", kind="SecurityGroupInUse")
    if group["name"] == "default":
        raise Refusal(
            409,
            "Insufficient rights for removing default security group.",
            kind="SecurityGroupCannotRemoveDefault",
        )
    del request.region.networks.groups[group["id"]]
    return Reply(status=204)


def _own(request: Request) -> list[Document]:
    groups = request.region.networks.groups.values()
    return [g for g in groups if g["project_id"] == request.token.project_id]


def _find(request: Request) -> Document:
    for group in _own(request):
        if group["id"] == request.args[0]:
            return group
    raise group_not_found(request.args[0])
