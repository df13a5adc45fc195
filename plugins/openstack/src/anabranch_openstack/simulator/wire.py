"""Requests, replies and refusals as the simulated services see them."""

from __future__ import annotations

import re
import time
import uuid
from typing import TYPE_CHECKING, Any, TypeGuard, cast
from urllib.parse import parse_qsl, urlencode

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anabranch_openstack.simulator.identity.records import Token
    from anabranch_openstack.simulator.state import Region, State

__all__ = [
    "Document",
    "Refusal",
    "Reply",
    "Request",
    "compact_time",
    "html_page",
    "is_list",
    "is_uuid",
    "json_reply",
    "precise_time",
]

Document = dict[str, Any]
"""A JSON object on its way out."""

JSON = "application/json"
HTML = "text/html; charset=UTF-8"

_encode = msgspec.json.Encoder().encode
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")


class Reply(msgspec.Struct, kw_only=True):
    """A whole HTTP reply; `headers` have lower-case names."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: list[tuple[str, str]] = []


class Refusal(Exception):
    """A request is refused; every service writes it in its own shape.

    Args:
        status: The status code.
        message: What the service says.
        kind: The class of the error, where the service names one (neutron's `type`).
        headers: Further headers.
    """

    def __init__(
        self,
        status: int,
        message: str,
        kind: str = "",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.headers = headers


class Request:
    """One request to one service.

    Attributes:
        cloud: The state of the whole simulated cloud.
        region: The state of the region whose service is asked.
        method: The HTTP method.
        path: The path below the service's prefix.
        args: What stood in the placeholders of the route.
        host: Scheme and authority, from the Host header, as real services do it.
        root: The URL of the service, `host` and prefix.
        token: Who asks; only set for requests that need a token.
        version: The minor microversion in use; -1 as long as none is settled.
        request_id: What `x-openstack-request-id` says.
        now: The time at which the request is answered, seconds since the epoch.
    """

    __slots__ = (
        "_body",
        "_headers",
        "_query",
        "_raw_query",
        "args",
        "cloud",
        "host",
        "method",
        "now",
        "path",
        "region",
        "request_id",
        "root",
        "token",
        "version",
    )

    token: Token

    def __init__(
        self,
        cloud: State,
        region: Region,
        method: str,
        path: str,
        prefix: str,
        raw_query: bytes,
        headers: Mapping[bytes, bytes],
        body: bytes,
        scheme: str,
    ) -> None:
        self.cloud = cloud
        self.region = region
        self.method = method
        self.path = path
        self.args: tuple[str, ...] = ()
        self.host = f"{scheme}://{headers.get(b'host', b'localhost').decode('latin-1')}"
        self.root = self.host + prefix
        self.version = -1
        self.request_id = f"req-{uuid.uuid4()}"
        self.now = cloud.clock()
        self._raw_query = raw_query
        self._query: list[tuple[str, str]] | None = None
        self._headers = headers
        self._body = body

    @property
    def query(self) -> list[tuple[str, str]]:
        """The query parameters in their order."""
        if self._query is None:
            text = self._raw_query.decode("latin-1")
            self._query = parse_qsl(text, keep_blank_values=True) if text else []
        return self._query

    @property
    def body(self) -> bytes:
        """The body as it came."""
        return self._body

    def header(self, name: bytes) -> str:
        """A header, or the empty string."""
        return self._headers.get(name, b"").decode("latin-1")

    def headers(self) -> list[tuple[str, str]]:
        """All headers, with lower-case names."""
        return [(n.decode("latin-1"), v.decode("latin-1")) for n, v in self._headers.items()]

    def param(self, name: str) -> str | None:
        """The first query parameter of that name."""
        return next((value for key, value in self.query if key == name), None)

    def params(self, name: str) -> list[str]:
        """All query parameters of that name."""
        return [value for key, value in self.query if key == name]

    def query_with(self, name: str, value: str) -> str:
        """The query with one parameter replaced, encoded."""
        return urlencode([(k, v) for k, v in self.query if k != name] + [(name, value)])

    def json(self) -> Any:
        """The body read as JSON.

        Raises:
            ValueError: It is not JSON.
        """
        return msgspec.json.decode(self._body)

    def wants(self, key: str, malformed: str = "Malformed request body") -> Document:
        """The object below the one key that the body must have.

        Raises:
            Refusal: There is none.
        """
        try:
            body = self.json()
        except ValueError as error:
            raise Refusal(400, malformed) from error
        if not isinstance(body, dict):
            raise Refusal(400, malformed)
        document = cast("Document", body)
        if key not in document:
            raise Refusal(400, f"'{key}' is a required property")
        inner = document[key]
        if not isinstance(inner, dict):
            raise Refusal(
                400,
                f"Invalid input for field/attribute {key}. Value: {inner}."
                f" {inner!r} is not of type 'object'",
            )
        return cast("Document", inner)


def json_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    """Encode a reply; header names are written with underscores."""
    return Reply(
        status=status,
        body=_encode(document),
        headers=[(name.replace("_", "-"), value) for name, value in headers.items()],
    )


def html_page(status: int, title: str, message: str) -> bytes:
    """The page webob writes for an error."""
    heading = f"{status} {title}"
    return (
        f"<html>\n <head>\n  <title>{heading}</title>\n </head>\n <body>\n"
        f"  <h1>{heading}</h1>\n  {message}<br /><br />\n\n\n\n </body>\n</html>"
    ).encode()


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a piece of JSON is an array."""
    return isinstance(value, list)


def is_uuid(text: object) -> bool:
    """Whether this is a UUID in a spelling that OpenStack takes."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def compact_time(moment: float) -> str:
    """Time as nova, neutron and glance write it: `2026-11-22T15:21:13Z`."""
    return _calendar(moment) + "Z"


def precise_time(moment: float | None) -> str | None:
    """Time as nova's and cinder's database columns look: microseconds and no zone."""
    return None if moment is None else _calendar(moment) + f".{int(moment % 1 * 1e6):06d}"


def _calendar(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))
