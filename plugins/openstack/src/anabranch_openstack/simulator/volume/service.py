"""Cinder's HTTP interface."""

from __future__ import annotations

import re

from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.service import Service
from anabranch_openstack.simulator.volume import snapshots, volumes
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
)

__all__ = ["VolumeService"]

_VERSION = re.compile(r"([1-9]\d*)\.([1-9]\d*|0)")
_LATEST = 71
_NAMES = {
    400: "badRequest",
    403: "forbidden",
    404: "itemNotFound",
    409: "conflictingRequest",
    413: "overLimit",
}


class VolumeService(Service):
    """Cinder v3 with microversions; the project may stand in the path."""

    def __init__(self) -> None:
        routes = Routes()
        routes.include(volumes.routes)
        routes.include(snapshots.routes)
        super().__init__("/volume", routes)

    def open(self, request: Request, segments: list[str]) -> Reply | None:
        """The versions."""
        if segments == [""]:
            request.version = 0
            return json_reply({"versions": [_version(request)]}, 300)
        if request.path == "/v3":
            self.authenticate(request)
            return Reply(
                status=302,
                content_type="text/plain; charset=utf8",
                headers=[("location", f"{request.root}/v3/")],
            )
        return None

    def negotiate(self, request: Request) -> None:
        """Read the microversion."""
        request.region.volumes.advance(request.now)
        request.version = 0
        wanted = ""
        for part in request.header(b"openstack-api-version").split(","):
            service, _, version = part.strip().partition(" ")
            if service == "volume":
                wanted = version.strip()
        if wanted == "latest":
            request.version = _LATEST
        elif wanted:
            match = _VERSION.fullmatch(wanted)
            if match is None:
                raise Refusal(
                    400,
                    f"API Version String {wanted} is of invalid format."
                    " Must be of format MajorNum.MinorNum.",
                )
            major, minor = int(match[1]), int(match[2])
            if major != 3 or minor > _LATEST:
                raise Refusal(
                    406,
                    f"Version {wanted} is not supported by the API."
                    f" Minimum is 3.0 and maximum is 3.{_LATEST}.",
                )
            request.version = minor

    def _answer(self, request: Request) -> Reply:
        segments = request.path.strip("/").split("/")
        token = request.cloud.identity.valid_token(request.header(b"x-auth-token"), request.now)
        if token is not None and len(segments) > 1 and segments[1] == token.project_id:
            request.path = "/" + "/".join([segments[0], *segments[2:]])
        if segments == ["v3"] and request.path.endswith("/"):
            self.authenticate(request)
            request.version = 0
            return json_reply({"versions": [_version(request)]})
        return super()._answer(request)

    def refuse(self, request: Request, refusal: Refusal) -> Reply:
        """One key that names the class of the error."""
        if refusal.status == 401:
            return super().refuse(request, refusal)
        name = _NAMES.get(refusal.status, "computeFault")
        fault: Document = {"code": refusal.status, "message": refusal.message}
        if refusal.status == 413:
            fault["retryAfter"] = "0"
        return json_reply({name: fault}, refusal.status)

    def stamp(self, request: Request, reply: Reply) -> None:
        """Say which microversion was used."""
        super().stamp(request, reply)
        if request.version < 0:
            return
        version = f"volume 3.{request.version}"
        reply.headers += [("openstack-api-version", version), ("vary", "OpenStack-API-Version")]


def _version(request: Request) -> Document:
    return {
        "id": "v3.0",
        "status": "CURRENT",
        "version": f"3.{_LATEST}",
        "min_version": "3.0",
        "updated": "2023-08-31T00:00:00Z",
        "links": [
            {"rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/"},
            {"rel": "self", "href": f"{request.root}/v3/"},
        ],
        "media-types": [
            {
                "base": "application/json",
                "type": "application/vnd.openstack.volume+json;version=3",
            }
        ],
    }
