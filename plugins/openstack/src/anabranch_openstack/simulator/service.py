"""What the simulated services have in common: who may ask, what is answered, how it is refused."""

from __future__ import annotations

from anabranch_openstack.simulator.routing import Route, Routes
from anabranch_openstack.simulator.wire import (
    HTML,
    Refusal,
    Reply,
    Request,
    html_page,
    json_reply,
)

__all__ = ["NOT_FOUND", "TITLES", "Service", "keystone_error"]

NOT_FOUND = "The resource could not be found."
UNAUTHENTICATED = "The request you have made requires authentication."
TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


class Service:
    """One service of the cloud; the subclasses say what is particular about it."""

    def __init__(self, prefix: str, routes: Routes) -> None:
        self.prefix = prefix
        self._routes = routes

    def answer(self, request: Request) -> Reply:
        """Answer one request."""
        try:
            reply = self._answer(request)
        except Refusal as refusal:
            reply = self.refuse(request, refusal)
            reply.headers = [*reply.headers, *refusal.headers]
        self.stamp(request, reply)
        return reply

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The reply to a request that needs no token, such as for the list of versions."""
        del request, segments
        return None

    def negotiate(self, request: Request) -> None:
        """Settle which microversion the request gets."""

    def authenticate(self, request: Request) -> None:
        """Find out who asks.

        Raises:
            Refusal: Nobody known.
        """
        token = request.cloud.identity.valid_token(request.header(b"x-auth-token"), request.now)
        if token is None:
            raise Refusal(401, UNAUTHENTICATED)
        request.token = token

    def authorize(self, request: Request, route: Route) -> None:
        """Check the policy: changes need the role member.

        Raises:
            Refusal: The policy forbids the operation.
        """
        if request.method not in ("GET", "HEAD") and not request.token.may_write:
            raise self.forbidden(request, route)

    def forbidden(self, request: Request, route: Route) -> Refusal:
        """The refusal of an operation that the policy forbids."""
        del request
        return Refusal(403, f"Policy doesn't allow {route.policy} to be performed.")

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """Write a refusal in the shape of the service; 401 is the middleware's everywhere."""
        if refusal.status == 401:
            return keystone_error(request, refusal)
        return Reply(
            status=refusal.status,
            body=html_page(refusal.status, TITLES[refusal.status], refusal.message),
            content_type=HTML,
        )

    def missing(self, request: Request, segments: list[str]) -> Reply:
        """The reply to a path, or a method of a path, that the service does not have."""
        del request, segments
        return Reply(status=404, body=html_page(404, TITLES[404], NOT_FOUND), content_type=HTML)

    def stamp(self, request: Request, reply: Reply) -> None:
        """Add the headers that the service puts on everything."""
        reply.headers = [*reply.headers, ("x-openstack-request-id", request.request_id)]

    def _answer(self, request: Request) -> Reply:
        segments = request.path.strip("/").split("/")
        reply = self.open(request, segments)
        if reply is not None:
            return reply
        self.authenticate(request)
        found = self._routes.find(request.method, segments)
        if found is None:
            return self.missing(request, segments)
        self.negotiate(request)
        route, request.args = found
        if -1 < request.version < route.since:
            raise Refusal(404, NOT_FOUND)
        self.authorize(request, route)
        return route.handler(request)


def keystone_error(request: Request, refusal: Refusal) -> Reply:
    """An error in keystone's shape, which the middleware of the other services uses for 401."""
    reply = json_reply(
        {
            "error": {
                "code": refusal.status,
                "message": refusal.message,
                "title": TITLES[refusal.status],
            }
        },
        status=refusal.status,
    )
    if refusal.status == 401:
        reply.headers = [("www-authenticate", f'Keystone uri="{request.host}/identity/v3"')]
    return reply
