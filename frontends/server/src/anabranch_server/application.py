"""The application: Deltacloud's API at `/api`, and what stands around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Final, Self, TypeAlias
from urllib.parse import quote, unquote

from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException

from anabranch import Broker, EventLog
from anabranch_server.access import Access
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Backend, Configured, PassThrough
from anabranch_server.deltacloud.call import Call, Receive, Scope, Send
from anabranch_server.deltacloud.documents.markup import DECLARATION
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.refusals import refusal
from anabranch_server.deltacloud.rendering import page
from anabranch_server.deltacloud.reply import Reply, signature
from anabranch_server.problems import Problem, nothing_here

__all__ = ["ASGIApp", "Application", "logged"]

ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Any ASGI application."""

_ROBOTS: Final = "User-agent: *\nDisallow: /\n"
_TITLE: Final = "Anabranch"
_SERVED: Final = {"api": "/api", "docs": "/api/docs", "health": "/health"}
_FOR_ALL: Final = ("/health", "/robots.txt")
_log: Final = EventLog()


class Application:
    """Clouds as Apache Deltacloud served them: an ASGI application.

    Serve it as it is, or mount it in a program of yours; `root_path` is respected. Its lifespan
    closes the broker, and what was made of it. Where a framework does not pass the lifespan on to
    what is mounted, as most do not, close it yourself: it is an async context manager.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        driver: str = "",
        provider: str = "",
        allowed_providers: Sequence[str] = (),
        public_url: str = "",
        access: Access | None = None,
        allow_run: bool = False,
    ) -> None:
        """Take what to serve, and to whom. A driver may be loaded, which blocks.

        Args:
            broker: Whose clouds are served. With `driver`: whose drivers and rules are used.
            driver: Serve the clouds of this kind to accounts that come with each request, and
                those of the broker to nobody; empty: serve those of the broker.
            provider: With `driver`: the provider of requests that choose none; see the driver's
                `provider_help`.
            allowed_providers: With `driver`: further providers that requests may choose.
            public_url: The address that clients know it by; empty: that of each request's `Host`,
                which is right unless something in between changes it.
            access: Who is let in; None: everybody, but for browsers that the page of another site
                sends to change something.
            allow_run: Whether clients may run commands on instances, by SSH from here; that needs
                `anabranch-server[ssh]`.

        Raises:
            PluginError: the driver cannot be loaded.
            ConfigurationError: the driver takes no accounts; or providers are missing, not needed,
                or not written as they should be.
        """
        self._backend: Backend = (
            PassThrough(broker, driver, provider=provider, allowed=allowed_providers)
            if driver
            else Configured(broker)
        )
        self._public_url = public_url.rstrip("/") or None
        self._access = access or Access()
        self._deltacloud = Deltacloud(
            self._backend, public_url=self._public_url, allow_run=allow_run
        )
        self._site: Any = self._beside()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] != "http":
            await self._site(scope, receive, send)
            return
        scope = _whole(scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        objection = self._access.objection(scope["method"], scope["headers"])
        if objection and path not in _FOR_ALL:
            call = Call(scope, receive)
            await refusal(call, objection).send(call, send)
            return
        if path[1:].partition("/")[0].partition(";")[0] == "api":
            await self._deltacloud(scope, receive, send)
        else:  # a server sends no body to HEAD, so that it may have the same answer as GET
            method = "GET" if scope["method"] == "HEAD" else scope["method"]
            await self._site({**scope, "method": method}, receive, send)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, and the broker; idempotent."""
        await self._backend.aclose()

    def _beside(self) -> Litestar:
        """Return what is served beside the API."""

        @get("/", sync_to_thread=False)
        def index(request: Request[Any, Any, Any]) -> Response[bytes]:
            """Tell what is served."""
            call = Call(request.scope, request.receive)
            kind = call.format()
            base = call.root(self._public_url).removesuffix("/api")
            links = [{"rel": rel, "href": f"{base}{path}"} for rel, path in _SERVED.items()]
            if kind is Format.HTML:
                frame = pages.Frame(f"{base}/api", f"{base}/", "")
                return _response(page(pages.plain_page(frame, _TITLE, {"links": links})))
            if kind is Format.JSON:
                return _response(Reply(200, documents.encode({"links": links}), kind))
            lines = [f"  <link href='{li['href']}' rel='{li['rel']}' />\n" for li in links]
            body = f"{DECLARATION}<index>\n{''.join(lines)}</index>\n".encode()
            return _response(Reply(200, body, kind))

        @asynccontextmanager
        async def lifespan(app: Litestar) -> AsyncGenerator[None]:
            async with self:
                yield

        return Litestar(
            [index, _health, _robots],
            lifespan=[lifespan],
            before_send=[_signed],
            exception_handlers={HTTPException: _refused, Problem: _refused, Exception: _failed},
            openapi_config=None,
            logging_config=None,
        )


def _whole(scope: Scope) -> Scope:
    """Return a scope whose paths begin with `root_path`, as ASGI has it.

    Some programs take off the path where an application is mounted. Litestar is one, and tells it
    nowhere but in `raw_path`.
    """
    path, root = scope["path"], scope.get("root_path", "")
    raw = scope.get("raw_path") or quote(path).encode()
    told = unquote(raw.partition(b"?")[0].decode("latin-1")).rstrip("/")
    if not root:
        if not told.endswith(rest := path.rstrip("/")) or told == rest:
            return scope
        root = told[: len(told) - len(rest)]
    elif _is_below(path, root):
        return scope
    if not _is_below(told, root):
        raw = quote(root).encode() + raw
    return {**scope, "root_path": root, "path": root + path, "raw_path": raw}


def _is_below(path: str, root: str) -> bool:
    return f"{path}/".startswith(f"{root}/")


def logged(app: ASGIApp) -> ASGIApp:
    """Return an application that logs its requests: method, path, status and milliseconds.

    Neither queries nor matrix parameters nor headers are logged: they may hold secrets.
    """

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        status = 0

        async def seen(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        path = Call(scope, receive).url
        began = perf_counter()
        try:
            await app(scope, receive, seen)
        finally:
            elapsed = round((perf_counter() - began) * 1000, 1)
            _log.info(
                "http.request", method=scope["method"], path=path, status=status, elapsed_ms=elapsed
            )

    return served


@get("/health", sync_to_thread=False)
def _health() -> dict[str, str]:
    """Tell that the server is up; it asks no cloud."""
    return {"status": "ok"}


@get("/robots.txt", media_type="text/plain", sync_to_thread=False)
def _robots() -> str:
    """Keep crawlers out."""
    return _ROBOTS


def _refused(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    call = Call(request.scope, request.receive)
    if isinstance(exc, HTTPException) and exc.status_code not in (404, 405):
        exc = Problem(exc.status_code, exc.detail)
    return _response(refusal(call, exc if isinstance(exc, Problem) else nothing_here(call.url)))


def _failed(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    _log.warning("bug", path=Call(request.scope, request.receive).url, error=type(exc).__name__)
    problem = Problem(500, "this is a fault of the server", kind="ServerFault")
    return _response(refusal(Call(request.scope, request.receive), problem))


def _response(reply: Reply) -> Response[bytes]:
    headers = dict(reply.headers)
    kind = headers.pop("Content-Type", "")
    body = reply.body if isinstance(reply.body, bytes) else b""
    if kind.startswith("text/"):  # to which the framework adds it
        kind = kind.removesuffix("; charset=utf-8")
    return Response(body, status_code=reply.status, media_type=kind, headers=headers)


async def _signed(message: Any, scope: Scope) -> None:
    """Add the headers that the API's replies have by themselves, and the server leaves out."""
    if message["type"] == "http.response.start":
        message["headers"] = [*signature(), *message["headers"]]
