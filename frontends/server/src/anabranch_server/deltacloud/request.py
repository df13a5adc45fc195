"""A request that is understood: about which clouds it is, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from time import perf_counter
from typing import Any, Final

import msgspec

from anabranch import QualifiedId
from anabranch_server.deltacloud.backends import Selection
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.links import View
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.parameters import Parameters
from anabranch_server.problems import Problem

__all__ = ["CLOUD_NAMES", "Request"]

CLOUD_NAMES: Final = ("cloud", "provider")
"""The parameters that name the cloud which is meant, where several are."""


class Request(msgspec.Struct, frozen=True):
    """What a handler gets.

    Attributes:
        call: The request as it came.
        parameters: Its parameters.
        selection: The clouds that it is about.
        view: How ids and links are written in the reply.
        format: The format of the reply.
    """

    call: Call
    parameters: Parameters
    selection: Selection
    view: View
    format: Format

    @property
    def asker(self) -> list[str | None]:
        """Who asks: what is sealed for one is no other's."""
        credentials = self.call.credentials
        user = credentials.user if credentials else None
        return [self.selection.driver, self.selection.provider, user]

    def target(self, ident: str) -> QualifiedId:
        """Return the cloud and the platform's own id of what a path names.

        Raises:
            Problem: several clouds are meant, and the id does not say of which it is.
        """
        if not self.selection.qualified:
            return QualifiedId(self.selection.clouds[0], ident)
        found = self.qualified(ident)
        if found is None:
            raise Problem(
                404,
                f"{ident!r} names none of the clouds",
                kind="NotFound",
                remedy=f"Write CLOUD/ID; the clouds are: {self._listed()}",
            )
        return found

    def qualified(self, ident: str) -> QualifiedId | None:
        """Return the cloud and the platform's own id, if an id says of which cloud it is."""
        if not self.selection.qualified:
            return None
        cloud, slash, rest = ident.partition("/")
        return (
            QualifiedId(cloud, rest) if slash and rest and cloud in self.selection.clouds else None
        )

    def local(self, cloud: str, name: str, ident: str) -> str:
        """Return the platform's own id out of the value of a parameter.

        Args:
            cloud: The cloud that it must be on.
            name: The parameter.
            ident: Its value: `cloud/id`, or the platform's own id.

        Raises:
            Problem: it is on another cloud.
        """
        found = self.qualified(ident)
        if found is None:
            return ident
        if found.cloud != cloud:
            raise Problem(
                400,
                f"parameter {name!r} is {ident!r}, which is on another cloud",
                remedy=f"Give one of {cloud}",
            )
        return found.id

    def place(self, idents: Mapping[str, str]) -> str:
        """Return the cloud that something is to be made on.

        It is the one that the ids name, or the parameter `cloud` or `provider` does.

        Args:
            idents: The ids that parameters give, by the parameter.

        Raises:
            Problem: they name several clouds, none, or another than the one that is chosen.
        """
        if not self.selection.qualified:
            return self._only()
        named: dict[str, str] = {}
        for name in CLOUD_NAMES:
            if name in self.parameters:
                named.setdefault(self._cloud(name, self.parameters[name]), name)
        for name, ident in idents.items():
            if found := self.qualified(ident):
                named.setdefault(found.cloud, name)
        if len(named) > 1:
            told = " and ".join(f"{name!r} names {cloud}" for cloud, name in named.items())
            raise Problem(400, f"the parameters name different clouds: {told}")
        if not named and len(self.selection.clouds) == 1:
            return self.selection.clouds[0]
        if not named:
            ids = (
                f"Write {' or '.join(map(repr, idents))} as CLOUD/ID, or give" if idents else "Give"
            )
            raise Problem(
                400,
                "it is not said on which cloud",
                remedy=f"{ids} the parameter 'cloud'; there are: {self._listed()}",
            )
        return next(iter(named))

    async def timed(self, work: Callable[[], Awaitable[Any]]) -> tuple[Any, Mapping[str, str]]:
        """Do what asks the clouds, and return its result with the header that tells its seconds."""
        started = perf_counter()
        result = await work()
        return result, {"X-Backend-Runtime": f"{perf_counter() - started:.6f}"}

    def _only(self) -> str:
        cloud = self.selection.clouds[0]
        others = {one.lower() for one in self.selection.broker.clouds} - {cloud.lower()}
        for name in CLOUD_NAMES:
            if self.parameters.get(name, "").lower() in others:
                raise Problem(
                    400,
                    f"parameter {name!r} is {self.parameters[name]!r}, and {cloud} is chosen",
                    remedy="Leave one of the two out",
                )
        return cloud

    def _cloud(self, name: str, text: str) -> str:
        for cloud in self.selection.clouds:
            if cloud.lower() == text.lower():
                return cloud
        raise Problem(
            400,
            f"parameter {name!r}: there is no cloud {text!r}",
            remedy=f"There are: {self._listed()}",
        )

    def _listed(self) -> str:
        return ", ".join(self.selection.clouds)
