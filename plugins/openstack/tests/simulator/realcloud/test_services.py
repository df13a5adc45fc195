"""Glance, neutron and cinder: the simulator answers as the real services do."""

from __future__ import annotations

import time

import pytest


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
    sides.compare("GET", target, depth=1)


def test_the_life_of_an_image(sides):
    wanted = {"name": "differential", "disk_format": "raw", "container_format": "bare"}
    octets = {"content-type": "application/octet-stream"}
    patch = {"content-type": "application/openstack-images-v2.1-json-patch"}
    replies = sides.compare("POST", "image/v2/images", body=wanted)
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
        sides.compare(method, target, body=body, content=content, headers=headers)


@pytest.mark.parametrize(
    "target",
    [
        "network/v2.0/networks?name=private",
        "network/v2.0/networks?name=public",
        "network/v2.0/networks?name=private&fields=id&fields=name",
        "network/v2.0/networks?limit=1&sort_key=name&sort_dir=asc",
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
    sides.compare("GET", target, depth=3)


def test_network_changes(sides):
    for method, target, body in (
        ("POST", "network/v2.0/networks", {}),
        ("POST", "network/v2.0/networks", {"network": {"colour": "red"}}),
        ("DELETE", "network/v2.0/networks/nope", None),
        ("DELETE", "network/v2.0/networks/{network}", None),
        ("PATCH", "network/v2.0/networks/{network}", {}),
    ):
        sides.compare(method, target, body=body)


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
    sides.compare("GET", target, depth=3, mv=mv)


def test_the_life_of_a_volume(sides):
    for volume in ({}, {"size": 0}, {"size": "big"}, {"size": 1, "volume_type": "nope"}):
        sides.compare("POST", "volume/v3/volumes", body={"volume": volume})
    body = {"volume": {"size": 1, "name": "differential"}}
    replies = sides.compare("POST", "volume/v3/volumes", body=body)
    for side, reply in zip(sides, replies, strict=True):
        side.names["volume"] = reply.json()["volume"]["id"]
    path = "volume/v3/volumes/{volume}"
    try:
        for _ in range(100):
            if sides[1].ask("GET", path).json()["volume"]["status"] == "available":
                break
            time.sleep(0.1)
        for mv in (None, "3.13", "3.48", "3.63", "3.70"):
            sides.compare("GET", path, mv=mv)
        sides.compare("GET", "volume/v3/volumes/detail?name=differential")
        sides.compare("POST", "volume/v3/snapshots", body={"snapshot": {"volume_id": "nope"}})
    finally:
        sides.compare("DELETE", path)
