from __future__ import annotations

import base64
import hmac
import time
from urllib.parse import quote, quote_plus

import httpx
import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_cloudstack.simulator import simulator


def signature(parameters, secret):
    """Written from the rule, not taken from the simulator."""
    pairs = sorted(item for item in parameters.items() if item[0] != "signature")
    text = "&".join(f"{k}={quote(v, safe='*').replace('~', '%7E')}" for k, v in pairs)
    digest = hmac.new(secret.encode(), text.lower().encode(), "sha1").digest()
    return base64.b64encode(digest).decode()


class Api:
    """An HTTP client that signs."""

    def __init__(self, settings, clock=time.time):
        self.endpoint = settings["endpoint"]
        self.key = settings["key"]
        self.secret = settings["secret"]
        self.clock = clock
        self.http = httpx.Client(timeout=10)

    def parameters(self, command, /, **parameters):
        sent = {name: str(value) for name, value in parameters.items()}
        return {"command": command, "response": "json", "apiKey": self.key, **sent}

    def sign(self, parameters):
        return signature(parameters, self.secret)

    def signed(self, command, /, **parameters):
        sent = self.parameters(command, **parameters)
        return sent | {"signature": self.sign(sent)}

    def timed(self, command, /, ahead=600, form="%Y-%m-%dT%H:%M:%S+0000", **parameters):
        expires = time.strftime(form, time.gmtime(self.clock() + ahead))
        return self.signed(command, signatureVersion=3, expires=expires, **parameters)

    def get(self, parameters):
        query = "&".join(f"{quote_plus(k)}={quote_plus(v)}" for k, v in parameters.items())
        return self.http.get(f"{self.endpoint}?{query}")

    def post(self, parameters):
        return self.http.post(self.endpoint, data=parameters)

    def reply(self, command, /, **parameters):
        """The reply of a command by POST, whatever it is."""
        return self.post(self.signed(command, **parameters))

    def call(self, command, /, **parameters):
        """What is under the one key of a reply that has to be good."""
        reply = self.reply(command, **parameters)
        assert reply.status_code == 200, reply.text
        (document,) = reply.json().values()
        return document

    def rows(self, command, /, **parameters):
        document = self.call(command, **parameters)
        return next((value for value in document.values() if isinstance(value, list)), [])

    def refused(self, command, /, **parameters):
        """The code and the text of a refusal."""
        reply = self.reply(command, **parameters)
        (document,) = reply.json().values()
        assert reply.status_code == document["errorcode"]
        return document["errorcode"], document["errortext"]

    def job(self, job_id):
        return self.call("queryAsyncJobResult", jobid=job_id)

    def run(self, command, /, **parameters):
        """A command and its job to the end; the job's document."""
        return self.job(self.call(command, **parameters)["jobid"])

    def done(self, command, /, **parameters):
        """What is in the result of a job that has to be good."""
        job = self.run(command, **parameters)
        assert job["jobstatus"] == 1, job
        (result,) = job["jobresult"].values()
        return result

    def failed(self, command, /, **parameters):
        """The code and the text of a job that has to fail."""
        job = self.run(command, **parameters)
        assert job["jobstatus"] == 2, job
        return job["jobresult"]["errorcode"], job["jobresult"]["errortext"]


class Clock:
    """A clock that a test may put forward: `clock.now += 5`."""

    now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cloud(clock):
    return simulator.cloud("lisbon", instances=10, clock=clock)


@pytest.fixture
def slow(cloud):
    """The cloud, whose changes of state last four seconds."""
    cloud.behaviour = Behaviour(state_delay=4.0)
    return cloud


@pytest.fixture
def url(cloud):
    with serve([cloud]) as urls:
        yield urls["lisbon"]


@pytest.fixture
def api(cloud, url, clock):
    client = Api(cloud.settings(url), clock)
    yield client
    client.http.close()


@pytest.fixture
def admin(cloud, url, clock):
    client = Api(cloud.settings(url, user="admin"), clock)
    yield client
    client.http.close()


@pytest.fixture(scope="module")
def make_api():
    """Makes further clients."""
    clients = []

    def make(settings, clock=time.time):
        clients.append(Api(settings, clock))
        return clients[-1]

    yield make
    for client in clients:
        client.http.close()


@pytest.fixture
def deployable(api):
    """The parameters of an ordinary deployment."""
    zone = api.rows("listZones", name="adv-1")[0]
    offering = api.rows("listServiceOfferings", name="Small Instance")[0]
    template = api.rows("listTemplates", templatefilter="executable", zoneid=zone["id"])[0]
    return {
        "zoneid": zone["id"],
        "serviceofferingid": offering["id"],
        "templateid": template["id"],
    }
