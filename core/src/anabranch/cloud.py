"""What a hook receives: one configured account at one endpoint."""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar, cast

import anyio
import msgspec

from anabranch.http import HttpClient, Response, StreamedResponse
from anabranch.logs import EventLog
from anabranch.redaction import SecretStr
from anabranch.retrying import retry_after
from anabranch.settings import CloudSettings

__all__ = [
    "Cloud",
    "HttpClient",
    "Response",
    "SingleFlight",
    "StreamedResponse",
    "Token",
    "TokenStore",
    "retry_after",
]

S_co = TypeVar("S_co", bound=CloudSettings, covariant=True)
T = TypeVar("T")

_LONGEST_MARGIN = 120.0


class SingleFlight(Generic[T]):
    """Makes what many tasks ask for at once only once.

    Those who ask while it is being made wait, and share the value or the failure. If the task
    that makes it is cancelled, one of those who wait makes it instead. Nothing is kept for
    those who ask later.
    """

    __slots__ = ("_flight",)

    def __init__(self) -> None:
        self._flight: _Flight[T] | None = None

    async def get(self, make: Callable[[], Awaitable[T]]) -> T:
        """Return the value that is being made, or that `make` makes now.

        Raises:
            Exception: whatever `make` raises, for all who wait.
        """
        while (flight := self._flight) is not None:
            await flight.done.wait()
            if flight.failure is not None:
                raise _another(flight.failure)
            if flight.values:
                return flight.values[0]
        flight = self._flight = _Flight[T]()
        try:
            value = await make()
        except Exception as exc:
            # A copy, before anybody adds to it where it happened: for each task that is its own.
            flight.failure = _another(exc)
            raise
        else:
            flight.values.append(value)
            return value
        finally:
            self._flight = None
            flight.done.set()


def _another(exc: Exception) -> Exception:
    """Return a copy, to be raised in another task: a traceback grows each time that it is raised.

    An exception that does not let itself be copied is returned as it is.
    """
    try:
        other = copy.copy(exc)
    except Exception:
        return exc
    other.__cause__ = exc.__cause__
    return other


class _Flight(Generic[T]):
    __slots__ = ("done", "failure", "values")

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.failure: Exception | None = None
        self.values: list[T] = []


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What a login gives.

    Attributes:
        value: The token itself.
        lifetime: Seconds that it is good for, by the cloud's own clock; None: until refused.
        data: Whatever else came with it (a service catalogue).
    """

    value: SecretStr
    lifetime: float | None = None
    data: Any = None

    def __repr__(self) -> str:
        return f"<Token: lifetime {self.lifetime}>"


class TokenStore:
    """The tokens of one cloud: got once however many tasks need one, kept until they expire.

    A token counts as expired a little early: 120 s, or a quarter of its life if that is less.
    """

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Token, float]] = {}
        self._logins: dict[Hashable, SingleFlight[Token]] = {}

    async def get(self, key: Hashable, login: Callable[[], Awaitable[Token]]) -> Token:
        """Return the token held under `key`, or the one that `login` gets.

        Raises:
            Exception: whatever `login` raises, for all tasks that wait for it.
        """
        if (token := self._current(key)) is not None:
            return token
        flight = self._logins.setdefault(key, SingleFlight[Token]())

        async def log_in() -> Token:
            token = await login()
            life = float("inf") if token.lifetime is None else token.lifetime
            margin = min(_LONGEST_MARGIN, life / 4)
            now = anyio.current_time()
            self._held = {k: held for k, held in self._held.items() if now < held[1]}
            self._held[key] = token, now + life - margin
            self._logins.pop(key, None)
            return token

        try:
            return await flight.get(log_in)
        except Exception:
            self._logins.pop(key, None)
            raise

    def discard(self, key: Hashable, token: Token) -> None:
        """Forget a token that was refused, unless another has taken its place already."""
        held = self._held.get(key)
        if held and held[0] is token:
            del self._held[key]

    def _current(self, key: Hashable) -> Token | None:
        held = self._held.get(key)
        if held and anyio.current_time() < held[1]:
            return held[0]
        return None


class Cloud(Generic[S_co]):
    """One configured account at one endpoint; what every operation hook receives first.

    Drivers keep no state of their own: what must outlive a call is kept here, with `local`.

    Attributes:
        name: Its name in the configuration.
        kind: The kind of its driver.
        settings: The driver's settings for it.
        http: Its HTTP client.
        log: Emits events that name it.
        tokens: Its login tokens.
    """

    __slots__ = ("_locals", "http", "kind", "log", "name", "settings", "tokens")

    def __init__(self, name: str, settings: S_co) -> None:
        self.name, self.settings = name, settings
        self.kind = settings.driver
        self.log = EventLog(cloud=name, driver=self.kind)
        self.http = HttpClient(settings, self.log)
        self.tokens = TokenStore()
        self._locals: dict[object, object] = {}

    def local(self, factory: Callable[[Cloud[S_co]], T]) -> T:
        """Return this cloud's one object made by `factory`, which is called at the first use.

        For what a driver keeps per cloud: a session, a catalogue, a bounded cache. `factory` is a
        function of a module or a class: it is the key, and a lambda would be another each time.
        """
        if factory not in self._locals:
            self._locals[factory] = factory(self)
        return cast("T", self._locals[factory])

    async def aclose(self) -> None:
        """Close its connections; idempotent."""
        self._locals.clear()
        await self.http.aclose()

    def __repr__(self) -> str:
        return f"Cloud({self.name!r}, kind={self.kind!r})"
