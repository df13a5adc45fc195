"""The firewalls of servers: all rules of one server are read and written at once."""

from __future__ import annotations

import ipaddress
from http import HTTPStatus

from anabranch_paci.simulator.lookup import find_ve
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.reading import attribute_number
from anabranch_paci.simulator.records import Rule
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.wire import (
    Reply,
    Request,
    bad_request,
    conflict,
    text_reply,
    xml_reply,
)

__all__ = ["routes"]

_LAST_PORT = 65_535

routes = Routes()


@routes.on("GET", "/ve/{ve}/firewall")
def show(request: Request, name: str) -> Reply:
    """The rules of a server."""
    rules = find_ve(request, name).rules
    return xml_reply(Element("firewall", None, *map(_document, rules)))


@routes.on("POST", "/ve/{ve}/firewall")
def create(request: Request, name: str) -> Reply:
    """Give rules to a server that has none; that others are refused is inferred."""
    ve = find_ve(request, name)
    rules = _rules(request)
    if ve.rules:
        raise conflict(f"{name} has firewall rules: replace or delete them")
    ve.rules = rules
    return text_reply("Firewall rules created", HTTPStatus.OK)


@routes.on("PUT", "/ve/{ve}/firewall")
def replace(request: Request, name: str) -> Reply:
    """Put rules in the place of what a server has."""
    ve = find_ve(request, name)
    ve.rules = _rules(request)
    return text_reply("Firewall rules replaced", HTTPStatus.OK)


@routes.on("DELETE", "/ve/{ve}/firewall")
def delete(request: Request, name: str) -> Reply:
    """Take all rules away."""
    find_ve(request, name).rules = []
    return text_reply("Firewall rules deleted", HTTPStatus.OK)


def _rules(request: Request) -> list[Rule]:
    return [_rule(request, element) for element in request.document("firewall").all("rule")]


def _rule(request: Request, element: Element) -> Rule:
    name, protocol = element.get("name"), element.get("protocol")
    if not (name and protocol):
        raise bad_request("<rule> must have name and protocol")
    nets = [net.text.strip() for net in element.all("remote-net")]
    for net in nets:
        try:
            ipaddress.ip_interface(net)
        except ValueError:
            raise bad_request(f"{net!r} is not a network in CIDR notation") from None
    return Rule(
        id=request.state.new_id(),
        name=name,
        protocol=protocol,
        local_port=attribute_number(element, "local-port", most=_LAST_PORT),
        remote_port=attribute_number(element, "remote-port", most=_LAST_PORT),
        remote_nets=tuple(nets),
    )


def _document(rule: Rule) -> Element:
    return Element(
        "rule",
        None,
        *(Element("remote-net", net) for net in rule.remote_nets),
        attributes={
            "id": rule.id,
            "name": rule.name,
            "protocol": rule.protocol,
            "local-port": rule.local_port,
            "remote-port": rule.remote_port,
        },
    )
