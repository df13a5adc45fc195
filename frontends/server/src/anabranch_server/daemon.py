"""Runs an application behind uvicorn, until a signal ends it."""

from __future__ import annotations

import errno
import gc
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from anabranch import AnabranchError, ConfigurationError, EventLog
from anabranch_server.application import ASGIApp

__all__ = ["listen", "serve"]

_CONNECTIONS: Final = 1000
_IDLE: Final = 75
"""Seconds that a connection is kept for the next request."""
_GRACE: Final = 10
"""Seconds that requests under way may take when the daemon ends."""
_HEAD_BYTES: Final = 64 * 1024
_HEAD_SECONDS: Final = 20.0
_REST_SECONDS: Final = 10.0
"""Seconds that a body may go on after its answer, which is not read any more."""
_UNREAD_SECONDS: Final = 300.0
"""Seconds that a client may leave an answer unread."""
_UPGRADE: Final = "_unsupported_upgrade_warning"
_WORDS: Final = {
    errno.EADDRINUSE: "is in use. Choose another: --port 0 takes any that is free",
    errno.EACCES: "may not be used by you. Choose one above 1023: --port",
}


def listen(host: str, port: int) -> socket.socket:
    """Listen at an address.

    Args:
        host: Address, or a name of this machine; of several addresses the first.
        port: Port; 0: any that is free.

    Raises:
        ConfigurationError: this machine has no such address.
        AnabranchError: the port is in use, or is not to be had.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address, family=family, backlog=2048)
    except OSError as exc:
        if exc.errno in _WORDS:
            raise AnabranchError(f"port {port} of {host} {_WORDS[exc.errno]}") from None
        raise ConfigurationError(f"{host!r}: {exc.strerror}", field="--host") from None


def serve(
    app: ASGIApp,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    certificate: str | None = None,
    key: str | None = None,
) -> None:
    """Serve an application until SIGINT or SIGTERM, and raise that signal again.

    Requests that are under way then have 10 seconds; what is left is cancelled. A second SIGINT
    ends at once.

    The garbage collector is told that what is loaded by now is no garbage, and to wait for more of
    it: documents are many small objects that live shortly and in no cycles, and to look for cycles
    among them cost 10 % of the CPU of lists as XML, 35 % as JSON.

    Args:
        app: The application.
        listener: Where to serve it; it is closed.
        ready: Called once, when it is served.
        certificate: File of a certificate, with its chain: serve it by TLS.
        key: File of its key; None: in the same.

    Raises:
        ConfigurationError: the certificate cannot be used.
        KeyboardInterrupt: at SIGINT.
    """
    config = uvicorn.Config(
        app,
        loop="auto",
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_GRACE,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as exc:
        listener.close()
        raise ConfigurationError(
            f"certificate and key cannot be used: {exc.strerror or exc}", field="--tls-cert"
        ) from None
    _log_of_uvicorn()
    _allow_open_files()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 50)
    _Server(config, ready).run([listener])


class _Server(uvicorn.Server):
    """Tells when it serves."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()


class _Protocol(HttpToolsProtocol):
    """HTTP/1.1 with bounds for what is no body, which uvicorn has for h11 alone, and for slowness.

    Otherwise anybody could fill the memory with a header or trailer that does not end, or keep all
    connections busy: with heads that do not come, with what comes after an answer, or with answers
    that are not read.
    """

    _unseen = 0
    """Bytes since the last of a body, or the last end of a head or message."""
    _timer: Any = None
    _unread: Any = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        if self._unread:
            self._unread.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_head()

    def on_headers_complete(self) -> None:
        self._timer.cancel()
        self._unseen = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unseen = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._timer.cancel()
        self._unseen = 0
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._unseen += len(data)
        super().data_received(data)
        if self._unseen > _HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("The head of the request is too large.")

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body:
            self._limit(_REST_SECONDS)
        self._expect_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._expect_reading()

    def _expect_reading(self) -> None:
        if self._unread:
            self._unread.cancel()
        if self.transport.get_write_buffer_size():
            self._unread = self.loop.call_later(_UNREAD_SECONDS, self._cut)

    def _cut(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _expect_head(self) -> None:
        self._limit(_HEAD_SECONDS)

    def _limit(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self.timeout_keep_alive_handler)


class _Forward(logging.Handler):
    """Lets what uvicorn has to say be one of our events.

    Tracebacks are left out: the application logs its own bugs, and that the lifespan was cancelled
    is what a second Ctrl-C means. So is that nobody upgrades to HTTP/2, as clients may ask.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._log = EventLog()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        expected = message.startswith("Traceback") or record.funcName == _UPGRADE
        if not record.exc_info and not expected:
            self._log.warning("http.server", message=message)


def _log_of_uvicorn() -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.handlers, logger.propagate = [_Forward()], False


def _allow_open_files() -> None:
    """Take as many sockets as the system lets us: clients' and clouds'."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
