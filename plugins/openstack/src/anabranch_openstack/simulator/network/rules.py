"""`/security-group-rules`: made, shown and deleted; never changed."""

from __future__ import annotations

import ipaddress
import itertools
import uuid
from typing import Any, cast

from anabranch_openstack.simulator.network.listing import (
    check_known,
    check_room,
    list_reply,
    only_fields,
    require,
)
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    compact_time,
    is_list,
    json_reply,
)

__all__ = ["group_not_found", "new_rule", "routes"]

routes = Routes()

_FIELDS = {
    *("security_group_id", "direction", "ethertype", "protocol", "port_range_min"),
    *("port_range_max", "remote_ip_prefix", "remote_group_id", "remote_address_group_id"),
    *("description", "tenant_id", "project_id"),
}
_SAME = ("direction", "ethertype", "protocol", "port_range_min", "port_range_max")
_PROTOCOLS = (
    *("any", "ah", "dccp", "egp", "esp", "gre", "hopopt", "icmp", "igmp", "ip", "ipip"),
    *("ipv6-encap", "ipv6-frag", "ipv6-icmp", "icmpv6", "ipv6-nonxt", "ipv6-opts", "ipv6-route"),
    *("ospf", "pgm", "rsvp", "sctp", "tcp", "udp", "udplite", "vrrp"),
)
_ICMP = ("icmp", "icmpv6", "ipv6-icmp", "1", "58")
_numbers = itertools.count(41)


def new_rule(group: Document, now: float, **fields: str | int | None) -> Document:
    """Add a rule to a security group; `fields` are its attributes."""
    prefix = fields.get("remote_ip_prefix")
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
        "normalized_cidr": str(ipaddress.ip_network(prefix, strict=False)) if prefix else None,
        "remote_group_id": None,
        "standard_attr_id": next(_numbers),
        "belongs_to_default_sg": group["name"] == "default",
        "description": "",
        "tags": [],
        "created_at": compact_time(now),
        "updated_at": compact_time(now),
        "revision_number": 0,
        "tenant_id": group["project_id"],
        **fields,
    }
    group["security_group_rules"].append(rule)
    return rule


def group_not_found(group_id: str) -> Refusal:
    """The refusal of an unknown group, which neutron words in its own way."""
    message = f"Security group {group_id} does not exist"
    return Refusal(404, message, kind="SecurityGroupNotFound")


@routes.on("GET", "/v2.0/security-group-rules", policy="get_security_group_rules")
def list_rules(request: Request) -> Reply:
    """The rules of all security groups of the project."""
    rules = [_shown(rule) for rule in _rules(request)]
    return list_reply(request, "security_group_rules", "Security group rule", rules)


@routes.on("GET", "/v2.0/security-group-rules/{rule_id}", policy="get_security_group_rule")
def show_rule(request: Request) -> Reply:
    """One rule."""
    rule = only_fields(request, _shown(_find(request)))
    return json_reply({"security_group_rule": rule})


@routes.on("POST", "/v2.0/security-group-rules", policy="create_security_group_rule")
def create_rules(request: Request) -> Reply:
    """One rule, or several of which all are made or none."""
    try:
        body: Any = request.json()
    except ValueError as error:
        raise Refusal(400, "Body contains invalid data") from error
    document = cast("Document", body if isinstance(body, dict) else {})
    several = document.get("security_group_rules")
    if is_list(several):
        wishes = [_checked(request, wish) for wish in several]
        check_room(request, "security_group_rule", len(_rules(request)), len(wishes))
        made = [_shown(new_rule(group, request.now, **wish)) for group, wish in wishes]
        return json_reply({"security_group_rules": made}, 201)
    wish = document.get("security_group_rule")
    if not isinstance(wish, dict):
        raise Refusal(400, "Unable to find 'security_group_rule' in request body")
    group, fields = _checked(request, cast("Document", wish))
    check_room(request, "security_group_rule", len(_rules(request)))
    return json_reply({"security_group_rule": _shown(new_rule(group, request.now, **fields))}, 201)


@routes.on("DELETE", "/v2.0/security-group-rules/{rule_id}", policy="delete_security_group_rule")
def delete_rule(request: Request) -> Reply:
    """Delete a rule."""
    rule = _find(request)
    group = request.region.networks.groups[rule["security_group_id"]]
    group["security_group_rules"].remove(rule)
    return Reply(status=204)


def _checked(request: Request, wish: Document) -> tuple[Document, Document]:
    """The group and the attributes of a rule that is to be made.

    Raises:
        Refusal: Neutron would not make it.
    """
    check_known(wish, _FIELDS)
    require(wish, "direction", "security_group_id")
    groups = request.region.networks.groups
    group = groups.get(str(wish["security_group_id"]))
    if group is None or group["project_id"] != request.token.project_id:
        raise group_not_found(str(wish["security_group_id"]))
    fields = {k: v for k, v in wish.items() if k not in ("security_group_id", "tenant_id")}
    fields = {**fields, "protocol": _protocol(wish.get("protocol"))}
    fields.setdefault("ethertype", "IPv4")
    _check_ports(fields)
    _check_remote(request, fields)
    for rule in group["security_group_rules"]:
        same = all(rule.get(name) == fields.get(name) for name in _SAME)
        if same and _remote(rule) == _remote(fields):
            message = f"Security group rule already exists. Rule id is {rule['id']}."
            raise Refusal(409, message, kind="SecurityGroupRuleExists")
    return group, fields


def _protocol(value: object) -> str | None:
    if value is None:
        return None
    text = str(value).lower()
    if text not in _PROTOCOLS and not (text.isdecimal() and int(text) < 256):
        names = ", ".join(repr(name) for name in (None, *_PROTOCOLS))
        raise Refusal(
            400,
            f"Security group rule protocol {value} not supported. Only protocol values ({names})"
            " and integer representations [0 to 255] are supported.",
            kind="SecurityGroupRuleInvalidProtocol",
        )
    return text


def _check_ports(fields: Document) -> None:
    least, most = fields.get("port_range_min"), fields.get("port_range_max")
    if least is None and most is None:
        return
    protocol = fields["protocol"]
    if protocol is None:
        raise Refusal(
            400,
            "Must also specify protocol if port range is given.",
            kind="SecurityGroupProtocolRequiredWithPorts",
        )
    if protocol in _ICMP:
        if least is None:
            raise Refusal(
                400,
                f"ICMP code (port-range-max) {most} is provided but ICMP type (port-range-min) is"
                " missing.",
                kind="SecurityGroupMissingIcmpType",
            )
        return
    for port in (least, most):
        if port is not None and not 0 <= port <= 65535:
            message = f"Invalid value for port {port}"
            raise Refusal(400, message, kind="SecurityGroupInvalidPortValue")
    if least is None or most is None or least > most:
        raise Refusal(
            400,
            "For TCP/UDP protocols, port_range_min must be <= port_range_max",
            kind="SecurityGroupInvalidPortRange",
        )


def _check_remote(request: Request, fields: Document) -> None:
    prefix, group_id = fields.get("remote_ip_prefix"), fields.get("remote_group_id")
    if prefix and group_id:
        raise Refusal(
            400,
            "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be"
            " provided.",
            kind="SecurityGroupMultipleRemoteEntites",
        )
    if group_id and group_id not in request.region.networks.groups:
        raise group_not_found(str(group_id))
    if prefix:
        try:
            version = ipaddress.ip_network(str(prefix), strict=False).version
        except ValueError as error:
            message = f"Invalid CIDR {prefix} given as IP prefix."
            raise Refusal(400, message, kind="InvalidCIDR") from error
        if fields["ethertype"] != f"IPv{version}":
            raise Refusal(
                400,
                f"Conflicting value ethertype {fields['ethertype']} for CIDR {prefix}",
                kind="SecurityGroupRuleParameterConflict",
            )


def _remote(rule: Document) -> tuple[str | None, str | None]:
    """What is at the other end; a block of everything is as good as none."""
    prefix = rule.get("remote_ip_prefix")
    block = str(ipaddress.ip_network(prefix, strict=False)) if prefix else None
    return rule.get("remote_group_id"), None if block in ("0.0.0.0/0", "::/0") else block


def _rules(request: Request) -> list[Document]:
    groups = request.region.networks.groups.values()
    own = [g for g in groups if g["project_id"] == request.token.project_id]
    return [rule for group in own for rule in group["security_group_rules"]]


def _find(request: Request) -> Document:
    for rule in _rules(request):
        if rule["id"] == request.args[0]:
            return rule
    message = f"Security group rule {request.args[0]} does not exist"
    raise Refusal(404, message, kind="SecurityGroupRuleNotFound")


def _shown(rule: Document) -> Document:
    """A rule by itself says less than it does within its group."""
    return {k: v for k, v in rule.items() if k not in ("standard_attr_id", "tags")}
