from __future__ import annotations

import base64
import http.client
import xml.etree.ElementTree as ET
from typing import NamedTuple
from urllib.parse import quote, urlsplit

import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_paci.simulator import simulator


class Reply(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def xml(self) -> ET.Element:
        return ET.fromstring(self.body)


class Api:
    """A client that sends what it is told to, with the credentials beforehand."""

    def __init__(self, settings: dict[str, object]) -> None:
        self.endpoint = urlsplit(str(settings["endpoint"]))
        user = f"{settings['username']}:{settings['password']}".encode()
        self.authorization = "Basic " + base64.b64encode(user).decode()

    def call(self, method, path, body=None, *, auth=True, headers=()):
        connection = http.client.HTTPConnection(self.endpoint.netloc, timeout=10)
        sent = {"Authorization": self.authorization} if auth else {}
        try:
            url = self.endpoint.path + path
            connection.request(method, url, body, {**sent, **dict(headers)})
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path) -> ET.Element:
        reply = self.call("GET", path)
        assert reply.status == 200, reply
        return reply.xml

    def ve(self, name) -> ET.Element:
        return self.get(f"/ve/{quote(name, safe='')}")

    def state(self, name) -> str:
        return self.ve(name).findtext("state")

    def do(self, method, path, body=None, status=202) -> Reply:
        reply = self.call(method, path, body)
        assert reply.status == status, reply
        return reply


VE = """<ve><name>{name}</name>{more}<cpu number="1" power="1600"/><ram-size>512</ram-size>
<bandwidth>10240</bandwidth><no-of-public-ip>1</no-of-public-ip><ve-disk local="true" size="10"/>
<platform><template-info name="{template}"/><os-info technology="CT" type="linux-free"/></platform>
</ve>"""


@pytest.fixture
def ve_body():
    def body(name="web1", more="", template="centos-6-x86_64") -> str:
        return VE.format(name=name, more=more, template=template)

    return body


@pytest.fixture
def clock():
    """A clock that a test may put forward: `clock.now += 5`."""

    class Clock:
        now = 1_800_000_000.0

        def __call__(self) -> float:
            return self.now

    return Clock()


@pytest.fixture
def options():
    """What the cloud of a test is made with; a test module may say something else."""
    return {}


@pytest.fixture
def cloud(clock, options):
    behaviour = Behaviour(state_delay=4.0)
    return simulator.cloud("lisbon", behaviour=behaviour, clock=clock, **options)


@pytest.fixture
def url(cloud):
    with serve([cloud]) as urls:
        yield urls["lisbon"]


@pytest.fixture
def api(cloud, url):
    return Api(cloud.settings(url))


@pytest.fixture
def api_of():
    """Makes clients of further clouds."""
    return Api
