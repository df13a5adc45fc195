from __future__ import annotations

import xmlrpc.client
from xml.etree import ElementTree

import pyone
import pytest

from anabranch.testing.simulation import serve
from anabranch_opennebula.simulator import simulator


class Refused(Exception):
    """The five-element answer."""

    def __init__(self, message: str, code: int, object_id: int) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.object_id = object_id


class Rpc:
    """Plain XML-RPC, so that a test sees what is on the wire: `rpc("vm.info", 3)`."""

    def __init__(self, settings: dict[str, object]) -> None:
        self.endpoint = str(settings["endpoint"])
        self.session = f"{settings['username']}:{settings['password']}"
        self._proxy = xmlrpc.client.ServerProxy(self.endpoint)

    def __call__(self, method: str, *parameters: object):
        answer = getattr(self._proxy, f"one.{method}")(self.session, *parameters)
        if not answer[0]:
            raise Refused(*answer[1:4])
        return answer[1]

    def document(self, method: str, *parameters: object) -> ElementTree.Element:
        return ElementTree.fromstring(self(method, *parameters))

    def state(self, machine_id: int) -> tuple[int, int]:
        machine = self.document("vm.info", machine_id)
        return int(machine.findtext("STATE")), int(machine.findtext("LCM_STATE"))

    def create(self, extra: str = "", *, template: int = 0, name: str = "", hold: bool = False):
        return self("template.instantiate", template, name, hold, extra, False)


@pytest.fixture
def refused():
    """`with refused(2048, "wrong state"): …`"""

    def expect(code: int, text: str | None = None):
        return pytest.raises(Refused, match=text, check=lambda error: error.code == code)

    return expect


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
    return simulator.cloud("lisbon", instances=5, clock=clock)


@pytest.fixture
def url(cloud):
    with serve([cloud]) as urls:
        yield urls["lisbon"]


@pytest.fixture
def rpc(cloud, url):
    return Rpc(cloud.settings(url))


@pytest.fixture
def admin(cloud, url):
    return Rpc(cloud.settings(url, user="oneadmin"))


@pytest.fixture
def neighbour(cloud, url):
    return Rpc(cloud.settings(url, user="neighbour"))


@pytest.fixture
def limited(cloud, url):
    return Rpc(cloud.settings(url, user="limited"))


@pytest.fixture
def one(rpc):
    """The platform's own client, unmodified."""
    return pyone.OneServer(rpc.endpoint, session=rpc.session)
