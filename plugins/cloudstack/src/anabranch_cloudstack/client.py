"""The session with one cloud: signed requests, pages, jobs, and what is asked once and kept."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, TypeVar

import anyio.to_thread
import msgspec

from anabranch.cloud import Cloud, Response, SingleFlight
from anabranch.errors import (
    AuthenticationError,
    CloudError,
    InvalidRequest,
    NotFound,
    OperationNotSupported,
    OutcomeUnknown,
    ProtocolError,
)
from anabranch.paging import ItemProblem, Page
from anabranch_cloudstack import jobs
from anabranch_cloudstack.reading import Reader
from anabranch_cloudstack.replies import decoded, envelope, failure
from anabranch_cloudstack.settings import CloudStackSettings
from anabranch_cloudstack.signature import signed_body

__all__ = ["Accepted", "CloudStackCloud", "Parameters", "Session", "session"]

CloudStackCloud = Cloud[CloudStackSettings]
Parameters = Mapping[str, str | int | bool | None]

T = TypeVar("T")
W = TypeVar("W", bound=msgspec.Struct)

_FORM: Final = {
    "content-type": "application/x-www-form-urlencoded",
    "accept": "application/json",
}
_LARGE: Final = 256 * 1024
"""Bytes above which a reply is read in a thread: 1 MB of machines takes some 20 ms."""
_MOST_PAGES: Final = 1000
_NUMBER: Final = re.compile(r"\d+")


class Accepted(msgspec.Struct, frozen=True):
    """What is told of a change: the new object's id, or the job that does it, or the result.

    Attributes:
        body: The whole answer.
        id: Id of what is being made.
        jobid: The job; None: it is done already.
    """

    body: msgspec.Raw
    id: str | None = None
    jobid: str | None = None

    @property
    def made(self) -> str:
        """The id of what is being made.

        Raises:
            OutcomeUnknown: it is not told.
        """
        if self.id is None:
            raise OutcomeUnknown("what is being made is not told", remedy="Look for it")
        return self.id


class _Accepted(msgspec.Struct, frozen=True):
    id: str | None = None
    jobid: str | int | None = None


class _Api(msgspec.Struct, frozen=True):
    name: str = ""


class _Apis(msgspec.Struct, frozen=True):
    api: list[_Api] = []


_ACCEPTED: Final = msgspec.json.Decoder(_Accepted)
_APIS: Final = msgspec.json.Decoder(_Apis)


class Session:
    """What the collections talk through; one per cloud, see `session`."""

    def __init__(self, cloud: CloudStackCloud) -> None:
        self.cloud = cloud
        self._page_size = cloud.settings.page_size
        self._apis: frozenset[str] | None = None
        self._asking_apis = SingleFlight[frozenset[str]]()

    @property
    def project(self) -> dict[str, str]:
        """The parameters that put what is made where it belongs."""
        project_id = self.cloud.settings.project_id
        return {"projectid": project_id} if project_id else {}

    @property
    def scope(self) -> dict[str, str]:
        """The parameters that say whose things a list shows."""
        return {**self.project, "listall": "true"} if self.cloud.settings.list_all else self.project

    async def ask(self, command: str, parameters: Parameters | None = None) -> msgspec.Raw:
        """Ask for something, again if need be, and return what the answer holds.

        Raises:
            CloudError: of the class that the reply stands for.
        """
        return envelope(await self._reply(command, parameters or {}, idempotent=True))

    async def change(
        self,
        command: str,
        parameters: Parameters,
        *,
        idempotent: bool = False,
        hide: Iterable[str] = (),
    ) -> Accepted:
        """Ask for a change, and return what is told as soon as it is accepted.

        Args:
            command: The command.
            parameters: Its parameters; those that are None are left out.
            idempotent: Whether asking for it twice does no harm.
            hide: Secrets among the parameters.

        Raises:
            OutcomeUnknown: the answer was lost, or cannot be understood.
            CloudError: of the class that the reply stands for.
        """
        reply = await self._reply(command, parameters, idempotent=idempotent, hide=hide)
        try:
            body = envelope(reply)
            told = decoded(body, _ACCEPTED)
        except ProtocolError as exc:
            raise OutcomeUnknown(f"{command} was answered, but not understandably") from exc
        return Accepted(body, told.id, None if told.jobid is None else str(told.jobid))

    async def carry_out(
        self,
        command: str,
        parameters: Parameters,
        *,
        idempotent: bool = False,
        hide: Iterable[str] = (),
    ) -> msgspec.Raw:
        """Ask for a change, wait until it is done, and return its result; as for `change`."""
        accepted = await self.change(command, parameters, idempotent=idempotent, hide=hide)
        return await self.done(command, accepted, hide)

    async def done(self, command: str, accepted: Accepted, hide: Iterable[str] = ()) -> msgspec.Raw:
        """Wait until a change that was accepted is done, and return its result.

        Raises:
            OutcomeUnknown: it did not end in time, or nobody knows it any more.
            CloudError: it failed, of the class that its code stands for.
        """
        if accepted.jobid is None:
            return accepted.body
        return await jobs.result(self, command, accepted.jobid, hide)

    async def one(
        self,
        command: str,
        parameters: Parameters,
        *,
        reader: Reader[W],
        convert: Callable[[W, msgspec.Raw], T],
        what: str,
    ) -> T:
        """Get the one thing that a list with these filters shows.

        Args:
            command: The list command.
            parameters: Its filters.
            reader: Decodes an item.
            convert: Makes the model of an item and its JSON.
            what: The thing, for the error.

        Raises:
            NotFound: there is none, or it is not to be seen.
        """
        found = reader.listing(await self.ask(command, parameters)).items
        if not found:
            raise NotFound(f"there is no {what}")
        return convert(reader.read(found[0]), found[0])

    async def page(
        self,
        command: str,
        *,
        reader: Reader[W],
        convert: Callable[[W, msgspec.Raw], T | None],
        cursor: str | None = None,
        parameters: Parameters | None = None,
    ) -> Page[T]:
        """Get one page of a list. A cursor is the number of the page, their size and the count.

        When fewer are counted than before, what stood behind what is gone has moved forward, maybe
        to a page that was read. So it goes back as far, and gives some items again.

        Args:
            command: The list command.
            reader: Decodes an item.
            convert: Makes the model of an item and its JSON; None: leave it out.
            cursor: The cursor of the page before.
            parameters: Filters.
        """
        number, size, before = _place(cursor) if cursor else (1, self._page_size, 0)
        while True:
            reply, number, size = await self._page_reply(command, parameters or {}, number, size)
            read = partial(_read_page, reply, reader, convert)
            large = len(reply.content) > _LARGE
            items, problems, rows, count = await anyio.to_thread.run_sync(read) if large else read()
            if count is None and not rows:  # an empty page has no count
                count = (number - 1) * size
            gone = 0 if count is None else before - count
            if gone <= 0 or number == 1:
                break
            number, before = max(1, number - math.ceil(gone / size)), before - gone
        more = number * size < count if count is not None else rows == size
        following = f"{number + 1}.{size}.{count or 0}" if rows and more else None
        return Page(items, following, problems)

    async def everything(
        self,
        command: str,
        *,
        reader: Reader[W],
        convert: Callable[[W, msgspec.Raw], T | None],
        parameters: Parameters | None = None,
    ) -> Page[T]:
        """Get all pages of a list that must be seen whole, as one."""
        items: list[T] = []
        problems: list[ItemProblem] = []
        cursor: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self.page(
                command, reader=reader, convert=convert, cursor=cursor, parameters=parameters
            )
            items += page.items
            problems += page.problems
            cursor = page.cursor
            if cursor is None:
                return Page(items, None, problems)
        raise ProtocolError(f"{command} has no end")

    async def apis(self) -> frozenset[str]:
        """Return the names of the commands that the key may run; asked once and kept.

        Raises:
            CloudError: it cannot be told.
        """
        if self._apis is None:
            self._apis = await self._asking_apis.get(self._ask_apis)
        return self._apis

    async def _page_reply(
        self, command: str, parameters: Parameters, number: int, size: int
    ) -> tuple[Response, int, int]:
        """Ask for a page, or for the smaller one that it begins with; return which, too."""
        try:
            return await self._page_of(command, parameters, number, size), number, size
        except InvalidRequest as exc:
            most = _allowed(exc, size)
            if most is None:
                raise
            # The operator lowered default.page.size: known from now on.
            self._page_size = min(most, self._page_size)
            number, size = (number - 1) * size // most + 1, most
            return await self._page_of(command, parameters, number, size), number, size

    async def _page_of(
        self, command: str, parameters: Parameters, number: int, size: int
    ) -> Response:
        fields = {**parameters, "page": number, "pagesize": size}
        return await self._reply(command, fields, idempotent=True)

    async def _ask_apis(self) -> frozenset[str]:
        reply = await self._reply("listApis", {}, idempotent=True)
        return await anyio.to_thread.run_sync(_read_apis, reply)

    async def _reply(
        self,
        command: str,
        parameters: Parameters,
        *,
        idempotent: bool,
        hide: Iterable[str] = (),
    ) -> Response:
        settings = self.cloud.settings
        fields = {"command": command}
        fields.update({k: _text(v) for k, v in parameters.items() if v is not None})
        body = signed_body(
            fields,
            key=settings.key,
            secret=settings.secret,
            lifetime=settings.signature_lifetime,
        )
        # Reads by POST too: a URL has at most 8 KiB, and would show the key in logs on the way.
        reply = await self.cloud.http.request(
            "POST", settings.endpoint, headers=_FORM, content=body, idempotent=idempotent
        )
        if reply.status == 200:
            return reply
        secrets = (settings.key.get_secret_value(), settings.secret.get_secret_value())
        error = failure(reply, [*secrets, *hide])
        if isinstance(error, AuthenticationError) and command != "listApis":
            error = await self._unknown(command) or error
        raise error

    async def _unknown(self, command: str) -> CloudError | None:
        """Tell a command that the cloud has not from a key that it refuses: both are 401."""
        try:
            known = command in await self.apis()
        except CloudError:
            return None
        return None if known else OperationNotSupported(f"this cloud has no command {command}")


def _place(cursor: str) -> tuple[int, int, int]:
    number, size, count = cursor.split(".")
    return int(number), int(size), int(count)


def _allowed(refusal: InvalidRequest, size: int) -> int | None:
    """Return the greatest page that the refusal of a greater one names; None: it is another."""
    if "pagesize" not in refusal.message.lower().replace(" ", ""):
        return None
    named = [int(digits) for digits in _NUMBER.findall(refusal.message)]
    return max((n for n in named if 0 < n < size), default=None)


def _read_page(
    reply: Response, reader: Reader[W], convert: Callable[[W, msgspec.Raw], T | None]
) -> tuple[list[T], list[ItemProblem], int, int | None]:
    listing = reader.listing(envelope(reply))
    items, problems = reader.read_all(listing.items, convert)
    return items, problems, len(listing.items), listing.count


def _read_apis(reply: Response) -> frozenset[str]:
    return frozenset(api.name for api in decoded(envelope(reply), _APIS).api)


def _text(value: str | int) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def session(cloud: CloudStackCloud) -> Session:
    """Return the cloud's one session."""
    return cloud.local(Session)
