"""The simulator and a real OpenStack get the same requests and must answer alike.

Compared are the status, the kind of the body, and its keys down to a given depth; what one of the
two may have more is named with the request. Bodies and paths may refer to what each side has:
`{flavor}`, `{image}`, `{network}`, `{server}`, `{project}`, `{user}`.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any, NamedTuple

import httpx
import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_openstack.simulator import simulator

STATE = os.environ.get("OSLAB_STATE", "/var/tmp/oslab")
REAL = {
    "identity": "http://127.0.0.1:15000",
    "compute": "http://127.0.0.1:18774",
    "image": "http://127.0.0.1:19292",
    "network": "http://127.0.0.1:19696",
    "volume": "http://127.0.0.1:18776",
    "object": "http://127.0.0.1:18080",
    "metric": "http://127.0.0.1:18041",
    "load-balancer": "http://127.0.0.1:19876",
}


def is_up() -> bool:
    try:
        return os.path.isdir(STATE) and httpx.get(REAL["identity"], timeout=2).status_code == 300
    except httpx.TransportError:
        return False


LOGIN = {
    "identity": {
        "methods": ["password"],
        "password": {
            "user": {"name": "demo", "domain": {"id": "default"}, "password": "demo-secret"}
        },
    },
    "scope": {"project": {"name": "demo", "domain": {"id": "default"}}},
}


class Side:
    """One of the two clouds, with the ids that requests may refer to.

    `twin` is the simulated cloud itself, on its side.
    """

    twin: Any = None

    def __init__(self, roots: dict[str, str]) -> None:
        self.roots = roots
        self.http = httpx.Client(timeout=60)
        self.names: dict[str, str] = {}
        reply = self.ask("POST", "identity/v3/auth/tokens", body={"auth": LOGIN}, token="")
        self.token = reply.headers["x-subject-token"]
        token = reply.json()["token"]
        self.names = {"project": token["project"]["id"], "user": token["user"]["id"]}
        flavors = self.ask("GET", "compute/v2.1/flavors").json()["flavors"]
        self.names |= {
            "flavor": next(f["id"] for f in flavors if f["name"] == "m1.nano"),
            "tiny": next(f["id"] for f in flavors if f["name"] == "m1.tiny"),
            "image": self.ask("GET", "image/v2/images?status=active").json()["images"][0]["id"],
            "network": self.ask("GET", "network/v2.0/networks?name=private").json()["networks"][0][
                "id"
            ],
        }

    def ask(self, method, target, mv=None, body=None, token=None, headers=None, content=None):
        service, _, path = self.fill(target).partition("/")
        headers = dict(headers or {})
        token = self.token if token is None else token
        if token:
            headers["x-auth-token"] = token
        if mv:
            headers["openstack-api-version"] = f"{service} {mv}"
        if body is not None:
            content = self.fill(json.dumps(body)).encode()
            headers.setdefault("content-type", "application/json")
        url = f"{self.roots[service]}/{path}"
        return self.http.request(method, url, headers=headers, content=content)

    def fill(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace("{" + name + "}", value)
        return text

    def make_server(self) -> None:
        server = {"name": "differential", "flavorRef": "{flavor}", "imageRef": "{image}"}
        server["networks"] = [{"uuid": "{network}"}]
        reply = self.ask("POST", "compute/v2.1/servers", body={"server": server})
        self.names["server"] = reply.json()["server"]["id"]
        self.settle("ACTIVE")

    def settle(self, status: str) -> None:
        for _ in range(300):
            reply = self.ask("GET", "compute/v2.1/servers/{server}").json()
            server = reply["server"]
            if server["status"] == status and server["OS-EXT-STS:task_state"] is None:
                return
            time.sleep(0.1)
        raise AssertionError(f"{status} was not reached: {server}")

    def close(self) -> None:
        if "server" in self.names:
            self.ask("POST", "compute/v2.1/servers/{server}/action", body={"unlock": None})
            self.ask("DELETE", "compute/v2.1/servers/{server}")
        self.http.close()


class Sides(NamedTuple):
    """The simulator and the real cloud."""

    simulated: Side
    real: Side

    def compare(self, method, target, depth=2, drop=(), **options):
        simulated, real = (side.ask(method, target, **options) for side in self)
        where = f"{method} {target} {options}\nsimulated {simulated.text}\nreal {real.text}"
        assert simulated.status_code == real.status_code, where
        assert kind(simulated) == kind(real), where
        if kind(real) == "json":
            ours, theirs = shape(simulated.json(), depth), shape(real.json(), depth)
            for path in drop:
                for document in (ours, theirs):
                    *inside, name = path.split("/")
                    for step in inside:
                        document = document[0] if isinstance(document, list) else document
                        document = document.get(step) or {}
                    if isinstance(document, list):
                        document = document[0] if document else {}
                    document.pop(name, None)
            assert ours == theirs, where
        for name in ("www-authenticate", "openstack-api-version", "vary"):
            assert (name in simulated.headers) == (name in real.headers), (name, where)
        if real.status_code >= 400 and kind(real) == "json":
            error = real.json()
            inner = next(iter(error.values()))
            if isinstance(inner, dict) and "message" in inner and "type" not in inner:
                ours = next(iter(simulated.json().values()))["message"]
                assert neutral(self[0], ours) == neutral(self[1], inner["message"]), where
        return simulated, real


@pytest.fixture(scope="module")
def sides():
    cloud = simulator.cloud("twin", instances=1, behaviour=Behaviour(), max_microversion=104)
    for server in cloud.servers:
        server.name = "seeded"
    with serve([cloud]) as urls:
        roots = {name: f"{urls['twin']}/{name}" for name in REAL}
        simulated, real = Side(roots), Side(REAL)
        try:
            simulated.twin = cloud
            simulated.make_server()
            real.make_server()
            yield Sides(simulated, real)
        finally:
            simulated.close()
            real.close()


def kind(reply: httpx.Response) -> str:
    if not reply.content:
        return "empty"
    return "json" if "json" in reply.headers.get("content-type", "") else "other"


def shape(value, depth):
    """The keys of a document, and of the first item of its lists."""
    if depth and isinstance(value, dict):
        return {name: shape(item, depth - 1) for name, item in value.items()}
    if depth and isinstance(value, list):
        return [shape(item, depth) for item in value[:1]]
    return None


def neutral(side: Side, text: str) -> str:
    for name, value in side.names.items():
        text = text.replace(value, "{" + name + "}")
    return text.split("\n")[0]


def pytest_collection_modifyitems(items):
    here = os.path.dirname(__file__)
    found = [item for item in items if str(item.path).startswith(here)]
    if not found:
        return
    down = None if is_up() else pytest.mark.skip(reason=f"no OpenStack lab is up ({STATE})")
    for item in found:
        item.add_marker(pytest.mark.realcloud)
        item.add_marker(pytest.mark.timeout(300))
        if down:
            item.add_marker(down)
