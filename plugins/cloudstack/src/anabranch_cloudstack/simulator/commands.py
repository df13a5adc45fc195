"""The table of commands: what each takes, who may run it, and since when it is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, cast

import msgspec

from anabranch_cloudstack.simulator.wire import Document

if TYPE_CHECKING:
    from anabranch_cloudstack.simulator.call import Call

__all__ = ["Command", "Commands", "Handler", "Parameter", "release"]

Handler = Callable[["Call"], Document]
Type = Literal["string", "uuid", "boolean", "integer", "long", "list", "map", "date"]

_LIST = (
    "page:integer pagesize:integer keyword listall:boolean isrecursive:boolean account"
    " domainid:uuid projectid:uuid tags:map"
)
_REPLY_KEYS = {
    "addIpToNic": "addiptovmnicresponse",
    "createLBStickinessPolicy": "createLBStickinessPolicy",
    "listVolumesMetrics": "listvolumesresponse",
    "resetSSHKeyForVirtualMachine": "resetSSHKeyforvirtualmachineresponse",
    "restoreVirtualMachine": "restorevmresponse",
}


class Parameter(msgspec.Struct, frozen=True):
    """One parameter of a command.

    Attributes:
        name: Its name, in lower case.
        type: What it holds.
        required: Whether it must be there; a release means: before that one only.
        since: The first release that knows it; the others take no notice of it.
    """

    name: str
    type: Type
    required: bool | tuple[int, ...]
    since: str

    @classmethod
    def parse(cls, text: str) -> Parameter:
        """Read `NAME[!|!<RELEASE][@RELEASE][:TYPE]`.

        Examples: `name`, `id!:uuid`, `templateid!<4.21:uuid`, `keypairs@4.17:list`.
        """
        head, _, kind = text.partition(":")
        head, _, since = head.partition("@")
        name, mark, before = head.partition("!")
        required = release(before.removeprefix("<")) if before else bool(mark)
        return cls(name, cast("Type", kind or "string"), required, since)

    def is_known(self, version: tuple[int, ...]) -> bool:
        """Whether a release takes notice of it."""
        return not self.since or release(self.since) <= version

    def is_required(self, version: tuple[int, ...]) -> bool:
        """Whether a release demands it."""
        return self.required if isinstance(self.required, bool) else version < self.required


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command.

    Attributes:
        name: Its name, whose case counts.
        handler: What answers it.
        parameters: What it takes.
        job: The class of the server that does its job; empty when it is synchronous.
        instance_type: The type of object that its job works on.
        since: The first release that has it.
        user: Whether the role User has it.
        description: What it does, in a few words.
    """

    name: str
    handler: Handler
    parameters: tuple[Parameter, ...]
    job: str
    instance_type: str
    since: str
    user: bool
    description: str

    @property
    def reply_key(self) -> str:
        """The one top-level key of its reply."""
        return _REPLY_KEYS.get(self.name, f"{self.name.lower()}response")

    @property
    def reads(self) -> bool:
        """Whether a GET will do where POST is enforced."""
        return self.name.startswith(("get", "list", "query", "find", "quota"))


class Commands:
    """The commands of one area."""

    def __init__(self) -> None:
        self._table: dict[str, Command] = {}

    def add(
        self,
        name: str,
        parameters: str = "",
        *,
        job: str = "",
        instance_type: str = "",
        since: str = "",
        user: bool = True,
        listing: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Decorate the function that answers a command.

        Args:
            name: The command's name.
            parameters: Its parameters, separated by blanks; see `Parameter.parse`.
            job: The class of the server that does its job, when it is asynchronous.
            instance_type: The type of object that the job works on.
            since: The first release that has it; before 4.11 unless given.
            user: Whether the role User has it.
            listing: Whether it takes the parameters of a list as well.
        """
        own = parameters.split()
        names = {Parameter.parse(text).name for text in own}
        if listing:
            own += [text for text in _LIST.split() if Parameter.parse(text).name not in names]

        def register(handler: Handler) -> Handler:
            self._table[name] = Command(
                name=name,
                handler=handler,
                parameters=tuple(Parameter.parse(text) for text in own),
                job=job,
                instance_type=instance_type,
                since=since,
                user=user,
                description=(handler.__doc__ or name).strip().splitlines()[0],
            )
            return handler

        return register

    def include(self, other: Commands) -> None:
        """Take over the commands of another area."""
        self._table |= other._table

    def of(self, version: tuple[int, ...]) -> dict[str, Command]:
        """The commands that a release has, with the parameters that it knows, by name."""
        return {
            name: msgspec.structs.replace(
                command, parameters=tuple(p for p in command.parameters if p.is_known(version))
            )
            for name, command in self._table.items()
            if not command.since or release(command.since) <= version
        }


def release(text: str) -> tuple[int, ...]:
    """A release as numbers to compare: `4.22.0.0-SNAPSHOT` is (4, 22, 0, 0)."""
    return tuple(int(part) for part in text.partition("-")[0].split("."))
