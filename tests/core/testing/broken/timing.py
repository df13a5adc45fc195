"""Drivers that hold up the others, and that do not end when they are told to."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import time
import urllib.request
from typing import ClassVar
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import sniffio
import trio

from anabranch.hooks import hookimpl

from .acme import AcmeDriver
from .acme.client import Client


class Sleeps(AcmeDriver):
    """Waits by blocking."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        time.sleep(0.1)  # noqa: ASYNC251
        return await super().list_instances(cloud, cursor, where)


class Computes(AcmeDriver):
    """Computes on the loop for as long as others would want it."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        page = await super().list_instances(cloud, cursor, where)
        hashlib.pbkdf2_hmac("sha256", repr(page).encode(), b"salt", 300_000)
        return page


class AsksByItself(AcmeDriver):
    """Asks first by a client that blocks."""

    @hookimpl
    async def list_instances(self, cloud, cursor, where):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{cloud.settings.url}/v1/", timeout=1)  # noqa: ASYNC210
        return await super().list_instances(cloud, cursor, where)


class ShieldsItself(AcmeDriver):
    """Does not let itself be cancelled while it asks."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            with anyio.CancelScope(shield=True):
                return await super().send(method, path, token, body, idempotent)


class ShieldsItsChanges(AcmeDriver):
    """Does not let itself be cancelled while it changes something."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            with anyio.CancelScope(shield=method != "GET"):
                return await super().send(method, path, token, body, idempotent)


class TidiesUpInAThread(AcmeDriver):
    """Waits, when it is cancelled, for a thread that nobody can stop."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            try:
                return await super().send(method, path, token, body, idempotent)
            except anyio.get_cancelled_exc_class():
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(time.sleep, 1.5)
                raise


class TriesOnAfterTheDeadline(AcmeDriver):
    """Takes its cancellation for a failure, and asks again."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            for _ in range(5):
                with contextlib.suppress(BaseException), anyio.CancelScope(shield=True):
                    with anyio.fail_after(0.5):
                        return await super().send(method, path, token, body, idempotent)
            return await super().send(method, path, token, body, idempotent)


class LeavesATask(AcmeDriver):
    """Goes on in the background after it has answered, or been cancelled."""

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            spawn(anyio.sleep, 30)
            return await super().send(method, path, token, body, idempotent)


class LeavesASocket(AcmeDriver):
    """Opens a connection of its own and closes it never."""

    kept: ClassVar[list[socket.socket]] = []

    class client_type(Client):
        async def send(self, method, path, token, body, idempotent):
            where = urlsplit(self.cloud.settings.url)
            LeavesASocket.kept.append(socket.create_connection((where.hostname, where.port)))
            return await super().send(method, path, token, body, idempotent)


def spawn(function, *args):
    """Start a task that belongs to nobody."""
    if sniffio.current_async_library() == "trio":
        trio.lowlevel.spawn_system_task(function, *args)
    else:
        LeavesATask.kept = asyncio.ensure_future(function(*args))
