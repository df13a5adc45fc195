from __future__ import annotations

import pytest

from anabranch.testing.simulation import Behaviour, Misbehaving, RequestLog


class Parrot:
    """A simulated cloud that says its own name."""

    kind = "parrot"

    def __init__(self, name: str, behaviour: Behaviour | None = None) -> None:
        self.name = name
        self.behaviour = behaviour or Behaviour()
        self.requests = RequestLog(size=5)
        self.app = Misbehaving(self.answer, self)

    def settings(self, url: str) -> dict[str, object]:
        return {"driver": self.kind, "url": url}

    async def answer(self, scope, receive, send) -> None:
        body = self.name.encode()
        headers = [(b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def parrot():
    return Parrot
