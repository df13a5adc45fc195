"""The session with one Acme cloud: login, requests, pages, errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from anabranch.cloud import Cloud, Response, Token, retry_after
from anabranch.errors import CloudError, InvalidState, ProtocolError, QuotaExceeded, error_class
from anabranch.paging import Page
from anabranch.reading import Reader
from anabranch.redaction import SecretStr

from . import wire
from .settings import AcmeSettings

__all__ = ["AcmeCloud", "Client", "segment"]

AcmeCloud = Cloud[AcmeSettings]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)

_TOKEN: Final = "acme"
_NARROWER: Final[dict[str, type[CloudError]]] = {
    "quota": QuotaExceeded,
    "wrong_state": InvalidState,
}


class Client:
    """What the hooks talk through; one per cloud."""

    def __init__(self, cloud: AcmeCloud) -> None:
        self.cloud = cloud

    async def token(self) -> Token:
        """Return the token in use; log in if there is none."""
        return await self.cloud.tokens.get(_TOKEN, self.log_in)

    async def log_in(self) -> Token:
        settings = self.cloud.settings
        secret = settings.password.get_secret_value()
        reply = await self.cloud.http.request(
            "POST",
            f"{settings.url}/v1/login",
            content=msgspec.json.encode({"user": settings.user, "password": secret}),
            idempotent=True,
        )
        login = self.read(self.good(reply), wire.Login)
        return Token(value=SecretStr(login.token), lifetime=login.expires_in)

    async def request(
        self, method: str, path: str, *, body: object = None, idempotent: bool | None = None
    ) -> bytes:
        """Send a request, with a new token if that is refused, and return its good reply."""
        token = await self.token()
        reply = await self.send(method, path, token, body, idempotent)
        if reply.status == 401:
            self.cloud.tokens.discard(_TOKEN, token)
            reply = await self.send(method, path, await self.token(), body, idempotent)
        return self.good(reply)

    async def send(
        self, method: str, path: str, token: Token, body: object, idempotent: bool | None
    ) -> Response:
        return await self.cloud.http.request(
            method,
            self.cloud.settings.url + path,
            headers={"authorization": f"Bearer {token.value.get_secret_value()}"},
            content=None if body is None else msgspec.json.encode(body),
            idempotent=idempotent,
        )

    def good(self, reply: Response) -> bytes:
        if reply.status >= 300:
            raise self.failure(reply)
        return reply.content

    def failure(self, reply: Response) -> CloudError:
        """Return the error that a reply stands for."""
        try:
            told = wire.decoded(reply.content, wire.Failure).error
        except msgspec.DecodeError:
            told = wire.Problem(message=f"the cloud answered {reply.status}")
        kind = _NARROWER.get(told.code) or error_class(reply.status)
        return kind(
            told.message,
            provider_code=told.code or reply.status,
            retry_after=retry_after(reply.headers),
        )

    def read(self, content: bytes, kind: type[W]) -> W:
        """Read a document.

        Raises:
            ProtocolError: it is none of that kind.
        """
        try:
            return wire.decoded(content, kind)
        except msgspec.DecodeError as exc:
            raise ProtocolError(f"the reply is no {kind.__name__}: {exc}") from exc

    async def one(
        self,
        method: str,
        path: str,
        kind: type[W],
        convert: Callable[[str, W], T],
        *,
        body: object = None,
        idempotent: bool | None = None,
    ) -> T:
        """Get, make or change one thing, and return it as the reply tells it."""
        content = await self.request(method, path, body=body, idempotent=idempotent)
        return convert(self.cloud.name, self.read(content, kind))

    async def page(
        self, path: str, cursor: str | None, kind: type[W], convert: Callable[[str, W], T]
    ) -> Page[T]:
        """Get one page of a list; a cursor is the query of the link to the next."""
        content = await self.request("GET", f"{path}?{cursor}" if cursor else path)
        found = self.read(content, _listing(path))
        items, problems = Reader(kind).read_all(
            found.items, lambda item, _: convert(self.cloud.name, item)
        )
        return Page(items, urlsplit(found.next).query if found.next else None, problems)


def _listing(path: str) -> Any:
    """The type of a page: its items are under the last word of the path."""
    word = path.rpartition("/")[2]
    return msgspec.defstruct(
        "Listing",
        [("items", Sequence[msgspec.Raw]), ("next", str | None, None)],
        rename={"items": word},
    )


def segment(ident: str) -> str:
    """Return an id as one part of a path."""
    return quote(ident, safe="")
