from __future__ import annotations

import httpx
import msgspec
import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_openstack.simulator import simulator


class Api:
    """A logged-in HTTP client of one cloud, with the tokens and prefixes taken care of."""

    def __init__(self, url: str, settings: dict[str, object]) -> None:
        self.url = url
        self.http = httpx.Client(timeout=10)
        self.auth = settings["auth"]
        self.token = ""

    def password(self, **scope):
        user = {
            "name": self.auth["username"],
            "domain": {"name": self.auth["user_domain_name"]},
            "password": self.auth["password"],
        }
        return {
            "auth": {"identity": {"methods": ["password"], "password": {"user": user}}, **scope}
        }

    def project(self):
        return {"project": {"name": self.auth["project_name"], "domain": {"id": "default"}}}

    def log_in(self) -> Api:
        reply = self.call("POST", "/identity/v3/auth/tokens", self.password(scope=self.project()))
        assert reply.status_code == 201, reply.text
        self.token = reply.headers["x-subject-token"]
        self.body = reply.json()["token"]
        return self

    def call(self, method, path, json=None, *, mv=None, token=None, **options):
        headers = options.pop("headers", {})
        token = self.token if token is None else token
        if token:
            headers["x-auth-token"] = token
        if mv:
            service = "volume" if path.startswith("/volume") else "compute"
            headers["openstack-api-version"] = f"{service} {mv}"
        if json is not None:
            options["content"] = msgspec.json.encode(json)
            headers.setdefault("content-type", "application/json")
        url = path if path.startswith("http") else self.url + path
        return self.http.request(method, url, headers=headers, **options)

    def get(self, path, **options):
        reply = self.call("GET", path, **options)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def act(self, server_id, action, **options):
        return self.call("POST", f"/compute/v2.1/servers/{server_id}/action", action, **options)


@pytest.fixture
def clock():
    """A clock that a test may put forward: `clock.now += 5`."""

    class Clock:
        now = 1_800_000_000.0

        def __call__(self) -> float:
            return self.now

    return Clock()


@pytest.fixture
def cloud(clock):
    behaviour = Behaviour(page_size=10, state_delay=4.0)
    return simulator.cloud("lisbon", instances=25, behaviour=behaviour, clock=clock)


@pytest.fixture
def url(cloud):
    with serve([cloud]) as urls:
        yield urls["lisbon"]


@pytest.fixture
def anonymous(cloud, url):
    api = Api(url, cloud.settings(url))
    yield api
    api.http.close()


@pytest.fixture
def api(anonymous):
    return anonymous.log_in()


@pytest.fixture
def tiny(cloud, url):
    """Logged in to the project with the tight quotas."""
    api = Api(url, cloud.settings(url, project="tiny")).log_in()
    yield api
    api.http.close()


@pytest.fixture
def auditor(cloud, url):
    """Logged in with the role reader only."""
    api = Api(url, cloud.settings(url, user="auditor")).log_in()
    yield api
    api.http.close()
