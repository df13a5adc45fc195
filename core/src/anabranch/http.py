"""HTTP for drivers: one client per cloud. The only module that imports httpx.

No httpx type leaves it, so that another HTTP library means another version of this file. TLS is
verified unless the cloud's settings say otherwise; redirects are not followed; bodies are
bounded; a request has a deadline of its own under that of the call.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import socket
import ssl
import sys
import urllib.request
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from types import TracebackType
from typing import Final, Self, cast
from urllib.parse import quote, urlencode, urlsplit

import anyio
import anyio.to_thread
import msgspec

from anabranch.errors import (
    CloudError,
    CloudUnavailable,
    DeadlineExceeded,
    InvalidRequest,
    OutcomeUnknown,
    ProtocolError,
)
from anabranch.logs import EventLog
from anabranch.redaction import redact_url
from anabranch.retrying import RetryBudget, backoff, retry_after, worth
from anabranch.settings import CloudSettings
from anabranch.transport import BrokenConnection, ConnectFailed, ConnectionPool, Exchange, NoHttp

# httpx imports its command line, and with it click, rich and pygments, wherever those happen to
# be installed: 0.05 s of CPU for nothing. Marking that module as absent prevents it.
if "httpx" not in sys.modules:
    sys.modules["httpx._main"] = None  # type: ignore[assignment]  # pyright: ignore[reportArgumentType]
import httpx

if not sys.modules.get("httpx._main"):
    sys.modules.pop("httpx._main", None)

# Its DEBUG lines quote the headers that carry tokens. (Used behind a proxy alone.)
logging.getLogger("httpcore").setLevel(logging.INFO)

__all__ = ["HttpClient", "Response", "StreamedResponse"]

Params = Mapping[str, str | int] | Sequence[tuple[str, str | int]]

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY_STATUS: Final = frozenset({429, 502, 503, 504})
_LOST: Final = frozenset({502, 504})
"""A proxy's word for that it got no answer: the request may have been carried out."""
_HEADERS: Final[dict[str, str]] = {
    "user-agent": "anabranch",
    "accept": "*/*",
    "accept-encoding": "gzip",
}
_PORTS: Final = {"http": 80, "https": 443}
_SENT: Final = "http11.send_request_headers.started"
"""httpcore's word for that a request begins to be sent."""
_ENDED: Final = re.compile("disconnected|peer closed")
_NAMES: Final = (socket.gaierror, socket.herror, ssl.SSLError)
"""Errors whose number is none of the system's."""


class Response(msgspec.Struct, frozen=True):
    """A complete reply.

    Attributes:
        status: HTTP status, whatever it is: nothing is raised for 4xx and 5xx.
        headers: By name in lower case.
        content: The body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<Response: status {self.status}, {len(self.content)} bytes>"


class StreamedResponse(msgspec.Struct, frozen=True):
    """A reply whose body is still to come: iterate over `chunks` once.

    The chunks are as sent: what lies compressed in a bucket comes out compressed.
    """

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]

    def __repr__(self) -> str:
        return f"<StreamedResponse: status {self.status}>"


class HttpClient:
    """The HTTP client of one cloud; safe to share among tasks.

    Connections are opened when needed and kept. Requests with an idempotent method are tried
    again after a reply of 429, 502, 503 or 504 and after a lost connection, with backoff and
    jitter, `Retry-After` honoured, within the call's deadline. Others are tried again only when
    nothing was sent, or on 429.
    """

    def __init__(self, settings: CloudSettings, log: EventLog) -> None:
        self._settings, self._log = settings, log
        self._transports: dict[tuple[str, str | None], httpx.AsyncBaseTransport] = {}
        self._opening = anyio.Lock()
        self._budget = RetryBudget()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        content: bytes | AsyncIterator[bytes] | None = None,
        idempotent: bool | None = None,
        timeout: float | None = None,
    ) -> Response:
        """Send a request and return the whole reply, whatever its status.

        Args:
            method: HTTP method.
            url: Absolute URL.
            headers: Header fields to send.
            params: Query parameters, added to the URL's own.
            content: Body; an iterator is sent in chunks, and never twice.
            idempotent: Whether sending it twice does what sending it once does; None: by method
                (GET, HEAD, OPTIONS).
            timeout: Seconds for each try; None: the cloud's `request_timeout`.

        Raises:
            CloudUnavailable: no connection, or it broke.
            DeadlineExceeded: no reply in time.
            OutcomeUnknown: either of these, or a 502 or 504, after a request that is not
                idempotent was sent.
            InvalidRequest: the URL or a header cannot be sent.
            ProtocolError: the reply is too long or no HTTP.
        """
        method = method.upper()
        repeatable = content is None or isinstance(content, bytes)
        again = method in _IDEMPOTENT if idempotent is None else idempotent
        tries = self._settings.retries if repeatable else 0
        for attempt in range(tries + 1):
            failure: CloudError | None = None
            response: Response | None = None
            wait: float | None = None
            try:
                response = await self._once(method, url, headers, params, content, again, timeout)
            except CloudError as exc:
                if not exc.retryable:
                    raise
                failure = exc
            else:
                if response.status < 500 and response.status != 429:
                    self._budget.earn()
                    return response
                if response.status in _LOST and not again:
                    text = f"{_host(url)} answered {response.status}: what is behind it may have"
                    raise OutcomeUnknown(f"{text} done it", provider_code=response.status)
                if response.status not in _RETRY_STATUS or not (again or response.status == 429):
                    return response
                wait = retry_after(response.headers)
            pause = backoff(attempt) if wait is None else wait
            if attempt == tries or not worth(pause) or not self._budget.spend():
                if response is None:
                    raise failure or AssertionError
                return response
            self._log.debug("http.retry", method=method, url=redact_url(url), seconds=pause)
            await anyio.sleep(pause)
        raise AssertionError  # the last round returns or raises

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        timeout: float | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        """Send a request without body and give the reply while it arrives; never tried again.

        Args:
            method: HTTP method.
            url: Absolute URL.
            headers: Header fields to send.
            params: Query parameters.
            timeout: Seconds between two chunks; None: the cloud's `request_timeout`.

        Raises:
            CloudUnavailable: no connection, or it broke.
            DeadlineExceeded: nothing came in time.
        """
        seconds = timeout or self._settings.request_timeout
        connect = min(seconds, self._settings.connect_timeout)
        with self._translated(url):
            transport = await self._transport(url)
            request = httpx.Request(
                method,
                _with(url, params),
                headers=_headers({"accept-encoding": "identity", **(headers or {})}),
                extensions={"timeout": _limits(connect, seconds)},
            )
            reply = await transport.handle_async_request(request)
        async with _body(reply) as raw, aclosing(self._chunks(raw, url)) as chunks:
            yield StreamedResponse(reply.status_code, _lower(reply), chunks)

    async def aclose(self) -> None:
        """Close all connections; idempotent."""
        while self._transports:
            _, transport = self._transports.popitem()
            await transport.aclose()

    async def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        params: Params | None,
        content: bytes | AsyncIterator[bytes] | None,
        idempotent: bool,
        timeout: float | None,
    ) -> Response:
        most = timeout or self._settings.request_timeout
        sent = False

        async def watch(event: str, info: object) -> None:
            nonlocal sent
            sent = sent or event == _SENT

        with self._translated(url, lambda: sent and not idempotent):
            with anyio.move_on_after(most):
                transport = await self._transport(url)
                # `most` bounds all of it; the connection alone must stand sooner.
                limits = _limits(self._settings.connect_timeout, None)
                request = _request(
                    method,
                    _with(url, params),
                    _headers(headers),
                    content,
                    {"timeout": limits, "trace": watch},
                )
                reply = await transport.handle_async_request(request)
                async with _body(reply) as raw:
                    body = await self._read(reply, raw)
                return Response(reply.status_code, _lower(reply), body)
        host = _host(url)
        if not sent:
            raise DeadlineExceeded(f"no connection to {host} came free within {most:g} s")
        lost = DeadlineExceeded if idempotent else OutcomeUnknown
        raise lost(f"no reply from {host} within {most:g} s")

    async def _read(self, reply: httpx.Response, raw: AsyncIterator[bytes]) -> bytes:
        """Read and decompress, and never hold more than is allowed, however well it compresses."""
        most = room = self._settings.max_body_bytes
        coding = reply.headers.get("content-encoding", "identity").strip().lower()
        gunzip = zlib.decompressobj(wbits=31) if coding == "gzip" else None
        chunks: list[bytes] = []
        async for received in raw:
            if coding not in ("identity", "gzip", ""):
                coding = repr(coding[:20])
                raise ProtocolError(f"the reply is compressed in a way not asked for: {coding}")
            try:
                chunk = gunzip.decompress(received, room + 1) if gunzip else received
            except zlib.error as exc:
                raise ProtocolError("the reply cannot be decompressed") from exc
            room -= len(chunk)
            if room < 0:
                raise ProtocolError(
                    f"the reply is longer than {most} bytes",
                    remedy="Raise max_body_bytes if that is as it should be",
                )
            chunks.append(chunk)
        if gunzip and chunks and not gunzip.eof:
            raise ProtocolError("the reply cannot be decompressed: its end is missing")
        return b"".join(chunks)

    async def _chunks(self, raw: AsyncIterator[bytes], url: str) -> AsyncGenerator[bytes]:
        with self._translated(url):
            async for chunk in raw:
                yield chunk

    @contextmanager
    def _translated(
        self, url: str, outcome_unknown: Callable[[], bool] = lambda: False
    ) -> Generator[None]:
        """Let no exception of httpx out, and no secret: h11 quotes a header that it refuses."""
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            error = self._translate(exc, outcome_unknown(), url)
            raise error from (None if isinstance(error, InvalidRequest) else exc)
        except UnicodeEncodeError:
            text = "the request cannot be sent: a character that is none, in a header"
            raise InvalidRequest(text) from None

    async def _transport(self, url: str) -> httpx.AsyncBaseTransport:
        try:
            parts = urlsplit(url)
        except ValueError:
            raise InvalidRequest(f"{redact_url(url)!r} is no URL") from None
        proxy = self._settings.proxy or _environment_proxy(parts.scheme, parts.netloc)
        key = parts.scheme, proxy
        if (transport := self._transports.get(key)) is not None:
            return transport
        async with self._opening:
            if key not in self._transports:
                self._transports[key] = await self._open(parts.scheme, proxy)
            return self._transports[key]

    async def _open(self, scheme: str, proxy: str | None) -> httpx.AsyncBaseTransport:
        settings = self._settings
        context = _no_tls()
        if scheme == "https":
            try:
                context = await anyio.to_thread.run_sync(_tls, settings.verify, settings.cacert)
            except OSError as exc:
                msg = f"the CA file {settings.cacert!r} cannot be used: {_reason(exc)}"
                raise InvalidRequest(msg, remedy="Correct the setting 'cacert'") from exc
        if proxy is None:
            return _Transport(context, settings.max_connections)
        try:
            return httpx.AsyncHTTPTransport(
                verify=context,
                proxy=proxy,
                limits=httpx.Limits(max_connections=settings.max_connections),
            )
        except (ValueError, ImportError, httpx.InvalidURL):  # ImportError: SOCKS, not installed
            msg = f"the proxy {redact_url(proxy)!r} cannot be used"
            raise InvalidRequest(msg, remedy="Write it as http://HOST:PORT") from None

    def _translate(self, exc: Exception, outcome_unknown: bool, url: str) -> CloudError:
        host = _host(url)
        if isinstance(exc, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
            return InvalidRequest(f"{redact_url(url)!r} is no URL of an HTTP server")
        if isinstance(exc, httpx.LocalProtocolError):
            return InvalidRequest("the request cannot be sent: an illegal character in a header")
        if isinstance(exc, httpx.ConnectTimeout):
            seconds = self._settings.connect_timeout
            return CloudUnavailable(f"no connection to {host} within {seconds:g} s")
        if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
            return CloudUnavailable(f"no connection to {host}: {_reason(exc)}")
        # httpx has one class for a connection that ended too soon and for what is no HTTP.
        garbage = isinstance(exc, httpx.RemoteProtocolError) and not _ENDED.search(str(exc))
        what = "sent what is no HTTP" if garbage else "broke the connection"
        if outcome_unknown:
            return OutcomeUnknown(f"{host} {what} instead of an answer")
        if garbage:
            return ProtocolError(f"{host} {what}: {exc}")
        if isinstance(exc, httpx.TimeoutException):
            return DeadlineExceeded(f"{host} did not go on in time")
        return CloudUnavailable(f"{host} {what}: {_reason(exc)}")


class _Content(httpx.AsyncByteStream):
    """A body that is sent in chunks, as httpx wants it.

    (httpx itself would wrap it in a generator, and leave that to the garbage collector when the
    connection breaks; trio complains of that.)
    """

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._chunks


class _Reply(httpx.AsyncByteStream):
    """The body of a reply, as httpx wants it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        with _AsHttpx():
            return await anext(self._exchange)

    async def aclose(self) -> None:
        await self._exchange.aclose()


class _Transport(httpx.AsyncBaseTransport):
    """Lets httpx use our connections."""

    def __init__(self, context: ssl.SSLContext, max_connections: int) -> None:
        self._pool = ConnectionPool(context, max_connections)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url, timeout = request.url, request.extensions["timeout"]
        if url.scheme not in _PORTS or not url.host:
            raise httpx.UnsupportedProtocol("no URL of an HTTP server")
        trace = request.extensions.get("trace")

        async def started() -> None:
            if trace:
                await trace(_SENT, {})

        with _AsHttpx():
            exchange = await self._pool.request(
                (url.scheme == "https", url.host, url.port or _PORTS[url.scheme]),
                request.method.encode("ascii"),
                url.raw_path,
                request.headers.raw,
                cast("httpx.AsyncByteStream", request.stream),
                connect_timeout=timeout["connect"],
                read_timeout=timeout["read"],
                started=started,
            )
        return httpx.Response(exchange.status, headers=exchange.headers, stream=_Reply(exchange))

    async def aclose(self) -> None:
        await self._pool.aclose()


class _AsHttpx:
    """Lets the exceptions of our connections out as those that httpcore's become."""

    def __enter__(self) -> None:
        return

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if exc is None or isinstance(exc, StopAsyncIteration):
            return
        if isinstance(exc, ConnectFailed):
            late = isinstance(exc.__cause__, TimeoutError)
            raise (httpx.ConnectTimeout if late else httpx.ConnectError)("no connection") from exc
        if isinstance(exc, TimeoutError):
            raise httpx.ReadTimeout("nothing came") from exc
        if isinstance(exc, BrokenConnection):
            raise httpx.ReadError("the connection broke") from exc
        if isinstance(exc, NoHttp):
            raise httpx.RemoteProtocolError(str(exc)) from exc
        if isinstance(exc, ValueError):
            raise httpx.LocalProtocolError(str(exc)) from None


def _reason(exc: BaseException) -> str:
    """Say in few words why a connection failed: the innermost cause is the system's own."""
    inner: BaseException | None = exc
    while inner is not None:
        exc = inner
        # A group has one error for each address of the host.
        # httpcore has the error that it stands for as its argument.
        several: Sequence[object] = getattr(exc, "exceptions", exc.args)
        first = several[0] if several else None
        inner = first if isinstance(first, BaseException) else exc.__cause__
    if isinstance(exc, ssl.SSLCertVerificationError):
        return f"its TLS certificate is not trusted ({exc.verify_message})"
    number = exc.errno if isinstance(exc, OSError) and not isinstance(exc, _NAMES) else None
    if number is not None and number in errno.errorcode:
        return os.strerror(number).lower()
    return str(getattr(exc, "strerror", None) or str(exc) or type(exc).__name__)


@asynccontextmanager
async def _body(reply: httpx.Response) -> AsyncGenerator[AsyncIterator[bytes]]:
    """Give the body as sent, and close it.

    (httpx itself would decompress each chunk to whatever size it comes to.)
    """
    stream = cast("httpx.AsyncByteStream", reply.stream)
    raw = aiter(stream)
    try:
        yield raw
    finally:
        if isinstance(stream, _Reply):
            await stream.aclose()
        else:
            with anyio.move_on_after(1, shield=True):
                await stream.aclose()
                # httpcore leaves its generators to the garbage collector, and trio complains of
                # that. The connection is closed: reading on comes to the end of them all.
                with suppress(httpx.HTTPError, httpx.StreamError):
                    async for _ in raw:
                        pass


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _lower(reply: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items()}


def _with(url: str, params: Params | None) -> str:
    """Add parameters to those that the URL has; httpx would put them in the place of those."""
    if not params:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(params, quote_via=quote)}"


@lru_cache(maxsize=32)
def _tls(verify: bool, cacert: str | None) -> ssl.SSLContext:
    """One context per kind of trust: building one costs about 25 ms and blocks."""
    context = ssl.create_default_context(cafile=cacert)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1)
def _no_tls() -> ssl.SSLContext:
    """A context that trusts nobody, for plain HTTP: httpx wants one, and its own is dear."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _request(
    method: str,
    url: str,
    headers: httpx.Headers,
    content: bytes | AsyncIterator[bytes] | None,
    extensions: dict[str, object],
) -> httpx.Request:
    if content is None or isinstance(content, bytes):
        return httpx.Request(method, url, headers=headers, content=content, extensions=extensions)
    if "content-length" not in headers:
        headers["transfer-encoding"] = "chunked"
    stream = _Content(content)
    return httpx.Request(method, url, headers=headers, stream=stream, extensions=extensions)


def _headers(given: Mapping[str, str] | None) -> httpx.Headers:
    """Lay what is given over what is usual, whatever the case of the names; as UTF-8."""
    given = given or {}
    names = {name.lower() for name in given}
    usual = {name: value for name, value in _HEADERS.items() if name not in names}
    return httpx.Headers({**usual, **given}, encoding="utf-8")


def _limits(connect: float, read: float | None) -> dict[str, float | None]:
    """Timeouts in seconds, as httpx hands them to its transports."""
    return {"connect": connect, "read": read, "write": read, "pool": read}


def _environment_proxy(scheme: str, place: str) -> str | None:
    """The proxy that the environment names for `[user@]host[:port]`, if any."""
    names = [f"{scheme}_proxy", "all_proxy"]
    if "REQUEST_METHOD" not in os.environ:  # in a CGI script HTTP_PROXY is the client's header
        names += [f"{scheme}_proxy".upper(), "ALL_PROXY"]
    proxy = next((value for name in names if (value := os.environ.get(name))), None)
    if not proxy or urllib.request.proxy_bypass(place.rpartition("@")[2]):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
