"""Documents of cinder, swift and gnocchi as models, odd ones included."""

from datetime import UTC, datetime

import msgspec
import pytest

from anabranch.errors import InvalidRequest
from anabranch.models import BlobSpec, StorageSnapshotState, StorageVolumeState, to_builtins
from anabranch.reading import Reader
from anabranch_openstack import (
    convert_blobs,
    convert_metrics,
    convert_storage,
    wire_blobs,
    wire_metrics,
    wire_storage,
)


def volume(**fields):
    raw = msgspec.Raw(msgspec.json.encode({"id": "v", **fields}))
    wire = msgspec.json.decode(raw, type=wire_storage.Volume)
    return convert_storage.volume("lisbon", wire, raw)


def read_all(kind, convert, *documents):
    raws = [msgspec.Raw(msgspec.json.encode(document)) for document in documents]
    return Reader(kind).read_all(raws, convert)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("creating", "CREATING"),
        ("available", "AVAILABLE"),
        ("reserved", "ATTACHING"),
        ("attaching", "ATTACHING"),
        ("in-use", "IN-USE"),
        ("detaching", "BUSY"),
        ("extending", "BUSY"),
        ("deleting", "DELETING"),
        ("error", "ERROR"),
        ("error_deleting", "ERROR"),
        ("transmogrifying", "UNKNOWN"),
    ],
)
def test_states_of_volumes(status, state):
    found = volume(status=status)
    assert (found.state, found.platform_state) == (StorageVolumeState(state), status)


def test_a_volume_of_which_next_to_nothing_is_told():
    found = volume()
    assert (found.name, found.description, found.capacity_gb) == ("", "", None)
    assert (found.bootable, found.created_at, dict(found.tags)) == (None, None, {})
    nulls = volume(**dict.fromkeys(("name", "size", "attachments", "metadata", "bootable")))
    assert to_builtins(nulls) == to_builtins(found)


def test_a_volume_at_several_instances():
    at = [{"server_id": s, "device": f"/dev/vd{s}"} for s in "bc"]
    found = volume(attachments=at)
    assert (found.instance_id, found.device) == ("b", "/dev/vdb")
    assert found.extra["attachments"] == at
    assert "<script>" in to_builtins(volume(name="<script>"))["name"]


def test_an_odd_volume_spoils_no_list():
    items, problems = read_all(
        wire_storage.Volume,
        lambda wire, raw: convert_storage.volume("lisbon", wire, raw),
        {"id": "1", "size": "big", "name": "é"},
        {"name": "without an id"},
        ["no object"],
        {"id": "2"},
    )
    assert [(v.id, v.name, v.capacity_gb) for v in items] == [("1", "é", None), ("2", "", None)]
    assert [p.id for p in problems] == ["1", "without an id", ""]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("creating", "CREATING"),
        ("available", "AVAILABLE"),
        ("backing-up", "AVAILABLE"),
        ("deleting", "DELETING"),
        ("error_deleting", "ERROR"),
        ("new", "UNKNOWN"),
    ],
)
def test_states_of_snapshots(status, state):
    raw = msgspec.Raw(msgspec.json.encode({"id": "s", "status": status}))
    wire = msgspec.json.decode(raw, type=wire_storage.Snapshot)
    found = convert_storage.snapshot("lisbon", wire, raw)
    assert (found.state, found.platform_state) == (StorageSnapshotState(state), status)


def test_quotas_without_limit_and_without_figures():
    limits = {"maxTotalVolumes": -1, "totalVolumesUsed": 2, "maxTotalSnapshots": "many"}
    [found] = convert_storage.quotas("lisbon", limits)
    assert (found.id, found.limit, found.used) == ("volumes", None, 2)


def test_odd_blobs_spoil_no_list():
    items, problems = read_all(
        wire_blobs.Object,
        lambda wire, raw: convert_blobs.blob("lisbon", "b", wire, raw),
        {"name": "a", "bytes": None, "last_modified": "yesterday"},
        {"subdir": "dir/"},
        {"name": "c", "bytes": 3, "hash": "h", "slo_etag": '"s"', "symlink_path": "/x"},
    )
    assert [(b.id, b.content_length, b.etag) for b in items] == [("a", None, None), ("c", 3, "s")]
    assert items[1].extra["symlink_path"] == "/x"
    assert len(problems) == 2


def test_headers_that_tell_little():
    blob = convert_blobs.described_blob("lisbon", "b", "x", {"content-length": "?"})
    assert (blob.content_length, blob.etag, blob.last_modified) == (None, None, None)
    dated = {"x-timestamp": "never", "last-modified": "Thu, 26 Nov 2026 00:17:34 GMT"}
    assert convert_blobs.described_blob("lisbon", "b", "x", dated).last_modified is None
    del dated["x-timestamp"]
    blob = convert_blobs.described_blob("lisbon", "b", "x", dated)
    assert blob.last_modified == datetime(2026, 11, 26, 0, 17, 34, tzinfo=UTC)
    bucket = convert_blobs.described_bucket("lisbon", "b", {})
    assert (bucket.blob_count, bucket.size_bytes, bucket.created_at) == (None, None, None)


def test_what_was_stored_is_what_was_sent():
    spec = BlobSpec(bucket_id="b", name="x", metadata={"A": "1"})
    blob = convert_blobs.stored_blob("lisbon", spec, 3, {"etag": '"e"'})
    assert (blob.content_length, blob.etag, dict(blob.metadata)) == (3, "e", {"a": "1"})


def test_two_names_of_metadata_that_differ_by_case():
    with pytest.raises(InvalidRequest, match="there twice"):
        convert_blobs.metadata_headers({"a": "1", "A": "2"})


def test_an_odd_resource_spoils_no_list():
    items, problems = read_all(
        wire_metrics.Resource,
        lambda wire, raw: convert_metrics.metric("lisbon", wire, raw),
        {"id": "1", "metrics": None},
        {"id": "2", "metrics": ["?"], "display_name": "n"},
        {"id": "3", "original_resource_id": "three", "metrics": {"b": "i", "a": "j"}},
    )
    assert [m.id for m in items] == ["1", "2", "three"]
    assert [s.name for s in items[2].series] == ["a", "b"]
    assert [p.id for p in problems] == ["2"]
