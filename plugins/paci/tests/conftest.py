"""A simulated cloud with the driver's view of it, and one that answers what a test says."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager, contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import anyio
import pytest

from anabranch.cloud import Cloud
from anabranch.testing.simulation import serve
from anabranch_paci import driver
from anabranch_paci.simulator import simulator

ROOT = "/paci/v1.0"


class Hub:
    """One server for all tests, since a server of its own costs each of them 0.07 s.

    Each cloud is below a path of its own, and sees of a request what is below that.
    """

    name = "hub"

    def __init__(self) -> None:
        self.url = ""
        self._apps: dict[str, Any] = {}
        self._numbers = itertools.count()

    async def app(self, scope, receive, send) -> None:
        if scope["type"] == "http":
            first, _, rest = scope["raw_path"].decode().removeprefix("/").partition("/")
            raw = f"/{rest}"
            scope = {**scope, "raw_path": raw.encode(), "path": unquote(raw)}
            await self._apps[first](scope, receive, send)

    @contextmanager
    def serving(self, cloud: Any):
        """Serve a cloud while the block runs, and give its URL."""
        number = str(next(self._numbers))
        self._apps[number] = cloud.app
        try:
            yield f"{self.url}/{number}"
        finally:
            del self._apps[number]


@pytest.fixture(scope="session")
def hub():
    made = Hub()
    with serve([made]) as urls:
        made.url = urls["hub"]
        yield made


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    """Look again sooner than one would at a real cloud."""
    monkeypatch.setattr("anabranch_paci.waiting._FIRST_PAUSE", 0.02)
    monkeypatch.setattr("anabranch_paci.waiting._SHOWS_WITHIN", 1.0)
    monkeypatch.setattr("anabranch_paci.creation._LOOKS", (0.0, 0.05))


class Counting:
    """Stands before a simulated cloud and counts the requests that are under way at once."""

    def __init__(self, simulated: Any) -> None:
        self._app = simulated.app
        self.now = self.peak = 0
        self._held, self._missing = "", 0
        self._all_there: anyio.Event | None = None

    def hold(self, part: str, count: int) -> None:
        """Answer what has this part in its path only when so many such are under way at once."""
        self._held, self._missing = part, count

    async def app(self, scope, receive, send) -> None:
        self.now += 1
        self.peak = max(self.peak, self.now)
        try:
            if self._held and self._held in scope["path"]:
                # Made here, for the loop of the server is not the test's.
                self._all_there = self._all_there or anyio.Event()
                self._missing -= 1
                if not self._missing:
                    self._all_there.set()
                await self._all_there.wait()
            await self._app(scope, receive, send)
        finally:
            self.now -= 1


class Served(NamedTuple):
    simulated: Any
    cloud: Cloud[Any]
    counting: Counting

    @contextmanager
    def costs(self, *lines: str, at_once: bool = False):
        """The requests of the block: method, and the end of the path.

        Those that are sent at once come in any order.
        """
        before = len(self.simulated.requests)
        yield
        asked = list(self.simulated.requests)[before:]
        asked = sorted(asked) if at_once else asked
        assert [r.method for r in asked] == [line.split()[0] for line in lines], asked
        for request, line in zip(asked, lines, strict=True):
            assert request.path.endswith(line.split()[1]), asked


@pytest.fixture
def served(hub):
    @asynccontextmanager
    async def serving(entry: dict[str, Any] | None = None, **options: Any):
        simulated = simulator.cloud("lisbon", **options)
        counting = Counting(simulated)
        with hub.serving(counting) as url:
            settings = {**simulated.settings(url), **(entry or {})}
            cloud: Cloud[Any] = Cloud("lisbon", driver.configure("lisbon", settings, {}))
            try:
                yield Served(simulated, cloud, counting)
            finally:
                await cloud.aclose()

    return serving


class Scripted:
    """A server that answers what a test says, and remembers what it was sent."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers, self.sent, self.queries = answers, [], []

    async def app(self, scope, receive, send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        path = unquote(scope["raw_path"].decode()).removeprefix(ROOT)
        self.sent.append((scope["method"], path, body))
        self.queries.append(scope["query_string"].decode())
        answer = self.answers[f"{scope['method']} {path}"]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        status, text = answer if isinstance(answer, tuple) else (200, answer)
        content = text.encode() if isinstance(text, str) else text
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": content})


@pytest.fixture
def scripted(hub):
    @asynccontextmanager
    async def serving(answers: dict[str, Any], **entry: Any):
        server = Scripted(answers)
        with hub.serving(server) as url:
            settings = {
                "driver": "paci",
                "endpoint": f"{url}{ROOT}",
                "username": "demo",
                "password": "hush-hush",
                "retries": 0,
                **entry,
            }
            cloud: Cloud[Any] = Cloud("scripted", driver.configure("scripted", settings, {}))
            try:
                yield server, cloud
            finally:
                await cloud.aclose()

    return serving


VE = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b"<ve><id>1000123</id><uuid>0f4c2d3e-1b2a-4c5d-8e9f-0a1b2c3d4e5f</uuid><hnId>12</hnId>"
    b"<customer-id>1000045</customer-id><name>web1</name><hostname>web1</hostname>"
    b"<description>front [anabranch abc123;team=a]</description>"
    b"<subscription-id>1000077</subscription-id>"
    b'<cpu number="1" power="1600"/><ram-size>512</ram-size><bandwidth>10240</bandwidth>'
    b'<ve-disk id="122" local="true" size="70"/><ve-disk id="123" local="true" size="10"/>'
    b'<platform><template-info name="centos-6-x86_64"/>'
    b'<os-info technology="CT" type="linux-free"/></platform>'
    b'<network private-ip="10.1.2.3/24"><public-ip id="77" address="198.51.100.10/24"'
    b' gateway="198.51.100.1"/><public-ipv6 address="2001:db8::7/64"/></network>'
    b'<backup-schedule name="weekly"/><state>STARTED</state><primary-disk-id>123</primary-disk-id>'
    b'<template-id>45</template-id><admin login="root" password="adm1n-s3cret"/>'
    b"<last-operation-rc>0</last-operation-rc><steady-state>STARTED</steady-state></ve>"
)


@pytest.fixture
def ve_document() -> bytes:
    """What the platform shows of a server."""
    return VE
