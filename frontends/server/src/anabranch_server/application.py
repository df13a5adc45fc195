"""The application: Deltacloud's API at `/api`, and what stands around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from litestar import Litestar, asgi, get
from litestar.types import ASGIApp, Receive, Scope, Send

from anabranch import Broker
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

__all__ = ["application"]

_ROBOTS: Final = "User-agent: *\nDisallow: /\n"


@get("/health", sync_to_thread=False)
def health() -> dict[str, str]:
    """Tell that the server is up; it asks no cloud."""
    return {"status": "ok"}


@get("/robots.txt", media_type="text/plain", sync_to_thread=False)
def robots() -> str:
    """Keep crawlers out."""
    return _ROBOTS


def application(broker: Broker, *, public_url: str | None = None) -> ASGIApp:
    """Return the application that serves the clouds of a broker.

    Args:
        broker: Whose clouds; it is closed when the application ends.
        public_url: The address that clients know the server by; None: by each request's `Host`.
    """
    deltacloud = Deltacloud(Configured(broker), public_url=public_url)

    @asgi("/api", is_mount=True, copy_scope=True)
    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        await deltacloud(scope, receive, send)

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncGenerator[None]:
        async with broker:
            yield

    return _routable(Litestar([health, robots, api], lifespan=[lifespan], openapi_config=None))


def _routable(app: ASGIApp) -> ASGIApp:
    """Let `/api;driver=mock/realms` be found under `/api`."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ";" in scope["path"]:
            parts = (part.partition(";")[0] for part in scope["path"].split("/"))
            scope["path"] = "/".join(parts)
        await app(scope, receive, send)

    return routed
