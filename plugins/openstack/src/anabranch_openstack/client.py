"""The session with one cloud: login, endpoints, microversions, requests, pages."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

import msgspec

from anabranch.cloud import Cloud, Response, SingleFlight, StreamedResponse, Token
from anabranch.errors import (
    InvalidRequest,
    NotFound,
    OperationNotSupported,
    ProtocolError,
)
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch_openstack.catalog import COMPUTE, Service, endpoint, offered, region_of
from anabranch_openstack.identity import Access, log_in
from anabranch_openstack.reading import listing, wrapped
from anabranch_openstack.replies import decoded, failure, request_id
from anabranch_openstack.settings import OpenStackSettings

__all__ = ["OpenStackCloud", "Session", "segment", "session"]

OpenStackCloud = Cloud[OpenStackSettings]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)
Answered = TypeVar("Answered", Response, StreamedResponse)
Microversion = tuple[int, int]
Params = Mapping[str, str | int] | Sequence[tuple[str, str | int]]

_KEY: Final = "keystone"


class _Version(msgspec.Struct, frozen=True):
    version: str = ""
    min_version: str = ""


class _VersionDocument(msgspec.Struct, frozen=True):
    version: _Version


_VERSION_DOCUMENT: Final = msgspec.json.Decoder(_VersionDocument)
_VERSION_ROOT: Final = re.compile(r"^(.*?/v\d+(?:\.\d+)?)(?:/|$)")


class Session:
    """What the collections talk through; one per cloud, see `session`."""

    def __init__(self, cloud: OpenStackCloud) -> None:
        self.cloud = cloud
        self._range: tuple[Microversion, Microversion] | None = None
        self._asking_range = SingleFlight[tuple[Microversion, Microversion]]()

    async def token(self) -> Token:
        """Return a token that has not expired; log in if there is none."""
        return await self.cloud.tokens.get(_KEY, lambda: log_in(self.cloud))

    async def access(self) -> Access:
        """Return who one is, and the catalog."""
        access: Access = (await self.token()).data
        return access

    async def offers(self, service: Service) -> bool:
        """Whether the cloud has the service."""
        return offered((await self.access()).catalog or (), service, self.cloud.settings)

    async def region(self) -> str | None:
        """Return the region that is worked in; None: the cloud names none."""
        return region_of((await self.access()).catalog or (), self.cloud.settings)

    async def request(
        self,
        service: Service,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        body: object = None,
        microversion: Microversion | None = None,
        idempotent: bool | None = None,
        hide: Iterable[str] = (),
    ) -> Response:
        """Send a request to a service and return its good reply.

        Args:
            service: Whom to ask.
            method: HTTP method.
            path: Path below the endpoint, with a leading slash; its parts are quoted already.
            params: Query parameters; in pairs where one comes several times.
            body: Document to send.
            microversion: As `microversion` returned it; None: the oldest of the service.
            idempotent: Whether sending it twice does no harm; None: by method, and DELETE and
                PUT are harmless.
            hide: Secrets in `body`, which must not show in an error.

        Raises:
            CloudError: of the class that the reply stands for.
        """
        headers = {"accept": "application/json"}
        if microversion:
            headers["openstack-api-version"] = "{} {}.{}".format(service.types[0], *microversion)
        content = None
        if body is not None:
            headers["content-type"] = "application/json"
            content = msgspec.json.encode(body)
        harmless = method in ("GET", "PUT", "DELETE") if idempotent is None else idempotent

        async def send(url: str, token: str) -> Response:
            headers["x-auth-token"] = token
            return await self.cloud.http.request(
                method,
                url + path,
                headers=headers,
                params=params,
                content=content,
                idempotent=harmless,
            )

        reply = await self.authorized(service, send)
        if reply.status >= 300:
            if reply.status == 406:
                self._range = None
            raise failure(reply, hide)
        return reply

    async def authorized(
        self, service: Service, send: Callable[[str, str], Awaitable[Answered]]
    ) -> Answered:
        """Send a request with a token, and again with another one if that is refused.

        The middleware in front refuses it, nothing runs: even a POST can be sent again.

        Args:
            service: Whom to ask.
            send: Sends it, given the URL of the service and the token.

        Raises:
            CloudError: there is no such service, the login fails, or what `send` raises.
        """
        token = await self.token()
        reply = await send(self._url(service, token), token.value.get_secret_value())
        if reply.status == 401:
            self.cloud.tokens.discard(_KEY, token)
            token = await self.token()
            reply = await send(self._url(service, token), token.value.get_secret_value())
        return reply

    def _url(self, service: Service, token: Token) -> str:
        return endpoint(token.data.catalog or (), service, self.cloud.settings)

    async def microversion(self, wanted: Microversion, least: Microversion) -> Microversion:
        """Return the newest compute microversion up to `wanted` that the cloud speaks.

        Args:
            wanted: The newest that is understood here.
            least: The oldest that will do.

        Raises:
            OperationNotSupported: what the cloud speaks is all older than `least`, or newer than
                `wanted`.
        """
        if self._range is None:
            self._range = await self._asking_range.get(self._ask_range)
        oldest, newest = self._range
        chosen = min(wanted, newest)
        if chosen < max(least, oldest):
            raise OperationNotSupported(
                "the cloud's compute API speaks {}.{} to {}.{}".format(*oldest, *newest)
                + ", and this needs {}.{} to {}.{}".format(*least, *wanted)
            )
        return chosen

    async def compute_version(self) -> str:
        """Return the newest compute microversion that the cloud speaks."""
        return "{}.{}".format(*await self.microversion((2, 9999), (2, 0)))

    async def _ask_range(self) -> tuple[Microversion, Microversion]:
        token = await self.token()
        url = self._url(COMPUTE, token)
        match = _VERSION_ROOT.match(url)
        reply = await self.cloud.http.request(
            "GET",
            f"{match[1] if match else url}/",
            headers={
                "accept": "application/json",
                "x-auth-token": token.value.get_secret_value(),
            },
        )
        if reply.status != 200:
            raise failure(reply)
        told = decoded(reply, _VERSION_DOCUMENT).version
        newest = _microversion(told.version) or (2, 1)
        return _microversion(told.min_version) or (2, 1), newest

    async def one(
        self,
        service: Service,
        path: str,
        key: str,
        *,
        reader: Reader[W],
        convert: Callable[[W, msgspec.Raw], T],
        method: str = "GET",
        body: object = None,
        idempotent: bool | None = None,
        microversion: Microversion | None = None,
    ) -> T:
        """Get, make or change one thing, and return it as the reply tells it.

        Args:
            service: Whom to ask.
            path: Path of the thing, or of the list to make it in.
            key: Key of the thing in the document; empty: it is the document.
            reader: Decodes it.
            convert: Makes the model of it and its JSON.
            method: HTTP method.
            body: Document to send.
            idempotent: As for `request`.
            microversion: As `microversion` returned it.
        """
        reply = await self.request(
            service, method, path, body=body, idempotent=idempotent, microversion=microversion
        )
        raw = decoded(reply, wrapped(key)).item if key else msgspec.Raw(reply.content)
        return convert(reader.read(raw, request_id(reply)), raw)

    async def page(
        self,
        service: Service,
        path: str,
        key: str,
        *,
        reader: Reader[W],
        convert: Callable[[W, msgspec.Raw], T | None],
        cursor: str | None = None,
        params: Mapping[str, str | int] | None = None,
        microversion: Microversion | None = None,
        paged: bool = True,
    ) -> Page[T]:
        """Get one page of a list.

        A cursor is the id of the last item, and those of the two before: a marker dies with its
        object, and then the list goes on after the one before.

        Args:
            service: Whom to ask.
            path: Path of the list.
            key: Key of the items in the document.
            reader: Decodes an item.
            convert: Makes the model of an item and its JSON; None: leave it out.
            cursor: The cursor of the page before.
            params: Filters.
            microversion: As `microversion` returned it.
            paged: Whether the service pages this list; others refuse the parameters for it.
        """
        query = dict(params or {})
        if paged:
            query["limit"] = self.cloud.settings.page_size
        markers = cursor.split(",") if cursor else []

        async def ask() -> Response:
            if markers:
                query["marker"] = markers.pop(0)
            try:
                return await self.request(
                    service, "GET", path, params=query, microversion=microversion
                )
            except (InvalidRequest, NotFound):
                if not markers:
                    raise
                return await ask()

        reply = await ask()
        page = decoded(reply, listing(key))
        items, problems = reader.read_all(page.items, convert)
        if page.marker is not None and page.marker == query.get("marker"):
            raise ProtocolError("a page leads to itself", request_id=request_id(reply))
        return Page(items, page.cursor, problems)

    async def every(
        self,
        service: Service,
        path: str,
        key: str,
        *,
        reader: Reader[W],
        convert: Callable[[W, msgspec.Raw], T | None],
        params: Mapping[str, str | int] | None = None,
    ) -> list[T]:
        """Get all pages of a list, one after the other; odd items are left out.

        The arguments are those of `page`.
        """
        items: list[T] = []
        cursor: str | None = None
        while True:
            page = await self.page(
                service,
                path,
                key,
                reader=reader,
                convert=convert,
                cursor=cursor,
                params=params,
            )
            items += page.items
            cursor = page.cursor
            if cursor is None:
                return items


def _microversion(text: str) -> Microversion | None:
    major, _, minor = text.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else None


def session(cloud: OpenStackCloud) -> Session:
    """Return the cloud's one session."""
    return cloud.local(Session)


def segment(ident: str) -> str:
    """Quote an id, as one segment of a path.

    Raises:
        NotFound: it is none that a URL can hold; `..` would lead to what is above.
    """
    try:
        quoted = quote(ident, safe="")
    except UnicodeEncodeError:
        quoted = ""
    if quoted in ("", ".", ".."):
        raise NotFound(f"nothing has the id {ident!r}")
    return quoted
