"""openstacksdk uses the simulated swift and cinder unmodified."""

from __future__ import annotations

import pytest

from anabranch.testing.simulation import Behaviour, serve
from anabranch_openstack.simulator import simulator

from .test_clients import connect

pytest.importorskip("openstack")

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # requests leaves its pools to the gc
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def sdk():
    cloud = simulator.cloud("lisbon", instances=2, behaviour=Behaviour(state_delay=0.05))
    with serve([cloud]) as urls:
        connection = connect(cloud.settings(urls["lisbon"]))
        yield connection
        connection.close()


def test_openstacksdk_stores_and_reads_objects(sdk):
    store = sdk.object_store
    store.create_container(name="photos")
    sdk.create_object("photos", "a/é 🚀", data=b"hello", metadata={"colour": "red"})
    found = store.get_object_metadata("a/é 🚀", container="photos")
    assert (found.content_length, found.metadata) == (5, {"colour": "red"})
    assert store.download_object("a/é 🚀", container="photos") == b"hello"
    assert [(o.name, o.content_length) for o in store.objects("photos")] == [("a/é 🚀", 5)]
    assert [(c.name, c.count, c.bytes) for c in store.containers()] == [("photos", 1, 5)]
    with pytest.raises(Exception, match="409"):
        store.delete_container("photos")
    store.delete_object("a/é 🚀", container="photos")
    store.delete_container("photos")
    assert list(store.containers()) == []


def test_openstacksdk_uploads_in_segments(sdk, tmp_path):
    content = bytes(range(256)) * 4096
    (tmp_path / "big").write_bytes(content)
    sdk.object_store.create_container(name="photos")
    sdk.create_object(
        "photos", "big", filename=str(tmp_path / "big"), segment_size=300_000, use_slo=True
    )
    assert sdk.object_store.download_object("big", container="photos") == content
    sdk.delete_object("photos", "big")
    assert "big" not in [o.name for o in sdk.object_store.objects("photos")]


def test_openstacksdk_snapshots_a_volume_in_use(sdk):
    storage = sdk.block_storage
    server = next(s for s in sdk.compute.servers() if s.status == "ACTIVE")
    volume = storage.create_volume(size=1, name="data", metadata={"team": "a"})
    storage.wait_for_status(volume, interval=0.02, wait=5)
    sdk.compute.create_volume_attachment(server, volume_id=volume.id)
    volume = storage.wait_for_status(volume, "in-use", interval=0.02, wait=5)
    assert [a["server_id"] for a in volume.attachments] == [server.id]
    snapshot = storage.create_snapshot(volume_id=volume.id, name="s", force=True)
    snapshot = storage.wait_for_status(snapshot, interval=0.02, wait=5)
    assert [(s.id, s.volume_id, s.size) for s in storage.snapshots()] == [
        (snapshot.id, volume.id, 1)
    ]
    assert storage.get_limits().absolute.total_snapshots_used == 1
