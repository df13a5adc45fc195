"""Octavia's HTTP interface."""

from __future__ import annotations

from anabranch_openstack.simulator.load_balancer import balancers, children
from anabranch_openstack.simulator.routing import Route, Routes
from anabranch_openstack.simulator.service import TITLES, Service
from anabranch_openstack.simulator.wire import Document, Refusal, Reply, Request, json_reply

__all__ = ["LoadBalancerService"]


class LoadBalancerService(Service):
    """Octavia v2."""

    def __init__(self) -> None:
        routes = Routes()
        routes.include(balancers.routes)
        routes.include(children.routes)
        super().__init__("/load-balancer", routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The versions."""
        if segments == [""]:
            link = {"href": f"{request.root}/v2", "rel": "self"}
            version: Document = {
                "id": "v2.30",
                "status": "CURRENT",
                "updated": "2026-03-01T00:00:00Z",
                "links": [link],
            }
            return json_reply({"versions": [version]})
        if segments[0] == "v2.0":
            segments[0] = "v2"  # both are served, and openstacksdk asks for this one
        return None

    def negotiate(self, request: Request) -> None:
        """There are no microversions; let the servers, and so their ports, catch up."""
        request.region.compute.advance(request.now)

    def forbidden(self, request: Request, route: Route) -> Refusal:
        """The refusal of an operation that the policy forbids."""
        del request, route
        return Refusal(403, "Policy does not allow this request to be performed.")

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """An error in octavia's first shape, or in its second where it uses that."""
        if refusal.status == 401:
            return super().refuse(request, refusal)
        if refusal.kind == "description":
            return _described(refusal.status, refusal.message)
        error = {"faultcode": "Client", "faultstring": refusal.message, "debuginfo": None}
        return json_reply(error, refusal.status)

    def missing(self, request: Request, segments: list[str]) -> Reply:
        """The reply to an unknown path or method."""
        status = 405 if self._routes.knows(segments) else 404
        return _described(status, "")


def _described(status: int, text: str) -> Reply:
    title = "Bad Request" if text else TITLES[status]
    return json_reply({"code": status, "title": title, "description": text}, status)
