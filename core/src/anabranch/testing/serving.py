"""Serves simulated clouds on loopback from one thread of the calling process."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the server is uvicorn, which is asyncio only
import contextlib
import importlib.util
import socket
import struct
import threading
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

import uvicorn
from uvicorn.server import ServerState

from anabranch.testing.middleware import CUT

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["serve"]

_BACKLOG = 512
_LINGER_ZERO = struct.pack("ii", 1, 0)


class _Served(Protocol):
    """What serving needs of a simulated cloud."""

    @property
    def name(self) -> str: ...
    @property
    def app(self) -> ASGIApp: ...


@contextlib.contextmanager
def serve(
    clouds: Iterable[_Served], *, refuse: Collection[str] = (), port: int | None = None
) -> Generator[dict[str, str]]:
    """Serve simulated clouds, each at a port of its own, while the block runs.

    One server with one event loop runs in one background thread, so the block may itself belong
    to asyncio, to trio or to no loop. When it ends, requests that still hang are cancelled.

    Args:
        clouds: Whom to serve; their names must differ.
        refuse: Names of clouds whose port nobody listens at.
        port: Port of the first cloud, the others have those after it; None: any that are free.

    Yields:
        The base URL of every cloud, by name, without a trailing slash.

    Raises:
        ValueError: Two clouds have one name, or `refuse` names an unknown cloud.
        OSError: A port is taken, or there is none of that number.
    """
    by_name: dict[str, _Served] = {}
    for cloud in clouds:
        if cloud.name in by_name:
            raise ValueError(f"two simulated clouds are called {cloud.name!r}")
        by_name[cloud.name] = cloud
    if unknown := sorted(set(refuse) - set(by_name)):
        raise ValueError(f"no simulated cloud is called {', '.join(unknown)}")
    _allow_open_files(8 * len(by_name) + 256)
    with contextlib.ExitStack() as stack:
        urls: dict[str, str] = {}
        listening: dict[int, ASGIApp] = {}
        sockets: list[socket.socket] = []
        for index, (name, cloud) in enumerate(by_name.items()):
            bound = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            _bind(bound, port + index if port else 0)
            number: int = bound.getsockname()[1]
            urls[name] = f"http://127.0.0.1:{number}"
            if name not in refuse:  # a port that is bound but not listened at refuses everyone
                listening[number] = cloud.app
                sockets.append(bound)
        stack.enter_context(_Server(_ByPort(listening), sockets).running())
        yield urls


def _bind(bound: socket.socket, port: int) -> None:
    if port:  # what an earlier run left in TIME_WAIT is no reason to refuse
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(("127.0.0.1", port))
    except OverflowError:
        raise OSError(f"there is no port {port}") from None
    except OSError as exc:
        raise OSError(exc.errno, f"port {port} of 127.0.0.1: {exc.strerror}") from exc


class _ByPort:
    """Sends every request to the cloud whose port it came in at."""

    def __init__(self, apps: dict[int, ASGIApp]) -> None:
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # only the end of the server cancels
            await self._apps[scope["server"][1]](scope, receive, send)


class _Server:
    """Uvicorn's HTTP protocol on many sockets, in a thread, and quiet.

    `uvicorn.Server` itself is not used: it configures logging for the whole process, and its end
    waits for clients that do not go.
    """

    def __init__(self, app: ASGIApp, sockets: list[socket.socket]) -> None:
        self._config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            timeout_keep_alive=60,
            http="httptools" if importlib.util.find_spec("httptools") else "h11",
        )
        self._sockets = sockets
        self._state = ServerState()
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @contextlib.contextmanager
    def running(self) -> Generator[None]:
        self._config.load()
        thread = threading.Thread(target=self._run, name="anabranch-simulators", daemon=True)
        thread.start()
        self._ready.wait()
        try:
            if self._failure is not None:
                raise self._failure
            yield
        finally:
            if self._loop is not None and self._stop is not None:
                with contextlib.suppress(RuntimeError):  # the loop is closed: it failed to start
                    self._loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._main())
        except BaseException as error:  # raised again in the thread that waits for it
            self._failure = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        servers = [
            await self._loop.create_server(self._protocol, sock=bound, backlog=_BACKLOG)
            for bound in self._sockets
        ]
        self._ready.set()
        try:
            while not self._stop.is_set():
                self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), 1)
        finally:
            for server in servers:
                server.close()
            for connection in list(self._state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
            await asyncio.sleep(0)  # hanging requests have now heard that their client is gone
            tasks = list(self._state.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _protocol(self) -> asyncio.Protocol:
        state: dict[str, Any] = {}
        make = cast("Callable[..., Any]", self._config.http_protocol_class)
        protocol = make(config=self._config, server_state=self._state, app_state=state)
        protocol.access_log = False
        state[CUT] = partial(_cut, protocol)
        return cast("asyncio.Protocol", protocol)


def _cut(protocol: Any) -> None:
    transport = protocol.transport
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
    transport.abort()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # an optional gain
    except ImportError:
        return None
    return uvloop.new_event_loop


def _allow_open_files(number: int) -> None:
    try:
        import resource  # absent on Windows
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
