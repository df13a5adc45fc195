"""One request of an ASGI application, piece by piece, as a server would pass it on."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import anyio

__all__ = ["Answer", "ask"]


class Answer(NamedTuple):
    """What came back; `whole`: whether the application said that it was all."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool

    def __repr__(self) -> str:
        return f"<{self.status} {self.headers} {self.body[:2000]!r}>"


async def ask(
    app: Any,
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    body: bytes | Iterable[bytes] | AsyncIterator[bytes] = b"",
    *,
    leaves: bool = False,
    taken: Any = None,
    length: bool = True,
) -> Answer:
    """Send a request to `/api…` and return the answer.

    Args:
        app: The application.
        method: HTTP method.
        target: Path and query, percent-encoded.
        headers: Header fields.
        body: The body, or its pieces.
        leaves: Whether the client goes away after the pieces, before the body has ended.
        taken: Called (and awaited) with each piece of the answer's body; True: the client leaves.
        length: Whether the length of a body in one piece is told.
    """
    path, _, query = target.partition("?")
    fields = {"host": "broker.test", **{k.lower(): v for k, v in (headers or {}).items()}}
    if isinstance(body, bytes):
        if body and length:
            fields.setdefault("content-length", str(len(body)))
        body = [body] if body else []
    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in fields.items()],
    }
    gone, ended = anyio.Event(), False
    pieces = body if isinstance(body, AsyncIterator) else _each(body)
    found: dict[str, Any] = {"status": 0, "headers": {}, "whole": False}
    received = bytearray()

    async def receive() -> dict[str, Any]:
        nonlocal ended
        await anyio.lowlevel.checkpoint()
        if ended:
            await gone.wait()
            return {"type": "http.disconnect"}
        piece = await anext(pieces, None)
        if piece is not None:
            return {"type": "http.request", "body": piece, "more_body": True}
        ended = True
        if leaves:
            gone.set()
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal received
        await anyio.lowlevel.checkpoint()
        if message["type"] == "http.response.start":
            assert not found["status"], "a second answer"
            pairs = [(k.decode(), v.decode("utf-8")) for k, v in message["headers"]]
            found["status"], found["headers"] = message["status"], dict(pairs)
            assert len(pairs) == len(found["headers"]), f"a field twice: {pairs}"
            return
        part = message.get("body", b"")
        if taken is None:
            received += part
        elif part and await taken(part):
            gone.set()
        found["whole"] = not message.get("more_body", False)

    await app(scope, receive, send)
    gone.set()
    return Answer(body=bytes(received), **found)


async def _each(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
