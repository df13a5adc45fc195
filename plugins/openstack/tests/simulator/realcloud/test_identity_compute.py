"""Keystone and nova: the simulator answers as the real services do."""

from __future__ import annotations

import pytest

LOGIN = {
    "identity": {
        "methods": ["password"],
        "password": {
            "user": {"name": "demo", "domain": {"id": "default"}, "password": "demo-secret"}
        },
    },
    "scope": {"project": {"name": "demo", "domain": {"id": "default"}}},
}


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
    sides.compare("GET", target, depth=3, drop=drop, token="")


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
    sides.compare("GET", target, token=token)


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
    sides.compare("POST", "identity/v3/auth/tokens?nocatalog", body={"auth": auth}, token="")


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
    sides.compare(method, target, depth=3)


@pytest.mark.parametrize("mv", [None, "2.2", "2.47", "2.69", "2.73", "2.90", "2.96", "2.100"])
@pytest.mark.parametrize(
    "target",
    [
        "compute/v2.1/servers?name=differential",
        "compute/v2.1/servers/detail?name=differential",
        "compute/v2.1/servers/{server}",
        "compute/v2.1/flavors?limit=1",
        "compute/v2.1/flavors/detail?sort_key=memory_mb&limit=1",
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
    sides.compare("GET", target, depth=4, drop=drop, mv=mv)


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
    sides.compare("GET", target, depth=2, mv=mv)


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
    sides.compare("POST", "compute/v2.1/servers", body={"server": server}, mv=mv)


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
    sides.compare("POST", "compute/v2.1/servers/{server}/action", body=action, mv=mv)


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
        sides.compare(method, target, mv=mv, body=body)


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
        sides.compare("POST", target, body=action)
        for side in sides:
            side.settle(status)


def test_keypairs(sides):
    path = "compute/v2.1/os-keypairs"
    try:
        sides.compare("POST", path, body={"keypair": {"name": "differential"}})
        sides.compare("POST", path, body={"keypair": {"name": "differential"}})
        for mv, body in (
            (None, {}),
            (None, {"name": "a/b"}),
            (None, {"name": "z", "public_key": "garbage"}),
            ("2.2", {"name": "z", "public_key": "garbage", "type": "zz"}),
            ("2.92", {"name": "gen"}),
        ):
            sides.compare("POST", path, body={"keypair": body}, mv=mv)
    finally:
        sides.compare("DELETE", path + "/differential")
    sides.compare("DELETE", path + "/differential", mv="2.2")
