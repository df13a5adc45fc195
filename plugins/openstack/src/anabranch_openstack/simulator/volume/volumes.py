"""`/volumes`, their types, zones and limits."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence

from anabranch_openstack.simulator.paging import cut, integer_limit
from anabranch_openstack.simulator.routing import Routes
from anabranch_openstack.simulator.volume.records import Item, Volume
from anabranch_openstack.simulator.wire import (
    Document,
    Refusal,
    Reply,
    Request,
    json_reply,
    precise_time,
)

__all__ = ["check_texts", "list_reply", "routes"]

routes = Routes()

_ZONE = "nova"
_LONGEST_TEXT = 255
_METADATA_NAME = re.compile(r"[a-zA-Z0-9-_:. /]{1,255}")
_BUSY = (
    "Invalid volume: Volume status must be available or error or error_restoring or"
    " error_extending or error_managing and must not be migrating, attached, belong to a group,"
    " have snapshots, awaiting a transfer, or be disassociated from snapshots after volume"
    " transfer."
)


def list_reply(
    request: Request, name: str, kind: str, items: Sequence[Item], documents: dict[str, Document]
) -> Reply:
    """One page of volumes or snapshots, newest first.

    Args:
        request: Which page is wanted.
        name: The key of the list.
        kind: What an unknown marker is called.
        items: All there are, of whatever project.
        documents: How they are shown, by id.

    Raises:
        Refusal: The page does not exist.
    """
    mine = [i for i in items if i.project_id == request.token.project_id]
    for field in ("name", "status"):
        wanted = request.param(field)
        if wanted is not None:
            mine = [i for i in mine if getattr(i, field) == wanted]
    page = cut(
        sorted(mine, key=lambda i: (i.created, i.id), reverse=True),
        integer_limit(request, request.cloud.behaviour.page_size or 1000),
        request.param("marker"),
        lambda item: item.id,
        lambda marker: Refusal(404, f"{kind} {marker} could not be found."),
    )
    body: Document = {name: [documents[i.id] for i in page.items]}
    if page.full:
        query = request.query_with("marker", page.items[-1].id)
        href = f"{request.root}{request.path}?{query}"
        body[f"{name}_links"] = [{"rel": "next", "href": href}]
    return json_reply(body)


def check_texts(wanted: Document) -> None:
    """Check the lengths of name and description.

    Raises:
        Refusal: One is too long.
    """
    for field in ("name", "description"):
        length = len(str(wanted.get(field) or ""))
        if length > _LONGEST_TEXT:
            raise Refusal(
                400,
                f"Invalid input received: {field} has {length} characters,"
                f" more than {_LONGEST_TEXT}.",
            )


@routes.on("GET", "/v3/volumes", policy="volume:get_all")
def list_volumes(request: Request) -> Reply:
    """Ids and names."""
    volumes = list(request.region.volumes.volumes.values())
    shown: dict[str, Document] = {
        v.id: {"id": v.id, "name": v.name, "links": _links(request, v)} for v in volumes
    }
    return list_reply(request, "volumes", "Volume", volumes, shown)


@routes.on("GET", "/v3/volumes/detail", policy="volume:get_all")
def list_volume_details(request: Request) -> Reply:
    """Everything."""
    volumes = list(request.region.volumes.volumes.values())
    shown = {v.id: _detail(request, v) for v in volumes}
    return list_reply(request, "volumes", "Volume", volumes, shown)


@routes.on("GET", "/v3/volumes/{volume_id}", policy="volume:get")
def show_volume(request: Request) -> Reply:
    """One volume."""
    return json_reply({"volume": _detail(request, _find(request))})


@routes.on("POST", "/v3/volumes", policy="volume:create")
def create_volume(request: Request) -> Reply:
    """Accept a volume; it is created by and by."""
    wanted = request.wants("volume")
    store = request.region.volumes
    size = wanted.get("size")
    source = wanted.get("snapshot_id") or wanted.get("source_volid") or wanted.get("imageRef")
    if size is None and not source:
        raise Refusal(
            400,
            "The server could not comply with the request since it is either malformed or"
            " otherwise incorrect.",
        )
    if size is not None and not str(size).isdecimal():
        raise _bad_size(size, f"'{size}' does not match '^[0-9]+$'")
    if size is not None and int(size) < 1:
        raise _bad_size(size, f"{size} is less than the minimum of 1")
    check_texts(wanted)
    metadata: dict[str, str] = dict(wanted.get("metadata") or {})
    for name in metadata:
        if not _METADATA_NAME.fullmatch(name):
            raise Refusal(
                400,
                f"Invalid input for field/attribute metadata. Value: {metadata}. {name!r} does not"
                f" match any of the regexes: '^{_METADATA_NAME.pattern}$'",
            )
    zone = str(wanted.get("availability_zone") or _ZONE)
    if zone != _ZONE:
        raise Refusal(400, f"Availability zone '{zone}' is invalid.")
    snapshot_id = wanted.get("snapshot_id")
    if snapshot_id is not None:
        snapshot = store.own_snapshot(request, str(snapshot_id))
        if snapshot is None:
            raise Refusal(404, f"Snapshot {snapshot_id} could not be found.")
        if snapshot.status != "available":
            message = "Originating snapshot status must be one of 'available' values"
            raise Refusal(400, f"Invalid snapshot: {message}")
    kind = wanted.get("volume_type")
    if kind is not None and all(kind not in (t.id, t.name) for t in store.types.values()):
        raise Refusal(404, f"Volume type with name {kind} could not be found.")
    if len(store.volumes) >= store.limit:
        raise Refusal(
            413,
            f"VolumeLimitExceeded: Maximum number of volumes allowed ({store.limit}) exceeded for"
            " quota 'volumes'.",
            headers=(("retry-after", "0"),),
        )
    volume = Volume(
        id=str(uuid.uuid4()),
        project_id=request.token.project_id,
        user_id=request.token.user.id,
        size=int(size or _size_of(request, wanted)),
        created=request.now,
        name=wanted.get("name"),
        description=wanted.get("description"),
        status="creating",
        type=kind or next((t.name for t in store.types.values()), None),
        zone=zone,
        snapshot_id=snapshot_id,
        source_id=wanted.get("source_volid"),
        bootable="imageRef" in wanted,
        metadata=metadata,
        due=(request.now + request.cloud.behaviour.state_delay, "available"),
    )
    store.volumes[volume.id] = volume
    return json_reply({"volume": _detail(request, volume)}, 202)


@routes.on("DELETE", "/v3/volumes/{volume_id}", policy="volume:delete")
def delete_volume(request: Request) -> Reply:
    """Delete a volume that nothing needs any more."""
    volume = _find(request)
    store = request.region.volumes
    snapshots = [s for s in store.snapshots.values() if s.volume_id == volume.id]
    cascade = (request.param("cascade") or "").lower() == "true"
    if volume.status not in ("available", "error") or (snapshots and not cascade):
        raise Refusal(400, _BUSY)
    due = (request.now + request.cloud.behaviour.state_delay, "deleted")
    volume.status, volume.due = "deleting", due
    for snapshot in snapshots:
        snapshot.status, snapshot.due = "deleting", due
    return Reply(status=202, content_type="text/html; charset=UTF-8")


@routes.on("GET", "/v3/types", policy="volume_extension:type_get_all")
def list_types(request: Request) -> Reply:
    """The kinds of storage."""
    page = cut(
        _types(request),
        integer_limit(request, request.cloud.behaviour.page_size or 1000),
        request.param("marker"),
        lambda kind: str(kind["id"]),
        lambda marker: Refusal(404, f"Volume type {marker} could not be found."),
    )
    body: Document = {"volume_types": page.items}
    if page.full:  # not volume_types_links
        query = request.query_with("marker", page.items[-1]["id"])
        href = f"{request.root}{request.path}?{query}"
        body["volume_type_links"] = [{"rel": "next", "href": href}]
    return json_reply(body)


@routes.on("GET", "/v3/types/{type_id}", policy="volume_extension:type_get")
def show_type(request: Request) -> Reply:
    """One kind of storage."""
    for shown in _types(request):
        if shown["id"] == request.args[0]:
            return json_reply({"volume_type": shown})
    raise Refusal(404, f"Volume type {request.args[0]} could not be found.")


@routes.on("GET", "/v3/os-availability-zone", policy="volume:availability_zone_list")
def list_zones(request: Request) -> Reply:
    """The availability zones of the storage."""
    del request
    zone = {"zoneName": _ZONE, "zoneState": {"available": True}}
    return json_reply({"availabilityZoneInfo": [zone]})


@routes.on("GET", "/v3/limits", policy="limits_extension:used_limits")
def show_limits(request: Request) -> Reply:
    """The limits of the project and what it uses of them."""
    store = request.region.volumes
    project_id = request.token.project_id
    sizes = [v.size for v in store.volumes.values() if v.project_id == project_id]
    snapshots = [s for s in store.snapshots.values() if s.project_id == project_id]
    absolute = {
        "maxTotalVolumes": store.limit,
        "maxTotalSnapshots": 300,
        "maxTotalVolumeGigabytes": 20000,
        "maxTotalBackups": 10,
        "maxTotalBackupGigabytes": 1000,
        "totalVolumesUsed": len(sizes),
        "totalGigabytesUsed": sum(sizes),
        "totalSnapshotsUsed": len(snapshots),
        "totalBackupsUsed": 0,
        "totalBackupGigabytesUsed": 0,
    }
    return json_reply({"limits": {"rate": [], "absolute": absolute}})


@routes.on("GET", "/v3/extensions", policy="extensions")
def list_extensions(request: Request) -> Reply:
    """No extension is told of."""
    del request
    return json_reply({"extensions": []})


def _find(request: Request) -> Volume:
    volume = request.region.volumes.own(request.args[0], request.token.project_id)
    if volume is None:
        raise Refusal(404, f"Volume {request.args[0]} could not be found.")
    return volume


def _size_of(request: Request, wanted: Document) -> int:
    store = request.region.volumes
    snapshot = store.snapshots.get(str(wanted.get("snapshot_id")))
    source = store.volumes.get(str(wanted.get("source_volid")))
    return (snapshot or source or Volume(id="", project_id="", user_id="", size=1, created=0)).size


def _bad_size(size: object, why: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute size. Value: {size}. {why}")


def _types(request: Request) -> list[Document]:
    return [
        {
            "id": kind.id,
            "name": kind.name,
            "is_public": True,
            "description": kind.description,
            "extra_specs": {},
            "os-volume-type-access:is_public": True,
        }
        for kind in request.region.volumes.types.values()
    ]


def _links(request: Request, volume: Volume) -> list[Document]:
    return [
        {"rel": "self", "href": f"{request.root}/v3/volumes/{volume.id}"},
        {"rel": "bookmark", "href": f"{request.root}/volumes/{volume.id}"},
    ]


def _detail(request: Request, volume: Volume) -> Document:
    document: Document = {
        "id": volume.id,
        "status": volume.status,
        "size": volume.size,
        "availability_zone": volume.zone,
        "created_at": precise_time(volume.created),
        "updated_at": precise_time(volume.updated),
        "name": volume.name,
        "description": volume.description,
        "volume_type": volume.type,
        "snapshot_id": volume.snapshot_id,
        "source_volid": volume.source_id,
        "metadata": volume.metadata,
        "links": _links(request, volume),
        "user_id": volume.user_id,
        "bootable": str(volume.bootable).lower(),
        "encrypted": False,
        "replication_status": None,
        "consistencygroup_id": None,
        "multiattach": False,
        "attachments": [
            {
                "id": volume.id,
                "attachment_id": at.id,
                "volume_id": volume.id,
                "server_id": at.server_id,
                "host_name": None,
                "device": at.device,
                "attached_at": precise_time(at.since),
            }
            for at in volume.attachments
            if volume.status != "attaching"
        ],
    }
    if request.method == "GET":
        document["os-vol-tenant-attr:tenant_id"] = volume.project_id
    kinds = request.region.volumes.types.values()
    for since, name, value in (
        (13, "group_id", None),
        (48, "shared_targets", False),
        (48, "service_uuid", None),
        (63, "volume_type_id", next((t.id for t in kinds if t.name == volume.type), None)),
        (65, "consumes_quota", True),
    ):
        if request.version >= since:
            document[name] = value
    return document
