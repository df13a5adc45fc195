"""Swift, gnocchi and cinder's attachments: the simulator answers as the real services do."""

from __future__ import annotations

import time
import uuid

import pytest

OBJECTS = "object/v1/AUTH_{project}"


@pytest.fixture
def bucket(sides):
    name = f"differential-{uuid.uuid4().hex[:8]}"
    for side in sides:
        side.names["bucket"], side.names["objects"] = name, side.fill(f"{OBJECTS}/{name}")
        assert side.ask("PUT", f"{OBJECTS}/{name}").status_code == 201
    yield "{objects}"
    for side in sides:
        for end in ("", "_segments"):
            path = f"{OBJECTS}/{name}{end}"
            listed = side.ask("GET", f"{path}?format=json")
            for item in listed.json() if listed.status_code == 200 else ():
                side.ask("DELETE", f"{path}/{item['name']}")
            side.ask("DELETE", path)


def same(sides, method, target, *names, **options):
    """Compare, and of the headers those that are named: both have them, or neither."""
    replies = sides.compare(method, target, **options)
    ours, theirs = (reply.headers for reply in replies)
    for name in names:
        assert ours.get(name) == theirs.get(name), (name, ours, theirs)
    return replies


@pytest.mark.parametrize("token", ["", "gAAAAABnope"])
@pytest.mark.parametrize("target", [f"{OBJECTS}?format=json", "metric/v1/resource/instance"])
def test_bad_tokens(sides, target, token):
    sides.compare("GET", target, token=token)


def test_accounts_and_containers(sides, bucket):
    counts = ("x-container-object-count", "x-container-bytes-used", "x-storage-policy")
    same(sides, "PUT", bucket)
    same(sides, "HEAD", bucket, *counts)
    same(sides, "GET", f"{bucket}?format=json", *counts)
    same(sides, "GET", bucket, *counts)
    for target in (f"{OBJECTS}/no-such", f"{OBJECTS}/no-such?format=json"):
        for method in ("GET", "HEAD", "DELETE", "POST"):
            same(sides, method, target)
    same(sides, "PUT", f"{OBJECTS}/{'x' * 257}")
    same(sides, "PUT", f"{OBJECTS}/x", headers={"x-storage-policy": "gold"})
    same(sides, "GET", "object/v1/AUTH_nobody?format=json")
    same(sides, "GET", "object/v2/x")
    for query in ("limit=10001", "limit=0", "limit=zz"):
        same(sides, "GET", f"{bucket}?format=json&{query}")


def test_objects(sides, bucket):
    described = ("content-type", "etag", "content-length", "x-object-meta-a", "x-object-meta-b-c")
    headers = {"content-type": "text/x", "x-object-meta-a": "1", "x-object-meta-b_c": "2"}
    same(sides, "PUT", f"{bucket}/dir/a%20b", "etag", content=b"hello", headers=headers)
    for method in ("HEAD", "GET"):
        same(sides, method, f"{bucket}/dir/a%20b", *described)
    for wanted in ("bytes=1-2", "bytes=-2", "bytes=3-", "bytes=9-", "nonsense"):
        names = ("content-range", "content-length")
        ours, theirs = same(sides, "GET", f"{bucket}/dir/a%20b", *names, headers={"range": wanted})
        assert theirs.status_code >= 400 or ours.content == theirs.content
    same(sides, "PUT", f"{bucket}/y", content=b"hello", headers={"etag": "0" * 32})
    same(sides, "PUT", f"{bucket}/{'y' * 1025}", content=b"hello")
    same(sides, "PUT", f"{OBJECTS}/no-such/y", content=b"hello")
    same(sides, "POST", f"{bucket}/dir/a%20b", headers={"x-object-meta-b-c": "3"})
    same(sides, "HEAD", f"{bucket}/dir/a%20b", *described)
    for name in ("a", "b/1", "b/2", "c"):
        same(sides, "PUT", f"{bucket}/{name}", "etag", content=b"")
    for query in (
        "",
        "&limit=2",
        "&marker=b/1",
        "&prefix=b/",
        "&delimiter=/",
        "&end_marker=b/2",
        "&reverse=true&limit=2",
        "&prefix=b/&delimiter=/",
    ):
        ours, theirs = same(sides, "GET", f"{bucket}?format=json{query}")
        names = [[i.get("name", i.get("subdir")) for i in r.json()] for r in (ours, theirs)]
        assert names[0] == names[1], query
    same(sides, "DELETE", bucket)
    same(sides, "DELETE", f"{bucket}/a")
    same(sides, "DELETE", f"{bucket}/a")
    for method in ("GET", "HEAD", "POST"):
        same(sides, method, f"{bucket}/a")


def test_static_large_objects(sides, bucket):
    segments = bucket + "_segments"
    same(sides, "PUT", segments)
    etags = [
        same(sides, "PUT", f"{segments}/s/{part}", content=part.encode() * 10)[1].headers["etag"]
        for part in ("1", "2")
    ]
    paths = ["/{bucket}_segments/s/" + part for part in ("1", "2")]
    right = [
        {"path": path, "etag": etag, "size_bytes": 10}
        for path, etag in zip(paths, etags, strict=True)
    ]
    manifest = f"{bucket}/big?multipart-manifest=put"
    for wrong in (
        [{**right[0], "etag": "0" * 32}],
        [{**right[0], "size_bytes": 9}],
        [right[0], {**right[1], "path": "/{bucket}_segments/none"}],
        {},
    ):
        same(sides, "PUT", manifest, body=wrong)
    names = ("etag", "x-static-large-object", "content-length", "x-object-meta-a")
    headers = {"content-type": "text/x", "x-object-meta-a": "1"}
    same(sides, "PUT", manifest, "etag", body=right, headers=headers)
    for method in ("HEAD", "GET"):
        same(sides, method, f"{bucket}/big", *names)
    same(sides, "GET", f"{bucket}/big?multipart-manifest=get", "x-static-large-object", depth=3)
    same(sides, "GET", f"{bucket}?format=json", depth=3)
    same(sides, "POST", f"{bucket}/big", headers={"x-object-meta-a": "2"})
    same(sides, "HEAD", f"{bucket}/big", *names)
    same(sides, "PUT", f"{bucket}/small", content=b"x")
    accept = {"accept": "application/json"}
    for name in ("small", "none", "big"):
        target = f"{bucket}/{name}?multipart-manifest=delete"
        ours, theirs = same(sides, "DELETE", target, headers=accept)
        assert ours.json()["Response Status"] == theirs.json()["Response Status"]
        assert ours.json()["Number Deleted"] == theirs.json()["Number Deleted"]
    same(sides, "GET", f"{segments}?format=json")


def test_volumes_at_a_server(sides):
    body = {"volume": {"size": 1, "name": "differential"}}
    for side in sides:
        made = side.ask("POST", "volume/v3/volumes", body=body)
        side.names["volume"] = made.json()["volume"]["id"]
    path, nobody = "volume/v3/volumes/{volume}", "00000000-0000-0000-0000-000000000000"
    attachments = "compute/v2.1/servers/{server}/os-volume_attachments"
    wanted = {"volumeAttachment": {"volumeId": "{volume}"}}
    try:
        settle(sides, path, "available")
        for ident in ("nope", nobody):
            sides.compare("POST", attachments, body={"volumeAttachment": {"volumeId": ident}})
            sides.compare("GET", f"{attachments}/{ident}")
            sides.compare("DELETE", f"{attachments}/{ident}")
        sides.compare("POST", attachments, body=wanted)
        settle(sides, path, "in-use")
        sides.compare("GET", path, depth=3)
        sides.compare("GET", f"{attachments}/" + "{volume}", depth=3)
        sides.compare("POST", attachments, body=wanted)
        sides.compare("DELETE", path)
        snapshot = {"volume_id": "{volume}", "name": "differential"}
        sides.compare("POST", "volume/v3/snapshots", body={"snapshot": snapshot})
        replies = sides.compare(
            "POST", "volume/v3/snapshots", body={"snapshot": {**snapshot, "force": True}}
        )
        for side, reply in zip(sides, replies, strict=True):
            side.names["snapshot"] = reply.json()["snapshot"]["id"]
        settle(sides, "volume/v3/snapshots/{snapshot}", "available")
        sides.compare("GET", "volume/v3/snapshots/{snapshot}", depth=3)
        sides.compare("GET", "volume/v3/snapshots/detail?name=differential", depth=3)
        sides.compare("DELETE", f"{attachments}/" + "{volume}")
        settle(sides, path, "available")
        sides.compare("GET", path, depth=3)
        sides.compare("DELETE", path)
        sides.compare("DELETE", "volume/v3/snapshots/{snapshot}")
        settle(sides, "volume/v3/snapshots/{snapshot}", None)
    finally:
        for side in sides:
            side.ask("DELETE", f"{path}?cascade=true")


@pytest.mark.parametrize(
    "volume",
    [
        {"size": 1, "availability_zone": "az-q"},
        {"size": 1, "snapshot_id": "00000000-0000-0000-0000-000000000000"},
        {"size": 1, "name": "x" * 256},
        {"size": 1, "metadata": {"é": ""}},
    ],
)
def test_volumes_that_are_refused(sides, volume):
    sides.compare("POST", "volume/v3/volumes", body={"volume": volume})


def settle(sides, path, status):
    """Wait until both are so; None: gone."""
    for side in sides:
        for _ in range(200):
            reply = side.ask("GET", path)
            if reply.status_code == 404:
                assert status is None
                break
            if next(iter(reply.json().values()))["status"] == status:
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"{status} was not reached: {reply.text}")


def test_metrics(sides):
    if sides.real.ask("GET", "metric/v1/").status_code != 200:
        pytest.skip("the lab has no gnocchi")
    ident = str(uuid.uuid4())
    resource = f"metric/v1/resource/instance/{ident}"
    made = {"id": ident, "display_name": "differential"}
    series = {"a": {"archive_policy_name": "lab", "unit": "MB"}}
    search = "metric/v1/search/resource/instance?limit=1&sort=id:asc"
    try:
        sides.compare("GET", "metric/")
        sides.compare("POST", "metric/v1/resource/instance", body={"id": ident})
        body = {**made, "metrics": series}
        replies = sides.compare("POST", "metric/v1/resource/instance", body=body, depth=3)
        for side, reply in zip(sides, replies, strict=True):
            side.names["series"] = reply.json()["metrics"]["a"]
        sides.compare("POST", "metric/v1/resource/instance", body=body)
        sides.compare("GET", resource, depth=3)
        ours, theirs = sides.compare(
            "GET", f"{resource}/metric", depth=4, drop=["definition/timespan"]
        )
        policies = [r.json()[0]["archive_policy"] for r in (ours, theirs)]
        assert policies[0]["definition"] == policies[1]["definition"]
        replies = sides.compare("POST", search, body={"=": {"ended_at": None}}, depth=1)
        assert all('rel="next"' in reply.headers["link"] for reply in replies)
        for start, word in (("60", "mean"), ("60", "rate:mean"), ("7", "mean")):
            target = f"metric/v1/aggregates?start=-3600s&granularity={start}"
            body = {"operations": ["metric", ["{series}", word]]}
            sides.compare("POST", target, depth=1, body=body)
        for unknown in ("nope", str(uuid.uuid4())):
            target = "metric/v1/aggregates?start=-3600s&granularity=60"
            sides.compare("POST", target, body={"operations": ["metric", [unknown, "mean"]]})
            for end in ("", "/metric"):
                sides.compare("GET", f"metric/v1/resource/instance/{unknown}{end}")
        sides.compare("POST", f"{search}&marker={uuid.uuid4()}", body={"=": {"ended_at": None}})
        measures = {ident: {"nope": [{"timestamp": "2026-01-01T00:00:00", "value": 1}]}}
        target = "metric/v1/batch/resources/metrics/measures"
        sides.compare("POST", target, body=measures)
        sides.compare("POST", target, body={ident: {"a": measures[ident]["nope"]}})
        sides.compare("GET", "metric/v1/nope")
    finally:
        sides.compare("DELETE", resource)
    sides.compare("DELETE", resource)
