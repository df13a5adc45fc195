"""HTTP for drivers: one client per cloud. The only module that imports httpx.

No httpx type leaves it, so that another HTTP library means another version of this file. TLS is
verified unless the cloud's settings say otherwise; redirects are not followed; bodies are
bounded; a request has a deadline of its own under that of the call.
"""

from __future__ import annotations

import random
import ssl
import sys
import urllib.request
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from functools import lru_cache
from time import time
from typing import Final
from urllib.parse import urlsplit

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
from anabranch.settings import CloudSettings

# httpx imports its command line, and with it click, rich and pygments, wherever those happen to
# be installed: 0.15 s of CPU for nothing. Marking that module as absent prevents it.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
import httpx  # noqa: E402  the line above must come first

__all__ = ["HttpClient", "Response", "StreamedResponse", "retry_after"]

Params = Mapping[str, str | int] | Sequence[tuple[str, str | int]]

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_RETRY_STATUS: Final = frozenset({429, 502, 503, 504})
_LONGEST_WAIT: Final = 30.0


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


class StreamedResponse(msgspec.Struct, frozen=True):
    """A reply whose body is still to come: iterate over `chunks` once."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


class RetryBudget:
    """Bounds the retries on one cloud: ten at once, and one more for every ten good replies."""

    __slots__ = ("_tokens",)
    _MOST: Final = 10.0

    def __init__(self) -> None:
        self._tokens = self._MOST

    def earn(self) -> None:
        """Count a good reply."""
        self._tokens = min(self._MOST, self._tokens + 0.1)

    def spend(self) -> bool:
        """Take a retry, if one is left."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class HttpClient:
    """The HTTP client of one cloud; safe to share among tasks.

    Connections are opened when needed and kept. Requests with an idempotent method are tried
    again after a reply of 429, 502, 503 or 504 and after a lost connection, with backoff and
    jitter, `Retry-After` honoured, within the call's deadline. Others are tried again only when
    nothing was sent, or on 429.
    """

    def __init__(self, settings: CloudSettings, log: EventLog) -> None:
        self._settings, self._log = settings, log
        self._clients: dict[tuple[str, str | None], httpx.AsyncClient] = {}
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
            OutcomeUnknown: either of these, after a request that is not idempotent was sent.
            InvalidRequest: the URL or a header cannot be sent.
            ProtocolError: the reply is too long or no HTTP.
        """
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
                if response.status not in _RETRY_STATUS or not (again or response.status == 429):
                    return response
                wait = retry_after(response.headers)
            pause = _backoff(attempt) if wait is None else wait
            if attempt == tries or not _worth(pause) or not self._budget.spend():
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
    ) -> AsyncIterator[StreamedResponse]:
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
        client = await self._client(url)
        limits = self._timeouts(timeout)
        try:
            async with client.stream(
                method, url, headers=_plain(headers), params=_pairs(params), timeout=limits
            ) as reply:
                yield StreamedResponse(reply.status_code, _lower(reply), reply.aiter_bytes())
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as exc:
            raise self._translate(exc, sent_may_count=False, url=url) from exc

    async def aclose(self) -> None:
        """Close all connections; idempotent."""
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

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
        try:
            with anyio.fail_after(most):
                client = await self._client(url)
                request = client.build_request(
                    method,
                    url,
                    headers=_plain(headers),
                    params=_pairs(params),
                    content=content,
                    timeout=self._timeouts(timeout),
                )
                reply = await client.send(request, stream=True)
                try:
                    body = await self._body(reply)
                finally:
                    await reply.aclose()
        except TimeoutError as exc:
            text = f"no reply within {most:g} s"
            raise (DeadlineExceeded if idempotent else OutcomeUnknown)(text) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._translate(exc, sent_may_count=not idempotent, url=url) from exc
        return Response(reply.status_code, _lower(reply), body)

    async def _body(self, reply: httpx.Response) -> bytes:
        chunks: list[bytes] = []
        room = self._settings.max_body_bytes
        async for chunk in reply.aiter_bytes():
            room -= len(chunk)
            if room < 0:
                most = self._settings.max_body_bytes
                raise ProtocolError(
                    f"the reply is longer than {most} bytes",
                    remedy="Raise max_body_bytes if that is as it should be",
                )
            chunks.append(chunk)
        return b"".join(chunks)

    async def _client(self, url: str) -> httpx.AsyncClient:
        parts = urlsplit(url)
        proxy = self._settings.proxy or _proxy(parts.scheme, parts.hostname or "")
        key = parts.scheme, proxy
        if (client := self._clients.get(key)) is not None:
            return client
        async with self._opening:
            if key not in self._clients:
                self._clients[key] = await self._open(parts.scheme, proxy)
            return self._clients[key]

    async def _open(self, scheme: str, proxy: str | None) -> httpx.AsyncClient:
        settings = self._settings
        context = _no_tls()
        if scheme == "https":
            try:
                context = await anyio.to_thread.run_sync(_tls, settings.verify, settings.cacert)
            except OSError as exc:
                msg = f"the CA file {settings.cacert!r} cannot be used: {exc}"
                raise InvalidRequest(msg, remedy="Correct the setting 'cacert'") from exc
        return httpx.AsyncClient(
            verify=context,
            proxy=proxy,
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=settings.max_connections,
                max_keepalive_connections=settings.max_connections,
                keepalive_expiry=60,
            ),
            timeout=self._timeouts(None),
            headers={"user-agent": "anabranch"},
        )

    def _timeouts(self, timeout: float | None) -> httpx.Timeout:
        seconds = timeout or self._settings.request_timeout
        return httpx.Timeout(seconds, connect=self._settings.connect_timeout, pool=None)

    def _translate(self, exc: Exception, *, sent_may_count: bool, url: str) -> CloudError:
        host = urlsplit(url).netloc.rpartition("@")[2]
        if isinstance(exc, (httpx.UnsupportedProtocol, httpx.InvalidURL)):
            return InvalidRequest(f"{redact_url(url)!r} is no URL of an HTTP server")
        if isinstance(exc, httpx.LocalProtocolError):
            return InvalidRequest("the request cannot be sent: an illegal character in a header")
        if isinstance(exc, httpx.DecodingError):
            return ProtocolError(f"{host} sent a body that cannot be decompressed")
        if isinstance(exc, httpx.ConnectTimeout):
            seconds = self._settings.connect_timeout
            return CloudUnavailable(f"no connection to {host} within {seconds:g} s")
        if isinstance(exc, (httpx.ConnectError, httpx.ProxyError)):
            return CloudUnavailable(f"no connection to {host}: {_reason(exc)}")
        if sent_may_count:
            return OutcomeUnknown(f"{host} broke the connection before it answered")
        if isinstance(exc, httpx.TimeoutException):
            return DeadlineExceeded(f"{host} did not answer in time")
        return CloudUnavailable(f"{host} broke the connection: {_reason(exc)}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read `Retry-After` (seconds, or an HTTP date), in seconds from now; None if absent."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except ValueError:
        return None


def _backoff(attempt: int) -> float:
    return min(4.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.5)


def _worth(pause: float) -> bool:
    """Whether there is time for the pause and anything after it."""
    left: float = anyio.current_effective_deadline() - anyio.current_time()
    return pause <= min(_LONGEST_WAIT, left / 2)


def _reason(exc: BaseException) -> str:
    """Say in few words why a connection failed: the innermost cause is the system's own."""
    while (inner := exc.__cause__ or exc.__context__) is not None:
        exc = inner
    text = getattr(exc, "strerror", None) or str(exc) or type(exc).__name__
    return "connection refused" if isinstance(exc, ConnectionRefusedError) else str(text)


def _lower(reply: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in reply.headers.items()}


def _plain(headers: Mapping[str, str] | None) -> dict[str, str] | None:
    return dict(headers) if headers else None


def _pairs(
    params: Params | None,
) -> list[tuple[str, str | int | float | bool | None]] | None:
    if not params:
        return None
    return list(params.items() if isinstance(params, Mapping) else params)


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


@lru_cache(maxsize=4096)
def _proxy(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for `host`, if any."""
    proxies = urllib.request.getproxies()
    if urllib.request.proxy_bypass(host):
        return None
    return proxies.get(scheme) or proxies.get("all")
