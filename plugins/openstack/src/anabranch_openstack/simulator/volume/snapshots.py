"""`/snapshots`."""

from __future__ import annotations

import uuid

from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.volume.records import Snapshot
from anabranch_openstack.simulator.volume.volumes import check_texts, list_reply
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    is_uuid,
    json_reply,
    precise_time,
)

__all__ = ["routes"]

routes = Routes()

_BUSY = (
    "Invalid snapshot: Snapshot status must be available or error and must not be part of a group."
)


@routes.on("GET", "/v3/snapshots", policy="volume:get_all_snapshots")
@routes.on("GET", "/v3/snapshots/detail", policy="volume:get_all_snapshots")
def list_snapshots(request: Request) -> Reply:
    """The snapshots; the two lists hardly differ."""
    snapshots = list(request.region.volumes.snapshots.values())
    wanted = request.param("volume_id")
    if wanted is not None:
        snapshots = [s for s in snapshots if s.volume_id == wanted]
    shown = {s.id: _document(request, s) for s in snapshots}
    return list_reply(request, "snapshots", "Snapshot", snapshots, shown)


@routes.on("GET", "/v3/snapshots/{snapshot_id}", policy="volume:get_snapshot")
def show_snapshot(request: Request) -> Reply:
    """One snapshot."""
    return json_reply({"snapshot": _document(request, _find(request))})


@routes.on("POST", "/v3/snapshots", policy="volume:create_snapshot")
def create_snapshot(request: Request) -> Reply:
    """Accept a snapshot; of a volume in use only with `force`, or from 3.66 on."""
    wanted = request.wants("snapshot")
    volume_id = wanted.get("volume_id")
    if not is_uuid(volume_id):
        raise Refusal(
            400,
            f"Invalid input for field/attribute volume_id. Value: {volume_id}."
            f" {volume_id!r} is not valid under any of the given schemas",
        )
    check_texts(wanted)
    store = request.region.volumes
    volume = store.own(str(volume_id), request.token.project_id)
    if volume is None:
        raise Refusal(404, f"Volume {volume_id} could not be found.")
    forced = request.version >= 66 or str(wanted.get("force", "")).lower() == "true"
    if volume.status not in (("available", "in-use") if forced else ("available",)):
        raise Refusal(
            400,
            f"Invalid volume: Volume {volume_id} status must be available,"
            f" but current status is: {volume.status}.",
        )
    snapshot = Snapshot(
        id=str(uuid.uuid4()),
        volume_id=volume.id,
        project_id=request.token.project_id,
        user_id=request.token.user.id,
        size=volume.size,
        created=request.now,
        name=wanted.get("name"),
        description=wanted.get("description"),
        status="creating",
        metadata=dict(wanted.get("metadata") or {}),
        due=(request.now + request.cloud.behaviour.state_delay, "available"),
    )
    store.snapshots[snapshot.id] = snapshot
    return json_reply({"snapshot": _document(request, snapshot)}, 202)


@routes.on("DELETE", "/v3/snapshots/{snapshot_id}", policy="volume:delete_snapshot")
def delete_snapshot(request: Request) -> Reply:
    """Delete a snapshot."""
    snapshot = _find(request)
    if snapshot.status not in ("available", "error"):
        raise Refusal(400, _BUSY)
    snapshot.status = "deleting"
    snapshot.due = (request.now + request.cloud.behaviour.state_delay, "deleted")
    return Reply(status=202, content_type="text/html; charset=UTF-8")


def _find(request: Request) -> Snapshot:
    snapshot = request.region.volumes.own_snapshot(request, request.args[0])
    if snapshot is None:
        raise Refusal(404, f"Snapshot {request.args[0]} could not be found.")
    return snapshot


def _document(request: Request, snapshot: Snapshot) -> Document:
    document: Document = {
        "id": snapshot.id,
        "created_at": precise_time(snapshot.created),
        "updated_at": None,
        "name": snapshot.name,
        "description": snapshot.description,
        "volume_id": snapshot.volume_id,
        "status": snapshot.status,
        "size": snapshot.size,
        "metadata": snapshot.metadata,
    }
    if request.method == "GET":
        document["os-extended-snapshot-attributes:project_id"] = snapshot.project_id
        document["os-extended-snapshot-attributes:progress"] = "100%"
    for since, name, value in (
        (14, "group_snapshot_id", None),
        (41, "user_id", snapshot.user_id),
        (65, "consumes_quota", True),
    ):
        if request.version >= since:
            document[name] = value
    return document
