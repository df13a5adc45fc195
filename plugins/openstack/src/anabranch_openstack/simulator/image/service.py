"""Glance's HTTP interface."""

from __future__ import annotations

from html import escape

from anabranch_openstack.simulator.image import images
from anabranch_openstack.simulator.routing import Route
from anabranch_openstack.simulator.service import NOT_FOUND, TITLES, Service
from anabranch_openstack.simulator.wire import (
    HTML,
    Document,
    Refusal,
    Reply,
    Request,
    html_page,
    json_reply,
)

__all__ = ["ImageService"]

_UNAUTHORIZED = (
    "This server could not verify that you are authorized to access the document you requested."
    " Either you supplied the wrong credentials (e.g., bad password), or your browser does not"
    " understand how to supply the credentials required."
)


class ImageService(Service):
    """Glance v2."""

    def __init__(self) -> None:
        super().__init__("/image", images.routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The versions; and below no version nothing but a choice of them."""
        if segments == ["versions"]:
            return json_reply({"versions": _versions(request)})
        if segments[0] != "v2":
            return json_reply({"versions": _versions(request)}, 300)
        if request.path == "/v2":
            location = f"{request.root}/v2/"
            return Reply(
                status=302,
                content_type="text/plain; charset=utf8",
                headers=[("location", location)],
            )
        return None

    def negotiate(self, request: Request) -> None:
        """There are no microversions; let the images catch up."""
        request.region.images.advance(request.now, request.cloud.behaviour.state_delay)

    def forbidden(self, request: Request, route: Route) -> Refusal:
        """The refusal of an operation that the policy forbids."""
        del request
        return Refusal(403, f"You are not authorized to complete {route.policy} action.")

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """Errors are HTML, also for JSON clients."""
        message = refusal.message
        if refusal.status == 401:
            message = _UNAUTHORIZED
        reply = Reply(
            status=refusal.status,
            body=html_page(refusal.status, TITLES[refusal.status], escape(message, quote=True)),
            content_type=HTML,
        )
        if refusal.status == 401:
            reply.headers = [("www-authenticate", f'Keystone uri="{request.host}/identity/v3"')]
        return reply

    def missing(self, request: Request, segments: list[str]) -> Reply:
        """The reply to an unknown path or method."""
        status = 405 if self._routes.knows(segments) else 404
        message = "" if status == 405 else NOT_FOUND
        return Reply(
            status=status, body=html_page(status, TITLES[status], message), content_type=HTML
        )


def _versions(request: Request) -> list[Document]:
    links = [{"rel": "self", "href": f"{request.root}/v2/"}]
    return [
        {"id": f"v2.{minor}", "status": "SUPPORTED" if minor < 18 else "CURRENT", "links": links}
        for minor in (18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
    ]
