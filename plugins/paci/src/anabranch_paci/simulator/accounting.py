"""What servers and balancers were like, and what they used."""

from __future__ import annotations

from collections.abc import Iterable

from anabranch_paci.simulator.lookup import find_balancer, find_ve
from anabranch_paci.simulator.markup import Element
from anabranch_paci.simulator.reading import number
from anabranch_paci.simulator.records import Event, Ve
from anabranch_paci.simulator.routing import Routes
from anabranch_paci.simulator.times import moment, timestamp
from anabranch_paci.simulator.wire import Reply, Request, xml_reply

__all__ = ["routes"]

routes = Routes()


@routes.on("GET", "/ve/{ve}/history/{count}")
def latest(request: Request, name: str, count: str) -> Reply:
    """The latest events of a server, newest first (inferred)."""
    return xml_reply(_history(find_ve(request, name), count))


@routes.on("GET", "/ve/{ve}/history/{from}/{to}")
def between(request: Request, name: str, since: str, until: str) -> Reply:
    """The events of a server between two times, newest first (inferred)."""
    ve = find_ve(request, name)
    start, end = moment(since), moment(until)
    events = [event for event in reversed(ve.history) if start <= event.at <= end]
    return xml_reply(_snapshots(ve, events))


@routes.on("GET", "/load-balancer/{lb}/history/{count}")
def latest_of_balancer(request: Request, name: str, count: str) -> Reply:
    """The latest events of a balancer."""
    return xml_reply(_history(find_balancer(request, name), count))


@routes.on("GET", "/ve/{ve}/usage/{from}/{to}")
def usage(request: Request, name: str, since: str, until: str) -> Reply:
    """What a server used between two times; names of resources and units are inferred."""
    ve = find_ve(request, name)
    start, end = max(moment(since), ve.created), min(moment(until), request.now)
    minutes = max(0, int(end - start)) // 60
    amounts = {
        "CPU": ve.cpu_number * ve.cpu_power,
        "RAM": ve.ram,
        "DISK": ve.disk.size,
        "PUBLIC_IP": len(ve.ipv4),
    }
    used = (
        Element(
            "resource-usage",
            attributes={
                "value": amount * minutes,
                "resource-usage-type": "ALLOCATED",
                "resource-type": resource,
            },
        )
        for resource, amount in amounts.items()
    )
    traffic = (
        Element("ve-traffic", attributes={"traffic-type": kind, "used": 0})
        for kind in ("PUBLIC_INCOMING", "PUBLIC_OUTGOING")
    )
    schedule = Element("active-backup-schedule", attributes={"schedule-name": ve.schedule})
    report = Element(
        "ve-resource-usage-report",
        None,
        *used,
        *traffic,
        schedule if ve.schedule else None,
        attributes={
            "ve-name": ve.name,
            "ve-id": ve.id,
            "os": ve.template.name,
            "technology": ve.template.technology,
            "life-time-in-minutes": int(request.now - ve.created) // 60,
            "is-load-balancer": False,
        },
    )
    return xml_reply(report)


def _history(ve: Ve, count: str) -> Element:
    newest_first = list(reversed(ve.history))
    return _snapshots(ve, newest_first[: number(count, "The number of events")])


def _snapshots(ve: Ve, events: Iterable[Event]) -> Element:
    return Element("ve-history", None, *(_snapshot(ve, event) for event in events))


def _snapshot(ve: Ve, event: Event) -> Element:
    return Element(
        "ve-snapshot",
        attributes={
            "cpu": event.cpu,
            "ram": event.ram,
            "local-disk": event.disk,
            "nbd": 0,
            "bandwidth": event.bandwidth,
            "last-touched-from": "API",
            "state": event.state,
            "steady-state": event.steady,
            "last-changed-by": "customer",
            "event-timestamp": timestamp(event.at),
            "no-of-public-ip": event.ipv4,
            "no-of-public-ipv6": event.ipv6,
            "is-lb": ve.is_balancer,
            "private-incoming-traffic": 0,
            "private-outgoing-traffic": 0,
            "public-incoming-traffic": 0,
            "public-outgoing-traffic": 0,
        },
    )
