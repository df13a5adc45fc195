"""Neutron's HTTP interface."""

from __future__ import annotations

from anabranch_openstack.simulator.network import (
    extensions,
    floating_ips,
    groups,
    networks,
    ports,
    routers,
    rules,
)
from anabranch_openstack.simulator.routing import Route, Routes
from anabranch_openstack.simulator.service import NOT_FOUND, Service
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
)

__all__ = ["NetworkService"]

_MALFORMED = (
    "The server could not comply with the request since it is either malformed or otherwise"
    " incorrect."
)


class NetworkService(Service):
    """Neutron v2.0."""

    def __init__(self) -> None:
        routes = Routes()
        for part in (networks, ports, floating_ips, routers, groups, rules, extensions):
            routes.include(part.routes)
        super().__init__("/network", routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The versions."""
        if segments == [""]:
            link = {"rel": "self", "href": f"{request.root}/v2.0/"}
            version: Document = {"id": "v2.0", "status": "CURRENT", "links": [link]}
            return json_reply({"versions": [version]})
        return None

    def negotiate(self, request: Request) -> None:
        """There are no microversions; let the servers, and so their ports, catch up."""
        request.region.compute.advance(request.now)

    def forbidden(self, request: Request, route: Route) -> Refusal:
        """The refusal of an operation that the policy forbids."""
        del request
        return Refusal(
            403, f"rule:{route.policy} is disallowed by policy", kind="PolicyNotAuthorized"
        )

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """An error with a type that is meant to be tested."""
        if refusal.status == 401:
            return super().refuse(request, refusal)
        error = {
            "type": refusal.kind or "HTTPBadRequest",
            "message": refusal.message,
            "detail": "",
        }
        return json_reply({"NeutronError": error}, refusal.status)

    def missing(self, request: Request, segments: list[str]) -> Reply:
        """The reply to an unknown path or method."""
        if segments[0] != "v2.0":
            return super().missing(request, segments)
        if self._routes.knows(segments):
            return self.refuse(request, Refusal(405, _MALFORMED, kind="HTTPMethodNotAllowed"))
        return self.refuse(request, Refusal(404, NOT_FOUND, kind="HTTPNotFound"))
