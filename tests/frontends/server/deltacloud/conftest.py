"""The API in this process, over clouds of memory."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from anabranch import Broker, Configuration, PluginRegistry
from anabranch_mock import driver
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured, PassThrough


def _broker(clouds: Mapping[str, Mapping[str, Any]]) -> Broker:
    """Make a broker that reads no entry points, which would block."""
    return Broker(
        Configuration(clouds=clouds), registry=PluginRegistry(drivers={"mock": driver}, points=[])
    )


def _client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://broker.test",
        headers={"Accept": "application/xml"},
    )


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """Make a client of the API over some clouds, `lisbon` if none are named; it asks for XML."""
    async with AsyncExitStack() as stack:

        def served(
            clouds: Mapping[str, Mapping[str, Any]] | None = None, *plugins: object, **options: Any
        ) -> httpx.AsyncClient:
            broker = _broker(clouds or {"lisbon": {"driver": "mock"}})
            for plugin in plugins:
                broker.register(plugin)
            client = _client(Deltacloud(Configured(broker), **options))
            stack.push_async_callback(broker.aclose)
            stack.push_async_callback(client.aclose)
            return client

        yield served


@pytest.fixture
async def pass_through() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a daemon of the mock driver that has no credentials of its own."""
    backend = PassThrough(_broker({}), "mock")
    async with _client(Deltacloud(backend)) as client:
        yield client
    await backend.aclose()
