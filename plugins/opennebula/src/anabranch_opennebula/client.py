"""The session with one cloud: calls, who one is, which version it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

import anyio
import anyio.to_thread

from anabranch.cloud import Cloud, Response, SingleFlight, retry_after
from anabranch.errors import CloudError, NotFound, OutcomeUnknown, ProtocolError, error_class
from anabranch_opennebula.reading import Thing, Unreadable, integer
from anabranch_opennebula.replies import fault_error, payload, without_secret
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.xml import parsed
from anabranch_opennebula.xmlrpc import Fault, Value, decode, document_of, encode

__all__ = ["Identity", "OpenNebulaCloud", "Session", "number_of", "session"]

OpenNebulaCloud = Cloud[OpenNebulaSettings]

T = TypeVar("T")
Parameter = str | int | bool

_INLINE: Final = 32 * 1024
"""Bytes of a reply that are parsed on the loop: that takes less than a thread costs."""
_MOST_DIGITS: Final = 9
_LONGEST_PAGE: Final = 2000
_LONGEST_SAID: Final = 200
_TAGS: Final = re.compile(r"<[^>]*>")


class Identity(NamedTuple):
    """Who one is: user and groups."""

    uid: int
    name: str
    group: str


class Session:
    """What the collections talk through; one per cloud, see `session`.

    Attributes:
        cloud: The cloud.
        rewriting: Held while something is read, changed and written back as a whole.
    """

    def __init__(self, cloud: OpenNebulaCloud) -> None:
        self.cloud = cloud
        self.rewriting = anyio.Lock()
        settings = cloud.settings
        password = settings.password
        self._secret = password.get_secret_value() if password else ""
        self._login = f"{settings.username or ''}:{self._secret}"
        self._version: str | None = None
        self._asking_version = SingleFlight[str]()

    async def change(self, method: str, *parameters: Parameter, idempotent: bool = False) -> int:
        """Call a method that changes something, and return the id that it answers.

        Args:
            method: Its name, without the `one.` before all names.
            *parameters: What it takes after the session.
            idempotent: Whether calling it twice does no harm: then it is called again when the
                connection breaks.

        Raises:
            CloudError: of the class that the refusal stands for.
            OutcomeUnknown: the answer was lost, or cannot be understood.
        """
        reply = await self._send(method, parameters, idempotent)
        try:
            return self._id_in(method, reply.content)
        except ProtocolError as exc:
            if idempotent:
                raise
            raise OutcomeUnknown(
                f"one.{method} was answered, but not understandably: {exc.message}"
            ) from exc

    async def read(
        self,
        convert: Callable[[Thing], T],
        method: str,
        *parameters: Parameter,
    ) -> T:
        """Call a method that answers a document, and return what `convert` makes of that.

        A long one is parsed and converted in a thread, so `convert` must not touch the loop.

        Raises:
            CloudError: of the class that the refusal stands for.
        """
        reply = await self._send(method, parameters, idempotent=True)

        def digest() -> T:
            content = document_of(reply.content)
            if content is None:
                value = self._payload(method, reply.content)
                if not isinstance(value, str):
                    raise ProtocolError(f"one.{method} answered no document")
                content = value.encode(errors="replace")
            try:
                return convert(Thing(parsed(content), content))
            except Unreadable as exc:
                raise ProtocolError(f"one.{method} answered {exc}") from exc

        if len(reply.content) <= _INLINE:
            return digest()
        return await anyio.to_thread.run_sync(digest)

    async def version(self) -> str:
        """Return the version of OpenNebula (`7.4.0`); asked for once."""
        if self._version is None:
            self._version = await self._asking_version.get(self._ask_version)
        return self._version

    async def identity(self) -> Identity:
        """Return who one is. Of the rest of that document nothing may be shown: it has secrets."""
        return await self.read(_identity, "user.info", -1)

    async def _ask_version(self) -> str:
        reply = await self._send("system.version", (), idempotent=True)
        return str(self._payload("system.version", reply.content)).strip()

    async def _send(
        self, method: str, parameters: tuple[Parameter, ...], idempotent: bool
    ) -> Response:
        settings = self.cloud.settings
        reply = await self.cloud.http.request(
            "POST",
            settings.endpoint,
            headers={"content-type": "text/xml"},
            content=encode(f"one.{method}", (self._login, *parameters)),
            idempotent=idempotent,
        )
        if reply.status != 200:
            raise _no_answer(reply, settings.endpoint, self._secret)
        return reply

    def _id_in(self, method: str, content: bytes) -> int:
        value = self._payload(method, content)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ProtocolError(f"one.{method} answered no id")
        return value

    def _payload(self, method: str, content: bytes) -> Value:
        try:
            return payload(decode(content), self._secret)
        except Fault as fault:
            raise fault_error(fault, f"one.{method}", self._secret) from None


def _no_answer(reply: Response, endpoint: str, hide: str) -> CloudError:
    """Not oned's, which answers what it refuses with 200: a proxy's, or another server's."""
    if reply.status == 404:
        return ProtocolError(
            f"there is no XML-RPC at {endpoint}",
            provider_code=404,
            remedy="Correct the setting 'endpoint'; its path is mostly /RPC2",
        )
    text = without_secret(reply.text, hide)[:_LONGEST_PAGE]
    said = " ".join(_TAGS.sub(" ", text).split())[:_LONGEST_SAID]
    return error_class(reply.status)(
        f"status {reply.status} instead of an answer: {said}",
        provider_code=reply.status,
        retry_after=retry_after(reply.headers),
    )


def _identity(document: Thing) -> Identity:
    user = document.element
    uid = integer(user.findtext("ID"))
    if uid is None:
        raise ProtocolError("OpenNebula does not tell who the user is")
    return Identity(uid, user.findtext("NAME") or str(uid), user.findtext("GNAME") or "")


def session(cloud: OpenNebulaCloud) -> Session:
    """Return the cloud's one session."""
    return cloud.local(Session)


def number_of(ident: str, what: str) -> int:
    """Return an id as the number that oned wants.

    Raises:
        NotFound: it is none, so there is no such thing.
    """
    if not (ident.isascii() and ident.isdigit() and len(ident) <= _MOST_DIGITS):
        raise NotFound(f"there is no {what} {ident!r}")
    return int(ident)
