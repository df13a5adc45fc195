"""The session with one cloud: paths, requests, documents."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import anyio

from anabranch.cloud import Cloud, Response
from anabranch.errors import NotFound, OutcomeUnknown, ProtocolError
from anabranch.redaction import SecretStr
from anabranch_paci.markup import Node, document, read
from anabranch_paci.replies import failure, is_html
from anabranch_paci.settings import PaciSettings

__all__ = ["PaciCloud", "Session", "session"]

PaciCloud = Cloud[PaciSettings]

_ROOT: Final = "/paci/v1.0"
_IDEMPOTENT: Final = frozenset({"GET", "PUT", "DELETE"})


class Session:
    """What the collections talk through; one per cloud, see `session`.

    Attributes:
        cloud: The cloud.
        endpoint: URL of the API, without a slash at its end.
        details: Lets so many details of lists be asked for at once, whoever asks.
        firewalls: Held while rules are read and written back: the platform replaces all of them.
    """

    def __init__(self, cloud: PaciCloud) -> None:
        settings = cloud.settings
        self.cloud = cloud
        self.endpoint = settings.endpoint.rstrip("/")
        if not urlsplit(self.endpoint).path:
            self.endpoint += _ROOT
        self.details = anyio.CapacityLimiter(settings.detail_concurrency)
        self.firewalls = anyio.Lock()
        login = f"{settings.username}:{settings.password.get_secret_value()}".encode()
        self._basic = SecretStr(base64.b64encode(login).decode())

    async def get(
        self, *path: str, roots: Iterable[str], params: Mapping[str, str] | None = None
    ) -> tuple[Node, bytes]:
        """Get a document, and the bytes that it is made of.

        Args:
            *path: Segments of the path below the endpoint, not quoted.
            roots: Names that its root may have.
            params: Query parameters.

        Raises:
            CloudError: of the class that the reply stands for.
        """
        reply = await self._send("GET", path, params=params)
        root = await self._document(reply, roots)
        return root, reply.content

    async def act(
        self,
        method: str,
        *path: str,
        body: Node | None = None,
        idempotent: bool | None = None,
    ) -> bool:
        """Ask for a change whose answer is a line of text, and tell whether one was needed.

        Args:
            method: HTTP method.
            *path: Segments of the path, not quoted.
            body: Document to send.
            idempotent: Whether sending it twice does no harm; None: by method, and PUT and
                DELETE are harmless.

        Raises:
            CloudError: of the class that the reply stands for.
        """
        reply = await self._send(method, path, body=body, idempotent=idempotent)
        if reply.status != 304 and is_html(reply):
            raise self._strange(method, idempotent)
        return reply.status != 304

    async def make(
        self,
        *path: str,
        body: Node | None = None,
        idempotent: bool = False,
        hide: Iterable[str] = (),
    ) -> str | None:
        """Post what is answered by a `pwd-response`, and return the password in it, if any.

        A line of text in its place is understood too: it tells no password.

        Args:
            *path: Segments of the path, not quoted.
            body: Document to send.
            idempotent: Whether sending it twice does no harm.
            hide: Secrets in `body`, which must not show in an error.

        Raises:
            OutcomeUnknown: the answer was lost, or is none of PACI's.
            CloudError: of the class that the reply stands for.
        """
        reply = await self._send("POST", path, body=body, idempotent=idempotent, hide=hide)
        if is_html(reply):
            raise self._strange("POST", idempotent)
        if reply.content.lstrip()[:1] != b"<":
            return None
        try:
            return (await read(reply.content)).value("password")
        except ProtocolError:
            raise self._strange("POST", idempotent) from None

    def url(self, path: Iterable[str]) -> str:
        """Return the URL of a path, its segments quoted in full.

        Raises:
            NotFound: a segment is a name that no URL can hold, so that nothing is there.
        """
        return "/".join((self.endpoint, *map(_segment, path)))

    async def _send(
        self,
        method: str,
        path: Iterable[str],
        *,
        params: Mapping[str, str] | None = None,
        body: Node | None = None,
        idempotent: bool | None = None,
        hide: Iterable[str] = (),
    ) -> Response:
        headers = {"authorization": f"Basic {self._basic.get_secret_value()}"}
        content = None
        if body is not None:
            headers["content-type"] = "application/xml"
            content = document(body)
        reply = await self.cloud.http.request(
            method,
            self.url(path),
            headers=headers,
            params=params,
            content=content,
            idempotent=method in _IDEMPOTENT if idempotent is None else idempotent,
        )
        if reply.status >= 300 and reply.status != 304:
            ours = self._basic.get_secret_value(), self.cloud.settings.password.get_secret_value()
            raise failure(reply, (*hide, *ours))
        return reply

    async def _document(self, reply: Response, roots: Iterable[str]) -> Node:
        if is_html(reply):
            raise ProtocolError("the reply is a page for a person, not PACI's")
        root = await read(reply.content)
        if root.tag not in roots:
            wanted = " or ".join(f"<{name}>" for name in roots)
            raise ProtocolError(f"the reply is <{root.tag[:40]}>, not {wanted}")
        return root

    @staticmethod
    def _strange(method: str, idempotent: bool | None) -> ProtocolError | OutcomeUnknown:
        text = "what answered is not PACI"
        harmless = method in _IDEMPOTENT if idempotent is None else idempotent
        if harmless:
            return ProtocolError(text)
        return OutcomeUnknown(f"{text}: it may have happened or not")


def session(cloud: PaciCloud) -> Session:
    """Return the cloud's one session."""
    return cloud.local(Session)


def _segment(name: str) -> str:
    if name in ("", ".", ".."):
        raise NotFound(f"nothing can be addressed by the name {name!r}")
    try:
        return quote(name, safe="")
    except UnicodeEncodeError:
        raise NotFound(f"nothing can be addressed by the name {name!r}") from None
