from __future__ import annotations

import time

import httpx
import pytest

from anabranch.testing.simulation import (
    Behaviour,
    Fault,
    FaultKind,
    Misbehaving,
    Reply,
    SimulatedCloud,
)


def client(cloud) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(cloud.app), base_url="http://parrot")


async def test_a_well_behaved_cloud_answers_and_counts(parrot):
    cloud = parrot("polly")
    async with client(cloud) as http:
        assert (await http.get("/a?q=1")).text == "polly"
    assert [tuple(r) for r in cloud.requests] == [("GET", "/a")]
    assert cloud.requests.queries == ("q=1",)
    assert isinstance(cloud, SimulatedCloud)


async def test_latency_is_waited_for_on_any_event_loop(parrot):
    cloud = parrot("polly")
    cloud.behaviour.latency = 0.05
    async with client(cloud) as http:
        start = time.perf_counter()
        await http.get("/")
    assert time.perf_counter() - start >= 0.05


@pytest.mark.parametrize(
    ("text", "status", "header"),
    [
        ("401", 401, "www-authenticate"),
        ("403", 403, "content-type"),
        ("404", 404, "content-type"),
        ("409", 409, "content-type"),
        ("429", 429, "retry-after"),
        ("500", 500, "content-type"),
        ("503", 503, "content-type"),
    ],
)
async def test_faults_with_a_reply(parrot, text, status, header):
    cloud = parrot("polly")
    cloud.behaviour.break_with([text])
    async with client(cloud) as http:
        reply = await http.get("/")
    assert reply.status_code == status
    assert header in reply.headers


async def test_a_proxy_speaks_for_itself(parrot):
    cloud = parrot("polly")
    cloud.app = Misbehaving(cloud.answer, cloud, lambda scope, fault: Reply(status=403, body=b"no"))
    cloud.behaviour.faults = [
        Fault(kind=FaultKind.FORBIDDEN, times=1),
        Fault(kind=FaultKind.FORBIDDEN, by_proxy=True),
    ]
    async with client(cloud) as http:
        assert (await http.get("/")).text == "no"
        assert "<h1>403 Forbidden</h1>" in (await http.get("/")).text


async def test_replies_grow_by_what_the_protocol_adds_and_are_counted(parrot):
    cloud = parrot("polly")
    cloud.app = Misbehaving(cloud.answer, cloud, grow=lambda body, kind: body + b" and more")
    async with client(cloud) as http:
        assert (await http.get("/")).text == "polly"
        cloud.behaviour.unknown_fields = True
        grown = await http.get("/")
    assert (grown.text, grown.headers["content-length"]) == ("polly and more", "14")
    assert cloud.requests.grown == 1


async def test_a_reply_that_nothing_can_be_added_to_is_not_counted(parrot):
    cloud = parrot("polly", Behaviour(unknown_fields=True))
    async with client(cloud) as http:
        assert (await http.get("/")).text == "polly"
    assert cloud.requests.grown == 0


async def test_retry_after_is_written_as_given(parrot):
    cloud = parrot("polly")
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    cloud.behaviour.faults = [Fault(kind=FaultKind.UNAVAILABLE, retry_after=date)]
    async with client(cloud) as http:
        assert (await http.get("/")).headers["retry-after"] == date


async def test_garbage_is_well_formed_http_and_no_json(parrot):
    cloud = parrot("polly")
    cloud.behaviour.break_with(["garbage"])
    async with client(cloud) as http:
        reply = await http.get("/")
    assert reply.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        reply.json()


async def test_a_reset_without_a_server_is_an_exception(parrot):
    cloud = parrot("polly")
    cloud.behaviour.break_with(["reset"])
    async with client(cloud) as http:
        with pytest.raises(ConnectionResetError):
            await http.get("/")


async def test_the_lifespan_of_other_servers_is_acknowledged(parrot):
    sent = []
    waiting = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return waiting.pop(0)

    async def send(message):
        sent.append(message["type"])

    await parrot("polly").app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_a_label_names_what_one_url_is_used_for(parrot):
    cloud = parrot("polly")
    heard: list[bytes] = []

    async def answer(scope, receive, send) -> None:
        heard.append((await receive())["body"])
        await cloud.answer(scope, receive, send)

    cloud.app = Misbehaving(
        answer, cloud, label=lambda scope, body: f"{scope['path']}/{body.decode()}"
    )
    cloud.behaviour.break_with(["503:/RPC2/list"])
    async with client(cloud) as http:
        assert (await http.post("/RPC2", content=b"list")).status_code == 503
        assert (await http.post("/RPC2", content=b"get")).text == "polly"
    assert [tuple(r) for r in cloud.requests] == [("POST", "/RPC2/list"), ("POST", "/RPC2/get")]
    assert heard == [b"get"], "the application reads the body that the label has read"
