"""Servers and load balancers as documents: the list, and the whole thing."""

from __future__ import annotations

from collections.abc import Iterable

from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.records import (
    Address,
    AutoscaleRule,
    InstalledApplication,
    Template,
    Ve,
)
from anabranch_paci.simulator.state import State
from anabranch_paci.simulator.times import timestamp

__all__ = ["autoscale_document", "balancer_list", "platform", "ve_document", "ve_list"]


def ve_list(ves: Iterable[Ve], *, with_subscription: bool) -> Element:
    """The names of servers, with the few attributes that the list has.

    Args:
        ves: The servers.
        with_subscription: Whether to name it: left out when the URL did.
    """
    return Element("ve-list", None, *(_ve_info(ve, with_subscription) for ve in ves))


def balancer_list(balancers: Iterable[Ve]) -> Element:
    """The names of load balancers."""
    return Element(
        "lb-list",
        None,
        *(
            Element(
                "load-balancer",
                attributes={
                    "name": ve.name,
                    "state": ve.overlay.get("state", ve.state),
                    "subscription-id": ve.subscription_id,
                },
            )
            for ve in balancers
        ),
    )


def ve_document(state: State, ve: Ve) -> Element:
    """Everything about a server or a balancer, children in the vendor's order.

    The password is not in it: `admin@password` was rarely there.
    """
    children = [child for child in _children(state, ve) if child.tag not in ve.omit]
    for child in children:
        child.text = ve.overlay.get(child.tag, child.text)
    return Element("load-balancer" if ve.is_balancer else "ve", None, *children)


def platform(template: Template) -> Element:
    """What runs on a server."""
    return Element(
        "platform",
        None,
        Element("template-info", attributes={"name": template.name}),
        Element(
            "os-info", attributes={"technology": template.technology, "type": template.os_type}
        ),
    )


def autoscale_document(ve: Ve) -> Element:
    """The rules by which a server grows, all of them delivered."""
    rules = [_autoscale_rule(rule) for rule in ve.autoscale]
    return Element("autoscale", None, Element("current", None, *rules) if rules else None)


def _autoscale(ve: Ve) -> list[Element]:
    """What a server that grows has in its document; that others have none of it is inferred."""
    if not ve.autoscale:
        return []
    traffic = (
        Element(tag, attributes={"sent": 0, "received": 0})
        for tag in ("private-traffic", "public-traffic")
    )
    used = {"cpu": ve.cpu_power // 4, "ram": ve.ram // 2}
    consumption = Element("current-resource-consumption", None, *traffic, attributes=used)
    return [autoscale_document(ve), consumption]


def _autoscale_rule(rule: AutoscaleRule) -> Element:
    limits = {"min": rule.minimum, "max": rule.maximum, "step": rule.step}
    thresholds = (
        Element(tag, attributes={"threshold": threshold, "period": period})
        for tag, (threshold, period) in (("up", rule.up), ("down", rule.down))
    )
    return Element(
        "autoscale-rule",
        None,
        Element("limits", attributes=limits),
        Element("thresholds", None, *thresholds),
        attributes={
            "metric": rule.metric,
            "version": rule.version,
            "enabled": True,
            "deleted": False,
            "updated": timestamp(rule.updated),
            "update-delivered-ok": True,
            "update-delivered": timestamp(rule.updated),
            "allow-migration": rule.allow_migration,
            "allow-restart": rule.allow_restart,
        },
    )


def _ve_info(ve: Ve, with_subscription: bool) -> Element:
    attributes = {
        "id": ve.id,
        "name": ve.name,
        "hostname": ve.hostname or None,
        "state": ve.state,
        "subscription-id": ve.subscription_id if with_subscription else None,
        "description": ve.description,
    }
    shown = {
        name: None if value is None else ve.overlay.get(name, value)
        for name, value in attributes.items()
        if name not in ve.omit
    }
    return Element("ve-info", attributes=shown)


def _children(state: State, ve: Ve) -> list[Element]:
    children = [
        Element("id", ve.id),
        Element("uuid", ve.uuid),
        Element("hnId", ve.node),
        Element("customer-id", state.customer_id),
        Element("name", ve.name),
        Element("hostname", ve.hostname) if ve.hostname else None,
        Element("description", ve.description) if ve.description is not None else None,
        Element("subscription-id", ve.subscription_id),
        Element("cpu", attributes={"number": ve.cpu_number, "power": ve.cpu_power}),
        Element("ram-size", ve.ram),
        Element("bandwidth", ve.bandwidth),
        Element(
            "ve-disk",
            attributes={
                "id": ve.disk.id,
                "local": ve.disk.local,
                "size": ve.disk.size,
                "created": ve.state not in ("CREATE", "CREATION_IN_PROGRESS"),
            },
        ),
        platform(ve.template),
        _network(ve),
        Element("backup-schedule", attributes={"name": ve.schedule}) if ve.schedule else None,
        _console(ve),
        Element("state", ve.state),
        Element("primary-disk-id", ve.disk.id),
        Element("template-id", ve.template.id),
        Element("admin", attributes={"login": ve.login}),
        Element("last-operation-rc", 0),
        *map(_app_info, ve.applications),
        _balancer_of(state, ve),
        Element("steady-state", ve.steady),
        *_autoscale(ve),
        *_used_by(state, ve),
    ]
    return [child for child in children if child is not None]


def _network(ve: Ve) -> Element:
    return Element(
        "network",
        None,
        *(_address("public-ip", address) for address in ve.ipv4),
        *(_address("public-ipv6", address) for address in ve.ipv6),
        attributes={"private-ip": ve.private_ip},
    )


def _address(tag: str, address: Address) -> Element:
    return Element(
        tag,
        attributes={"id": address.id, "address": address.address, "gateway": address.gateway},
    )


def _console(ve: Ve) -> Element | None:
    if ve.console is None:
        return None
    address, port = ve.console
    return Element("console", None, Element("address", address), Element("port", port))


def _app_info(installed: InstalledApplication) -> Element:
    application, gone = installed.application, installed.uninstalled
    return Element(
        "app-info",
        attributes={
            "app-template": application.name,
            "for-os": application.for_os,
            "installed-at": timestamp(installed.installed),
            "installed-ok": True,
            "uninstalled-at": None if gone is None else timestamp(gone),
            "uninstalled-ok": None if gone is None else True,
            "app-template-id": application.id,
        },
    )


def _balancer_of(state: State, ve: Ve) -> Element | None:
    names = (b.name for b in state.balancers.values() if ve.name in b.members)
    name = None if ve.is_balancer else next(names, None)
    return None if name is None else Element("load-balancer", name)


def _used_by(state: State, ve: Ve) -> list[Element]:
    members = (state.ves[name] for name in ve.members)
    return [
        Element("used-by", attributes={"ve-name": m.name, "ip": m.private_ip.partition("/")[0]})
        for m in members
    ]
