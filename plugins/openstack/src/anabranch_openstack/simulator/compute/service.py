"""Nova's HTTP interface: versions, microversions and the shape of its errors."""

from __future__ import annotations

import re

from anabranch_openstack.simulator.compute import (
    actions,
    attachments,
    attributes,
    flavors,
    keypairs,
    limits,
    servers,
)
from anabranch_openstack.simulator.routing import Route, Routes
from anabranch_openstack.simulator.service import Service
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
)

__all__ = ["ComputeService"]

_VERSION = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")
_NAMES = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
    413: "overLimit",
}


class ComputeService(Service):
    """Nova v2.1 with microversions."""

    def __init__(self) -> None:
        routes = Routes()
        for part in (servers, actions, attributes, attachments, flavors, keypairs, limits):
            routes.include(part.routes)
        super().__init__("/compute", routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The versions; and below no version nothing but a choice of them."""
        if segments == [""]:
            return json_reply({"versions": [_legacy(request), _current(request)]})
        if segments[0] != "v2.1":
            return json_reply({"choices": _choices(request)}, 300)
        if segments == ["v2.1"]:
            self.negotiate(request)
            describedby = {
                "rel": "describedby",
                "type": "text/html",
                "href": "http://docs.openstack.org/",
            }
            version = _current(request)
            version["links"].append(describedby)
            version["media-types"] = [_media_type("2.1")]
            return json_reply({"version": version})
        return None

    def negotiate(self, request: Request) -> None:
        """Read the microversion from either of the two headers."""
        request.region.compute.advance(request.now)
        wanted = ""
        for part in request.header(b"openstack-api-version").split(","):
            service, _, version = part.strip().partition(" ")
            if service == "compute":
                wanted = version.strip() or service
        wanted = wanted or request.header(b"x-openstack-nova-api-version").strip()
        if not wanted:
            request.version = 1
            return
        most = request.region.compute.max_version
        if wanted == "latest":
            request.version = most
            return
        match = _VERSION.fullmatch(wanted)
        if match is None:
            raise Refusal(
                400,
                f"API Version String {wanted} is of invalid format."
                " Must be of format MajorNum.MinorNum.",
            )
        major, minor = int(match[1]), int(match[2])
        if major != 2 or not 1 <= minor <= most:
            raise Refusal(
                406,
                f"Version {wanted} is not supported by the API."
                f" Minimum is 2.1 and maximum is 2.{most}.",
                headers=_version_headers(wanted),
            )
        request.version = minor

    def authorize(self, request: Request, route: Route) -> None:
        """Nothing is allowed without a project."""
        if request.token.project is None:
            raise self.forbidden(request, route)
        super().authorize(request, route)

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """One key that names the class of the error."""
        if refusal.status == 401:
            return super().refuse(request, refusal)
        name = _NAMES.get(refusal.status, "computeFault")
        fault: Document = {"code": refusal.status, "message": refusal.message}
        reply = json_reply({name: fault}, refusal.status)
        reply.content_type = "application/json; charset=UTF-8"
        return reply

    def stamp(self, request: Request, reply: Reply) -> None:
        """Say which microversion was used."""
        super().stamp(request, reply)
        reply.headers.append(("x-compute-request-id", request.request_id))
        if request.version > 0:
            reply.headers += _version_headers(f"2.{request.version}")


def _version_headers(version: str) -> tuple[tuple[str, str], ...]:
    return (
        ("openstack-api-version", f"compute {version}"),
        ("x-openstack-nova-api-version", version),
        ("vary", "OpenStack-API-Version, X-OpenStack-Nova-API-Version"),
    )


def _legacy(request: Request) -> Document:
    return {
        "id": "v2.0",
        "status": "DEPRECATED",
        "version": "",
        "min_version": "",
        "updated": "2025-07-04T12:00:00Z",
        "links": [{"rel": "self", "href": f"{request.root}/v2/"}],
    }


def _current(request: Request) -> Document:
    return {
        "id": "v2.1",
        "status": "CURRENT",
        "version": f"2.{request.region.compute.max_version}",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{request.root}/v2.1/"}],
    }


def _choices(request: Request) -> list[Document]:
    return [
        {
            "id": f"v{version}",
            "status": status,
            "links": [{"rel": "self", "href": f"{request.root}/{where}{request.path}"}],
            "media-types": [_media_type(version)],
        }
        for version, status, where in (("2.0", "DEPRECATED", "v2"), ("2.1", "CURRENT", "v2.1"))
    ]


def _media_type(version: str) -> Document:
    return {
        "base": "application/json",
        "type": f"application/vnd.openstack.compute+json;version={version.removesuffix('.0')}",
    }
