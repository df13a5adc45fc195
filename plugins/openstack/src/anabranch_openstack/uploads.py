"""The content of a blob on its way to swift."""

from __future__ import annotations

import hashlib
import math
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Final

import anyio

from anabranch.cloud import Response
from anabranch.errors import (
    CloudUnavailable,
    DeadlineExceeded,
    InvalidRequest,
    OutcomeUnknown,
    ProtocolError,
)
from anabranch_openstack.client import Session
from anabranch_openstack.convert_blobs import etag
from anabranch_openstack.object_store import ask

__all__ = ["Upload"]

_PIECE: Final = 64 * 1024
_LAST_WAIT: Final = 6
"""How much longer than any piece may take swift's answer to all of it: buffers have to drain."""


class _SourceFailed(Exception):
    """What the source of the content raised is this one's cause.

    It comes out of the HTTP client as it is, which an error of the network would not.
    """


class Upload:
    """Sends content once: counted, hashed, and bounded in the time that each piece takes.

    Of an object whose content breaks off swift stores nothing.

    Attributes:
        size: Bytes sent so far.
    """

    def __init__(
        self, swift: Session, content: AsyncIterator[bytes], content_length: int | None
    ) -> None:
        """Send nothing yet.

        Args:
            swift: Whom to send it to.
            content: The content.
            content_length: Bytes, if known beforehand.
        """
        self._swift, self._content, self._length = swift, content, content_length
        self._patience = swift.cloud.settings.request_timeout
        self._hash = hashlib.md5(usedforsecurity=False)
        self._scope = anyio.CancelScope()
        self._all_sent = False
        self.size = 0

    async def put(self, path: str, *, missing: str, headers: Mapping[str, str]) -> Response:
        """Send the content and return the reply.

        Args:
            path: Path of the object.
            missing: What there is not, if the reply is 404.
            headers: Header fields.

        Raises:
            OutcomeUnknown: all was sent, and the answer was lost.
            CloudUnavailable: the connection broke before; nothing is stored.
            DeadlineExceeded: swift took nothing more for `request_timeout`; nothing is stored.
            InvalidRequest: the content is not as long as was told; nothing is stored.
            Exception: whatever the source of the content raises; nothing is stored.
        """
        length = {} if self._length is None else {"content-length": str(self._length)}
        try:
            with self._scope:
                async with aclosing(self._pieces()) as pieces:
                    reply = await ask(
                        self._swift,
                        "PUT",
                        path,
                        missing=missing,
                        headers={**headers, **length},
                        content=pieces,
                        idempotent=False,
                        timeout=math.inf,
                    )
                return self._verified(reply)
        except _SourceFailed as exc:
            raise exc.__cause__ or exc from None
        except OutcomeUnknown as exc:
            if self._all_sent:
                raise
            raise CloudUnavailable(
                f"{exc.message} in mid upload: nothing is stored", provider_code=exc.provider_code
            ) from exc
        if self._all_sent:
            raise OutcomeUnknown("no answer to the upload, all of which was sent")
        raise DeadlineExceeded(
            f"the upload did not go on for {self._patience:g} s: nothing is stored"
        )

    def _verified(self, reply: Response) -> Response:
        if etag(reply.headers.get("etag")) not in (None, self._hash.hexdigest()):
            raise ProtocolError("what the cloud has stored is not what was sent")
        return reply

    async def _pieces(self) -> AsyncGenerator[bytes]:
        while (chunk := await self._next()) is not None:
            for start in range(0, len(chunk), _PIECE):
                piece = chunk[start : start + _PIECE]
                self.size += len(piece)
                if self._length is not None and self.size > self._length:
                    raise InvalidRequest(f"the content is longer than {self._length} bytes")
                self._hash.update(piece)
                self._all_sent = self.size == self._length
                self._wait(1)
                yield piece
        if self._length is not None and self.size < self._length:
            raise InvalidRequest(f"the content has {self.size} bytes and not {self._length}")
        self._all_sent = True
        self._wait(_LAST_WAIT)

    async def _next(self) -> bytes | None:
        """Take the next chunk from the source, which may take its time."""
        self._scope.deadline = math.inf
        try:
            return await anext(self._content, None)
        except Exception as exc:
            raise _SourceFailed from exc

    def _wait(self, times: int) -> None:
        self._scope.deadline = anyio.current_time() + times * self._patience
