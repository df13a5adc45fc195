"""The application: Deltacloud's API at `/api`, and what stands around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, Final, TypeAlias

from litestar import Litestar, Request, Response, get
from litestar.exceptions import HTTPException

from anabranch import Broker, EventLog
from anabranch_server.access import Access
from anabranch_server.deltacloud import documents, pages
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import ALL, Backend, Configured, PassThrough
from anabranch_server.deltacloud.call import Call, Receive, Scope, Send
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.problems import Problem, nothing_here
from anabranch_server.deltacloud.refusals import refusal
from anabranch_server.deltacloud.reply import Reply

__all__ = ["ASGIApp", "application", "logged"]

ASGIApp: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]
"""Any ASGI application."""

_ROBOTS: Final = "User-agent: *\nDisallow: /\n"
_TITLE: Final = "Anabranch"
_SERVED: Final = {"api": "/api", "docs": "/api/docs", "health": "/health"}
_FOR_ALL: Final = ("/health", "/robots.txt")
_log: Final = EventLog()


def application(
    broker: Broker,
    *,
    driver: str = "",
    provider: str = "",
    allowed_providers: Sequence[str] = (),
    public_url: str | None = None,
    access: Access | None = None,
) -> ASGIApp:
    """Return an ASGI application that serves clouds as Apache Deltacloud does.

    Serve it as it is, or mount it in a program of yours; `root_path` is respected. Its lifespan
    closes the broker, and what was made of it. Where a framework does not pass the lifespan on to
    what is mounted, close the broker yourself.

    Args:
        broker: Whose clouds are served. With `driver`: whose drivers and rules are used.
        driver: Serve the clouds of this kind to accounts that come with each request, and those of
            the broker to nobody; empty: serve those of the broker to everybody who is let in.
        provider: With `driver`: the provider of requests that choose none, see the driver's
            `provider_help`.
        allowed_providers: With `driver`: further providers that requests may choose.
        public_url: The address that clients know the server by; None: that of each request's
            `Host`, which is right unless something in between changes it.
        access: Who is let in; None: everybody, but for browsers that the page of another site
            sends to change something.

    Raises:
        PluginError: the driver cannot be loaded.
        ConfigurationError: the driver takes no accounts; or providers are missing, not needed, or
            not written as they should be.
    """
    backend = (
        PassThrough(broker, driver, provider=provider, allowed=allowed_providers)
        if driver
        else Configured(broker)
    )
    public_url = public_url.rstrip("/") if public_url else None
    deltacloud = Deltacloud(backend, public_url=public_url)
    site: Any = _site(backend, public_url)
    rules = access or Access()

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await site(scope, receive, send)
            return
        path = _below(scope)
        if path not in _FOR_ALL:
            call = Call(scope, receive)
            if objection := rules.objection(call.method, call.headers):
                await refusal(call, objection).send(call, send)
                return
        is_api = path[1:].partition("/")[0].partition(";")[0] == "api"
        await (deltacloud if is_api else site)(scope, receive, send)

    return served


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

        path = "/".join(part.partition(";")[0] for part in scope["path"].split("/"))
        began = perf_counter()
        try:
            await app(scope, receive, seen)
        finally:
            elapsed = round((perf_counter() - began) * 1000, 1)
            _log.info(
                "http.request", method=scope["method"], path=path, status=status, elapsed_ms=elapsed
            )

    return served


def _site(backend: Backend, public_url: str | None) -> Litestar:
    """Return what is served beside the API."""

    @get("/", sync_to_thread=False)
    def index(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Tell what is served."""
        call = Call(request.scope, request.receive)
        base = call.root(public_url).removesuffix("/api")
        links = [{"rel": rel, "href": f"{base}{path}"} for rel, path in _SERVED.items()]
        kind = call.format()
        if kind is Format.HTML:
            driver = next(iter(backend.drivers()), ALL)
            frame = pages.Frame(f"{base}/api", f"{base}/", driver)
            body = pages.plain_page(frame, _TITLE, {"links": links})
        elif kind is Format.JSON:
            body = documents.encode({"links": links})
        else:
            rows = "".join(f"  <link href='{li['href']}' rel='{li['rel']}'/>\n" for li in links)
            body = f"<index>\n{rows}</index>\n".encode()
        return _response(Reply(200, body, kind))

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            await backend.aclose()

    return Litestar(
        [index, _health, _robots],
        lifespan=[lifespan],
        exception_handlers={HTTPException: _refused, Problem: _refused, Exception: _failed},
        openapi_config=None,
        logging_config=None,
    )


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
    _log.warning("server.fault", path=request.scope["path"], error=repr(exc))
    problem = Problem(500, "this is a fault of the server", kind="ServerFault")
    return _response(refusal(Call(request.scope, request.receive), problem))


def _response(reply: Reply) -> Response[bytes]:
    headers = dict(reply.headers)
    kind = headers.pop("Content-Type", None)
    body = reply.body if isinstance(reply.body, bytes) else b""
    return Response(body, status_code=reply.status, media_type=kind, headers=headers)


def _below(scope: Scope) -> str:
    """Return the path below where the application is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
