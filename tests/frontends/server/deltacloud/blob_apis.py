"""The API over clouds that have buckets, with an empty bucket `photos`."""

from contextlib import asynccontextmanager

from anyio import to_thread

from anabranch import Broker, Configuration
from anabranch.testing import Fleet
from anabranch_server.deltacloud.app import Deltacloud
from anabranch_server.deltacloud.backends import Configured

from .exchange import ask

XML = {"Accept": "application/xml"}
JSON = {"Accept": "application/json"}


class Api:
    """The API over some clouds; by default one mock cloud, so that ids are not qualified."""

    def __init__(self, broker, fleet=None):
        self.app, self.broker, self.fleet = Deltacloud(Configured(broker)), broker, fleet

    async def __call__(self, method, target, headers=None, body=b"", **how):
        return await ask(self.app, method, f"/api{target}", headers, body, **how)

    def requests(self):
        return sum(len(c.requests) for c in self.fleet.clouds.values()) if self.fleet else 0


@asynccontextmanager
async def serving(**clouds):
    async with await to_thread.run_sync(Broker, Configuration(clouds=clouds)) as broker:
        yield Api(broker)


@asynccontextmanager
async def on_mock():
    async with serving(cloud={"driver": "mock"}) as api:
        assert (await api("POST", "/buckets", body=b"name=photos", headers=FORM)).status == 201
        yield api


@asynccontextmanager
async def on_swift():
    fleet = Fleet.of({"openstack": 1})
    with fleet.serving():
        async with await to_thread.run_sync(Broker, fleet.configuration()) as broker:
            api = Api(broker, fleet)
            assert (await api("POST", "/buckets", body=b"name=photos", headers=FORM)).status == 201
            yield api


FORM = {"Content-Type": "application/x-www-form-urlencoded", **XML}


def multipart(*parts):
    body = b""
    for name, content, filename in parts:
        file = f'; filename="{filename}"\r\nContent-Type: image/png' if filename else ""
        head = f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        body += head.encode() + content + b"\r\n"
    return body + b"--b--\r\n"


MULTIPART = {"Content-Type": "multipart/form-data; boundary=b", **XML}
