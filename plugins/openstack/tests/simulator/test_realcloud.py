"""The simulator and a real OpenStack get the same requests and must answer alike.

Compared are the status, the kind of the body, and its keys down to a given depth; what one of the
two may have more is named with the request. Bodies and paths may refer to what each side has:
`{flavor}`, `{image}`, `{network}`, `{server}`, `{project}`, `{user}`.
"""

from __future__ import annotations

import json
import os
import time

import httpx
import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_openstack.simulator import simulator

STATE = "/var/tmp/oslab"
REAL = {
    "identity": "http://127.0.0.1:15000",
    "compute": "http://127.0.0.1:18774",
    "image": "http://127.0.0.1:19292",
    "network": "http://127.0.0.1:19696",
    "volume": "http://127.0.0.1:18776",
}


def is_up() -> bool:
    try:
        return os.path.isdir(STATE) and httpx.get(REAL["identity"], timeout=2).status_code == 300
    except httpx.TransportError:
        return False


pytestmark = [
    pytest.mark.realcloud,
    pytest.mark.skipif(not is_up(), reason=f"no OpenStack lab is up ({STATE})"),
    pytest.mark.timeout(300),
]

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
    """One of the two clouds, with the ids that requests may refer to."""

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


@pytest.fixture(scope="module")
def sides():
    cloud = simulator.cloud("twin", instances=1, behaviour=Behaviour(), max_microversion=104)
    for server in cloud.servers:
        server.name = "seeded"
    with serve([cloud]) as urls:
        roots = {name: f"{urls['twin']}/{name}" for name in REAL}
        simulated, real = Side(roots), Side(REAL)
        try:
            simulated.make_server()
            real.make_server()
            yield simulated, real
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


def compare(sides, method, target, depth=2, drop=(), **options):
    simulated, real = (side.ask(method, target, **options) for side in sides)
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
        if "message" in inner and "type" not in inner:
            ours = next(iter(simulated.json().values()))["message"]
            assert neutral(sides[0], ours) == neutral(sides[1], inner["message"]), where
    return simulated, real


def neutral(side: Side, text: str) -> str:
    for name, value in side.names.items():
        text = text.replace(value, "{" + name + "}")
    return text.split("\n")[0]


@pytest.mark.parametrize(
    ("target", "drop"),
    [
        ("identity/", ()),
        ("identity/v3", ()),
        ("compute/", ()),
        ("compute/v2.1/", ()),
        ("image/", ()),
        ("network/", ()),
        ("volume/", ()),
        ("volume/v3", ()),
    ],
)
def test_version_documents(sides, target, drop):
    compare(sides, "GET", target, depth=3, drop=drop, token="")


@pytest.mark.parametrize(
    "target",
    [
        "compute/v2.1/servers",
        "image/v2/images",
        "network/v2.0/networks",
        "volume/v3/volumes",
        "identity/v3/auth/projects",
    ],
)
@pytest.mark.parametrize("token", ["", "gAAAAABnope"])
def test_bad_tokens(sides, target, token):
    compare(sides, "GET", target, token=token)


@pytest.mark.parametrize(
    "auth",
    [
        LOGIN,
        {**LOGIN, "scope": "unscoped"},
        {"identity": LOGIN["identity"]},
        {**LOGIN, "scope": {"domain": {"id": "default"}}},
        {**LOGIN, "scope": {"project": {"name": "admin", "domain": {"id": "default"}}}},
        {"identity": {"methods": ["token"], "token": {"id": "bad"}}},
        {
            "identity": {
                "methods": ["application_credential"],
                "application_credential": {"id": "bad", "secret": "x"},
            }
        },
        {"identity": {"methods": ["nope"]}},
        {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "demo", "password": "demo-secret"}},
            }
        },
        {},
    ],
)
def test_logins(sides, auth):
    compare(sides, "POST", "identity/v3/auth/tokens?nocatalog", body={"auth": auth}, token="")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "identity/v3/auth/projects"),
        ("GET", "identity/v3/auth/domains"),
        ("GET", "identity/v3/auth/system"),
        ("GET", "identity/v3/users/{user}"),
        ("GET", "identity/v3/projects/{project}"),
        ("GET", "identity/v3/projects"),
        ("GET", "identity/v3/nope"),
        ("DELETE", "identity/v3/auth/projects"),
    ],
)
def test_identity(sides, method, target):
    compare(sides, method, target, depth=3)


@pytest.mark.parametrize("mv", [None, "2.2", "2.47", "2.69", "2.73", "2.90", "2.96", "2.100"])
@pytest.mark.parametrize(
    "target",
    [
        "compute/v2.1/servers?name=differential",
        "compute/v2.1/servers/detail?name=differential",
        "compute/v2.1/servers/{server}",
        "compute/v2.1/flavors?limit=1",
        "compute/v2.1/flavors/detail?limit=1",
        "compute/v2.1/flavors/{flavor}",
        "compute/v2.1/os-keypairs",
        "compute/v2.1/os-keypairs/demo-key",
        "compute/v2.1/os-availability-zone",
        "compute/v2.1/limits",
        "compute/v2.1/os-quota-sets/{project}",
        "compute/v2.1/os-quota-sets/{project}/detail",
        "compute/v2.1/servers/{server}/os-interface",
        "compute/v2.1/servers/{server}/os-volume_attachments",
        "compute/v2.1/servers/{server}/os-instance-actions",
        "compute/v2.1/servers/{server}/metadata",
        "compute/v2.1/servers/{server}/tags",
        "compute/v2.1/servers/{server}/ips",
        "compute/v2.1/servers/{server}/diagnostics",
    ],
)
def test_compute_reads(sides, target, mv):
    own = ("metadata", "image/properties")
    drop = [f"{where}/{what}" for where in ("server", "servers") for what in own]
    compare(sides, "GET", target, depth=4, drop=drop, mv=mv)


@pytest.mark.parametrize(
    ("target", "mv"),
    [
        ("compute/v2.1/servers?limit=-1", None),
        ("compute/v2.1/servers?marker=nope", None),
        ("compute/v2.1/servers?status=banana", None),
        ("compute/v2.1/servers?status=banana", "2.38"),
        ("compute/v2.1/servers?all_tenants=1", None),
        ("compute/v2.1/servers?changes-since=zz", None),
        ("compute/v2.1/servers?colour=red&name=differential", None),
        ("compute/v2.1/servers?colour=red", "2.75"),
        ("compute/v2.1/servers?metadata=%7B%22no%22%3A%22such%22%7D&name=differential", "2.96"),
        ("compute/v2.1/servers?tags=no&name=differential", "2.25"),
        ("compute/v2.1/servers?tags=no&name=differential", "2.26"),
        ("compute/v2.1/servers?availability_zone=no&name=differential", "2.83"),
        ("compute/v2.1/servers?limit=0", None),
        ("compute/v2.1/servers/nope", None),
        ("compute/v2.1/flavors/nope", None),
        ("compute/v2.1/flavors?marker=nope", None),
        ("compute/v2.1/flavors?minDisk=zz", None),
        ("compute/v2.1/flavors", "2.9999"),
        ("compute/v2.1/flavors", "banana"),
        ("compute/v2.1/flavors", "2.01"),
        ("compute/v2.1/os-keypairs/nope", None),
        ("compute/v2.1/os-keypairs?limit=1&marker=zz", "2.35"),
        ("compute/v2.1/nope", None),
        ("compute/nope", None),
        ("compute/v2.1/servers/{server}/metadata/nope", None),
        ("compute/v2.1/servers/{server}/tags/nope", "2.26"),
        ("compute/v2.1/servers/{server}/ips/nope", None),
        ("compute/v2.1/servers/{server}/os-interface/nope", None),
        ("compute/v2.1/servers/{server}/os-volume_attachments/nope", None),
        ("compute/v2.1/os-availability-zone/detail", None),
        ("compute/v2.1/os-hypervisors", None),
        ("compute/v2.1/os-services", None),
    ],
)
def test_compute_refusals(sides, target, mv):
    compare(sides, "GET", target, depth=2, mv=mv)


GOOD = {"name": "x", "flavorRef": "{flavor}", "imageRef": "{image}"}


@pytest.mark.parametrize(
    ("server", "mv"),
    [
        ({"name": "x"}, None),
        ({**GOOD, "name": ""}, None),
        ({**GOOD, "flavorRef": "999"}, None),
        ({**GOOD, "imageRef": "nope"}, None),
        ({**GOOD, "imageRef": "00000000-0000-0000-0000-000000000000"}, None),
        ({"name": "x", "flavorRef": "{flavor}"}, None),
        ({**GOOD, "networks": "auto"}, None),
        (GOOD, "2.37"),
        ({**GOOD, "networks": "bad"}, "2.37"),
        ({**GOOD, "networks": [{"uuid": "nope"}]}, None),
        ({**GOOD, "networks": [{"uuid": "00000000-0000-0000-0000-000000000000"}]}, None),
        ({**GOOD, "key_name": "nope"}, None),
        ({**GOOD, "availability_zone": "nope"}, None),
        ({**GOOD, "metadata": {"a": 1}}, None),
        ({**GOOD, "min_count": 3, "max_count": 2}, None),
        (
            {**GOOD, "security_groups": [{"name": "nope"}], "networks": [{"uuid": "{network}"}]},
            None,
        ),
        ({**GOOD, "tags": ["a/b"], "networks": "none"}, "2.52"),
    ],
)
def test_compute_creation_refusals(sides, server, mv):
    compare(sides, "POST", "compute/v2.1/servers", body={"server": server}, mv=mv)


@pytest.mark.parametrize(
    ("action", "mv"),
    [
        ({"os-start": None}, None),
        ({"unpause": None}, None),
        ({"resume": None}, None),
        ({"unshelve": None}, None),
        ({"unrescue": None}, None),
        ({"confirmResize": None}, None),
        ({"revertResize": None}, None),
        ({"restore": None}, None),
        ({"nope": None}, None),
        ({}, None),
        ({"os-stop": None, "os-start": None}, None),
        ({"reboot": {}}, None),
        ({"reboot": {"type": "X"}}, None),
        ({"resize": {}}, None),
        ({"resize": {"flavorRef": "nope"}}, None),
        ({"resize": {"flavorRef": "{flavor}"}}, None),
        ({"createImage": {}}, None),
        ({"rebuild": {}}, None),
        ({"addSecurityGroup": {"name": "nope"}}, None),
        ({"os-resetState": {"state": "active"}}, None),
        ({"migrate": None}, None),
        ({"shelveOffload": None}, None),
        ({"os-getConsoleOutput": {"length": 2}}, None),
        ({"os-getVNCConsole": {"type": "novnc"}}, None),
        ({"os-getVNCConsole": {"type": "novnc"}}, "2.6"),
        ({"lock": None}, None),
        ({"os-stop": None}, None),
        ({"unlock": None}, None),
    ],
)
def test_compute_actions_at_an_active_server(sides, action, mv):
    compare(sides, "POST", "compute/v2.1/servers/{server}/action", body=action, mv=mv)


def test_compute_changes(sides):
    server = "compute/v2.1/servers/{server}"
    for method, target, mv, body in (
        ("PUT", server, None, {"server": {"name": "differential"}}),
        ("PUT", server, "2.19", {"server": {"description": "d"}}),
        ("PUT", server, "2.96", {"server": {"name": "differential"}}),
        ("PUT", server, None, {"server": {"name": ""}}),
        ("PUT", server, None, {"server": {"colour": ""}}),
        ("POST", server + "/metadata", None, {"metadata": {"a": "b"}}),
        ("PUT", server + "/metadata", None, {"metadata": {"a": "b"}}),
        ("PUT", server + "/metadata/a", None, {"meta": {"a": "c"}}),
        ("PUT", server + "/metadata/a", None, {"meta": {"x": "c"}}),
        ("DELETE", server + "/metadata/a", None, None),
        ("PUT", server + "/tags", "2.26", {"tags": ["a", "b"]}),
        ("PUT", server + "/tags/a", "2.26", None),
        ("PUT", server + "/tags/c", "2.26", None),
        ("DELETE", server + "/tags/c", "2.26", None),
        ("DELETE", server + "/tags/z", "2.26", None),
        ("DELETE", server + "/tags", "2.26", None),
        (
            *("POST", server + "/remote-consoles", "2.6"),
            {"remote_console": {"protocol": "vnc", "type": "novnc"}},
        ),
        (
            *("POST", server + "/remote-consoles", "2.6"),
            {"remote_console": {"protocol": "x", "type": "novnc"}},
        ),
        (
            *("POST", server + "/os-volume_attachments", None),
            {"volumeAttachment": {"volumeId": "00000000-0000-0000-0000-000000000000"}},
        ),
        (
            *("POST", server + "/os-volume_attachments", None),
            {"volumeAttachment": {"volumeId": "x"}},
        ),
    ):
        compare(sides, method, target, mv=mv, body=body)


def test_compute_states(sides):
    target = "compute/v2.1/servers/{server}/action"
    for action, status in (
        ({"pause": None}, "PAUSED"),
        ({"pause": None}, "PAUSED"),
        ({"os-start": None}, "PAUSED"),
        ({"unpause": None}, "ACTIVE"),
        ({"os-stop": None}, "SHUTOFF"),
        ({"reboot": {"type": "SOFT"}}, "SHUTOFF"),
        ({"os-start": None}, "ACTIVE"),
        ({"rescue": None}, "RESCUE"),
        ({"os-stop": None}, "RESCUE"),
        ({"unrescue": None}, "ACTIVE"),
        ({"shelve": None}, "SHELVED_OFFLOADED"),
        ({"reboot": {"type": "HARD"}}, "SHELVED_OFFLOADED"),
        ({"unshelve": None}, "ACTIVE"),
        ({"resize": {"flavorRef": "{tiny}"}}, "VERIFY_RESIZE"),
        ({"os-start": None}, "VERIFY_RESIZE"),
        ({"confirmResize": None}, "ACTIVE"),
        ({"resize": {"flavorRef": "{flavor}"}}, "VERIFY_RESIZE"),
        ({"revertResize": None}, "ACTIVE"),
        ({"rebuild": {"imageRef": "{image}"}}, "ACTIVE"),
    ):
        compare(sides, "POST", target, body=action)
        for side in sides:
            side.settle(status)


def test_keypairs(sides):
    path = "compute/v2.1/os-keypairs"
    try:
        compare(sides, "POST", path, body={"keypair": {"name": "differential"}})
        compare(sides, "POST", path, body={"keypair": {"name": "differential"}})
        for mv, body in (
            (None, {}),
            (None, {"name": "a/b"}),
            (None, {"name": "z", "public_key": "garbage"}),
            ("2.2", {"name": "z", "public_key": "garbage", "type": "zz"}),
            ("2.92", {"name": "gen"}),
        ):
            compare(sides, "POST", path, body={"keypair": body}, mv=mv)
    finally:
        compare(sides, "DELETE", path + "/differential")
    compare(sides, "DELETE", path + "/differential", mv="2.2")


@pytest.mark.parametrize(
    "target",
    [
        "image/v2/images?limit=1",
        "image/v2/images?limit=x",
        "image/v2/images?limit=-1",
        "image/v2/images?marker=nope",
        "image/v2/images?status=zz",
        "image/v2/images?visibility=zz",
        "image/v2/images?sort=zz",
        "image/v2/images/nope",
        "image/v2/images/{image}/members",
        "image/v2/info/import",
        "image/v2/nope",
        "image/v2",
    ],
)
def test_images(sides, target):
    compare(sides, "GET", target, depth=1)


def test_the_life_of_an_image(sides):
    wanted = {"name": "differential", "disk_format": "raw", "container_format": "bare"}
    octets = {"content-type": "application/octet-stream"}
    patch = {"content-type": "application/openstack-images-v2.1-json-patch"}
    replies = compare(sides, "POST", "image/v2/images", body=wanted)
    for side, reply in zip(sides, replies, strict=True):
        side.names["own"] = reply.json()["id"]
    own = "image/v2/images/{own}"
    steps = (
        ("GET", own, None, None, None),
        ("GET", own + "/file", None, None, None),
        ("POST", "image/v2/images", {"name": 5}, None, None),
        ("POST", "image/v2/images", {"disk_format": "zz"}, None, None),
        ("POST", "image/v2/images", {"visibility": "public"}, None, None),
        ("PATCH", own, [{"op": "replace", "path": "/name", "value": "b"}], None, None),
        ("PATCH", own, [{"op": "replace", "path": "/name", "value": "b"}], None, patch),
        ("PATCH", own, [{"op": "add", "path": "/foo", "value": "b"}], None, patch),
        ("PATCH", own, [{"op": "replace", "path": "/bar", "value": "b"}], None, patch),
        ("PATCH", own, [{"op": "replace", "path": "/status", "value": "b"}], None, patch),
        ("PATCH", own, {}, None, patch),
        ("PUT", own + "/file", None, b"x" * 1024, octets),
        ("PUT", own + "/file", None, b"x" * 1024, octets),
        ("GET", own, None, None, None),
        ("GET", own + "/file", None, None, None),
        ("PUT", own + "/tags/t", None, None, None),
        ("DELETE", own + "/tags/z", None, None, None),
        ("DELETE", "image/v2/images/{image}", None, None, None),
        ("DELETE", own, None, None, None),
        ("DELETE", own, None, None, None),
    )
    for method, target, body, content, headers in steps:
        compare(sides, method, target, body=body, content=content, headers=headers)


@pytest.mark.parametrize(
    "target",
    [
        "network/v2.0/networks?name=private",
        "network/v2.0/networks?name=public",
        "network/v2.0/networks?name=private&fields=id&fields=name",
        "network/v2.0/networks?limit=1",
        "network/v2.0/networks?limit=1&marker=nope",
        "network/v2.0/networks?sort_key=id",
        "network/v2.0/networks?colour=red",
        "network/v2.0/networks?limit=zz",
        "network/v2.0/networks/nope",
        "network/v2.0/networks/{network}",
        "network/v2.0/subnets?name=private-v4",
        "network/v2.0/ports?device_id={server}",
        "network/v2.0/ports/nope",
        "network/v2.0/security-groups?name=default&fields=id&fields=name&fields=stateful",
        "network/v2.0/extensions/security-group",
        "network/v2.0/availability_zones",
        "network/v2.0/nope",
        "network/nope",
        "network/v2.0",
    ],
)
def test_networks(sides, target):
    compare(sides, "GET", target, depth=3)


def test_network_changes(sides):
    for method, target, body in (
        ("POST", "network/v2.0/networks", {}),
        ("POST", "network/v2.0/networks", {"network": {"colour": "red"}}),
        ("DELETE", "network/v2.0/networks/nope", None),
        ("DELETE", "network/v2.0/networks/{network}", None),
        ("PATCH", "network/v2.0/networks/{network}", {}),
    ):
        compare(sides, method, target, body=body)


@pytest.mark.parametrize(
    ("target", "mv"),
    [
        ("volume/v3/", None),
        ("volume/v3/types?limit=1", None),
        ("volume/v3/types/nope", None),
        ("volume/v3/volumes/nope", None),
        ("volume/v3/volumes?limit=1&marker=zz", None),
        ("volume/v3/volumes", "3.999"),
        ("volume/v3/{project}/volumes", None),
        ("volume/v3/nobody/volumes", None),
        ("volume/v3/snapshots/nope", None),
        ("volume/v3/snapshots", None),
        ("volume/v3/os-availability-zone", None),
        ("volume/v3/limits", None),
        ("volume/v3/nope", None),
        ("volume/nope", None),
    ],
)
def test_volumes(sides, target, mv):
    compare(sides, "GET", target, depth=3, mv=mv)


def test_the_life_of_a_volume(sides):
    for volume in ({}, {"size": 0}, {"size": "big"}, {"size": 1, "volume_type": "nope"}):
        compare(sides, "POST", "volume/v3/volumes", body={"volume": volume})
    body = {"volume": {"size": 1, "name": "differential"}}
    replies = compare(sides, "POST", "volume/v3/volumes", body=body)
    for side, reply in zip(sides, replies, strict=True):
        side.names["volume"] = reply.json()["volume"]["id"]
    path = "volume/v3/volumes/{volume}"
    try:
        for _ in range(100):
            if sides[1].ask("GET", path).json()["volume"]["status"] == "available":
                break
            time.sleep(0.1)
        for mv in (None, "3.13", "3.48", "3.63", "3.70"):
            compare(sides, "GET", path, mv=mv)
        compare(sides, "GET", "volume/v3/volumes/detail?name=differential")
        compare(sides, "POST", "volume/v3/snapshots", body={"snapshot": {"volume_id": "nope"}})
    finally:
        compare(sides, "DELETE", path)
