"""Rules by which servers grow and shrink by themselves; nothing here ever grows."""

from __future__ import annotations

from http import HTTPStatus

from anabranch_paci.simulator.documents import autoscale_document
from anabranch_paci.simulator.lookup import find_ve
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.reading import attribute_number, number, required
from anabranch_paci.simulator.records import AutoscaleRule
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.times import moment
from anabranch_paci.simulator.wire import (
    Reply,
    Request,
    bad_request,
    conflict,
    text_reply,
    xml_reply,
)

__all__ = ["routes"]

_METRICS = ("cpu", "ram")

routes = Routes()


@routes.on("GET", "/ve/{ve}/autoscale")
def show(request: Request, name: str) -> Reply:
    """The rules of a server."""
    return xml_reply(autoscale_document(find_ve(request, name)))


@routes.on("POST", "/ve/{ve}/autoscale")
def create(request: Request, name: str) -> Reply:
    """Give rules to a server that has none; that others are refused is inferred."""
    ve = find_ve(request, name)
    rules = _rules(request, 1)
    if ve.autoscale:
        raise conflict(f"{name} has autoscale rules: replace or delete them")
    ve.autoscale = rules
    return xml_reply(autoscale_document(ve))


@routes.on("PUT", "/ve/{ve}/autoscale")
def replace(request: Request, name: str) -> Reply:
    """Put rules in the place of what a server has."""
    ve = find_ve(request, name)
    version = max((rule.version for rule in ve.autoscale), default=0) + 1
    ve.autoscale = _rules(request, version)
    return xml_reply(autoscale_document(ve))


@routes.on("DELETE", "/ve/{ve}/autoscale")
def delete(request: Request, name: str) -> Reply:
    """Take all rules away."""
    find_ve(request, name).autoscale = []
    return text_reply("Autoscale rules deleted", HTTPStatus.OK)


@routes.on("GET", "/ve/{ve}/autoscale/history/{count}")
def latest(request: Request, name: str, count: str) -> Reply:
    """What became of the rules lately: nothing."""
    find_ve(request, name)
    number(count, "The number of events")
    return xml_reply(Element("resource-consumption-and-autoscale-history"))


@routes.on("GET", "/ve/{ve}/autoscale/history/{from}/{to}")
def between(request: Request, name: str, since: str, until: str) -> Reply:
    """What became of the rules between two times: nothing."""
    find_ve(request, name)
    moment(since)
    moment(until)
    return xml_reply(Element("resource-consumption-and-autoscale-history"))


def _rules(request: Request, version: int) -> list[AutoscaleRule]:
    elements = request.document("autoscale-data").all("autoscale-rule")
    return [_rule(element, version, request.now) for element in elements]


def _rule(element: Element, version: int, now: float) -> AutoscaleRule:
    metric = element.get("metric") or ""
    if metric not in _METRICS:
        raise bad_request(f"metric of <autoscale-rule> is one of {', '.join(_METRICS)}")
    limits, thresholds = required(element, "limits"), required(element, "thresholds")
    up, down = required(thresholds, "up"), required(thresholds, "down")
    return AutoscaleRule(
        metric=metric,
        version=version,
        updated=now,
        allow_migration=element.get("allow-migration") == "true",
        allow_restart=element.get("allow-restart") == "true",
        minimum=attribute_number(limits, "min"),
        maximum=attribute_number(limits, "max"),
        step=attribute_number(limits, "step"),
        up=(attribute_number(up, "threshold"), attribute_number(up, "period")),
        down=(attribute_number(down, "threshold"), attribute_number(down, "period")),
    )
