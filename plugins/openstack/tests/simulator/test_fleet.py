"""Many clouds: the entry point, and what a list costs."""

from __future__ import annotations

import json
import time
from importlib.metadata import entry_points

import anyio
import httpx
import pytest

from anabranch.testing.simulation import ENTRY_POINT_GROUP, SimulatedCloud, Simulator, serve
from anabranch_openstack.simulator import simulator


def test_the_entry_point_is_a_simulator():
    (point,) = entry_points(group=ENTRY_POINT_GROUP, name="openstack")
    assert point.load() is simulator
    assert isinstance(simulator, Simulator)
    assert isinstance(simulator.cloud("lisbon", instances=0), SimulatedCloud)


def test_the_same_name_has_the_same_ids():
    first, second = (simulator.cloud("lisbon", instances=3) for _ in range(2))
    assert [s.id for s in first.servers] == [s.id for s in second.servers]
    assert {s.id for s in simulator.cloud("paris", instances=3).servers}.isdisjoint(
        s.id for s in first.servers
    )


def log_in(http: httpx.Client, url: str) -> dict[str, str]:
    user = {"name": "demo", "domain": {"id": "default"}, "password": "demo-secret"}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
    reply = http.post(f"{url}/identity/v3/auth/tokens", json={"auth": auth})
    return {"x-auth-token": reply.headers["x-subject-token"]}


def test_two_hundred_clouds_answer():
    clouds = [simulator.cloud(f"cloud-{n}", instances=2) for n in range(200)]
    with serve(clouds) as urls, httpx.Client() as http:
        for url in list(urls.values())[::10]:
            headers = log_in(http, url)
            body = http.get(f"{url}/compute/v2.1/servers/detail", headers=headers).json()
            assert len(body["servers"]) == 2
    assert sum(cloud.logins for cloud in clouds) == 20


@pytest.mark.parametrize("number", [100])
def test_a_list_of_unchanged_servers_is_cheap(number):
    cloud = simulator.cloud("lisbon", instances=number)
    token = None

    async def call(method, path, body=b""):
        headers = [(b"host", b"lisbon"), (b"content-length", str(len(body)).encode())]
        if token:
            headers.append((b"x-auth-token", token))
        sent = []

        async def receive():
            return {"type": "http.request", "body": body}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "query_string": b""}
        await cloud.app({**scope, "scheme": "http", "headers": headers}, receive, send)
        return sent

    async def measure():
        nonlocal token
        user = {"name": "demo", "domain": {"id": "default"}, "password": "demo-secret"}
        auth = {"identity": {"methods": ["password"], "password": {"user": user}}}
        body = json.dumps({"auth": auth}).encode()
        start, _ = await call("POST", "/identity/v3/auth/tokens", body)
        token = dict(start["headers"])[b"x-subject-token"]
        _, body = await call("GET", "/compute/v2.1/servers/detail")
        assert len(json.loads(body["body"])["servers"]) == number
        best = 1.0
        for _ in range(20):
            before = time.process_time()
            await call("GET", "/compute/v2.1/servers/detail")
            best = min(best, time.process_time() - before)
        return best

    assert anyio.run(measure) < 0.001
