"""A request that is understood: about which clouds it is, and how it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import msgspec

from anabranch import QualifiedId
from anabranch_server.deltacloud.backends import Selection
from anabranch_server.deltacloud.call import Call
from anabranch_server.deltacloud.links import View
from anabranch_server.deltacloud.negotiation import Format
from anabranch_server.deltacloud.parameters import Parameters
from anabranch_server.deltacloud.problems import Problem

__all__ = ["Request"]


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

    def target(self, ident: str) -> QualifiedId:
        """Return the cloud and the platform's own id of what a path or a parameter names.

        Raises:
            Problem: several clouds are meant, and the id does not say of which it is.
        """
        if not self.selection.qualified:
            return QualifiedId(self.selection.clouds[0], ident)
        cloud, slash, rest = ident.partition("/")
        if slash and rest and cloud in self.selection.clouds:
            return QualifiedId(cloud, rest)
        raise Problem(
            404,
            f"{ident!r} names none of the clouds",
            kind="NotFound",
            remedy=f"Write CLOUD/ID; the clouds are: {', '.join(self.selection.clouds)}",
        )

    async def timed(self, work: Callable[[], Awaitable[Any]]) -> tuple[Any, Mapping[str, str]]:
        """Do what asks the clouds, and return its result with the header that tells its seconds."""
        started = anyio.current_time()
        result = await work()
        return result, {"X-Backend-Runtime": f"{anyio.current_time() - started:.6f}"}
