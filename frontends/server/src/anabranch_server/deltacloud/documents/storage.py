"""Storage volumes and their snapshots as documents."""

from __future__ import annotations

from typing import Any, Final

from anabranch.models import StorageSnapshot, StorageVolume, StorageVolumeState
from anabranch_server.deltacloud.documents.markup import attribute, element, figure, text
from anabranch_server.deltacloud.documents.sheet import (
    Sheet,
    actions,
    destroying,
    plain_actions,
    when,
)
from anabranch_server.deltacloud.links import Link, View

__all__ = [
    "storage_snapshot_plain",
    "storage_snapshot_xml",
    "storage_volume_plain",
    "storage_volume_xml",
]

_IDLE: Final = (StorageVolumeState.AVAILABLE, StorageVolumeState.ERROR, StorageVolumeState.UNKNOWN)
_WHOLE: Final = (StorageVolumeState.AVAILABLE, StorageVolumeState.IN_USE)


def storage_volume_xml(item: StorageVolume, sheet: Sheet) -> str:
    """Return a volume as a member of a list."""
    cloud = item.cloud
    realm_id = sheet.view.id(cloud, item.realm_id) if item.realm_id else None
    capacity = ""
    if item.capacity_gb is not None:
        capacity = f"    <capacity unit='GB'>{figure(item.capacity_gb)}</capacity>\n"
    links = _volume_links(item, sheet.view)
    return (
        f"  <storage_volume {sheet.target('storage_volumes', cloud, item.id)}>\n"
        f"{element('    ', 'created', when(item.created_at))}"
        f"{capacity}"
        f"{element('    ', 'kind', item.kind)}"
        f"    <name>{text(item.name)}</name>\n"
        f"{element('    ', 'description', item.description)}"
        f"{element('    ', 'device', item.device)}"
        f"{sheet.reference('realm', 'realms', cloud, item.realm_id)}"
        f"{element('    ', 'realm_id', realm_id)}"
        f"    <state>{item.state}</state>\n"
        f"{_mount(item, sheet)}"
        f"{actions(links) if links else ''}"
        "  </storage_volume>\n"
    )


def _mount(item: StorageVolume, sheet: Sheet) -> str:
    """Return where a volume is, if anywhere; clients look for the device of each that is."""
    if not item.instance_id:
        return ""
    target = sheet.target("instances", item.cloud, item.instance_id)
    return (
        f"    <mount>\n      <instance {target}></instance>\n"
        f"      <device name='{attribute(item.device or '')}'></device>\n    </mount>\n"
    )


def storage_volume_plain(item: StorageVolume, sheet: Sheet) -> dict[str, Any]:
    """Return a volume for JSON."""
    view, cloud = sheet.view, item.cloud
    realm = sheet.link("realm", "realms", cloud, item.realm_id)
    return {
        "id": view.id(cloud, item.id),
        "href": view.member("storage_volumes", cloud, item.id),
        "name": item.name,
        "description": item.description,
        "state": item.state.value,
        "created": when(item.created_at),
        "realm": realm,
        "realm_id": realm.get("id"),
        "device": item.device,
        "kind": item.kind,
        "capacity": item.capacity_gb,
        "actions": plain_actions(_volume_links(item, view)),
        "instance": sheet.link("instance", "instances", cloud, item.instance_id),
    }


def _volume_links(item: StorageVolume, view: View) -> list[Link]:
    """Return what the state of a volume allows and its cloud offers."""
    cloud, state = item.cloud, item.state
    member = view.member("storage_volumes", cloud, item.id)
    links: list[Link] = []
    if state is StorageVolumeState.AVAILABLE and view.offers(cloud, "attach_storage_volume"):
        links.append(Link("attach", "post", f"{member}/attach"))
    if state is StorageVolumeState.IN_USE and view.offers(cloud, "detach_storage_volume"):
        links.append(Link("detach", "post", f"{member}/detach"))
    if state in _WHOLE and view.offers(cloud, "create_storage_snapshot"):
        parameter = view.parameter(cloud, item.id)
        href = f"{view.collection('storage_snapshots')};volume_id={parameter}"
        links.append(Link("create_snapshot", "post", href))
    if state in _IDLE:
        links += destroying(item, "storage_volumes", "storage_volume", view)
    return links


def storage_snapshot_xml(item: StorageSnapshot, sheet: Sheet) -> str:
    """Return a snapshot as a member of a list."""
    cloud = item.cloud
    links = destroying(item, "storage_snapshots", "storage_snapshot", sheet.view)
    volume_id = item.storage_volume_id
    return (
        f"  <storage_snapshot {sheet.target('storage_snapshots', cloud, item.id)}>\n"
        f"    <name>{text(item.name)}</name>\n"
        f"{element('    ', 'description', item.description)}"
        f"{element('    ', 'created', when(item.created_at))}"
        f"{sheet.reference('storage_volume', 'storage_volumes', cloud, volume_id)}"
        f"{sheet.reference('instance', 'instances', cloud, item.instance_id)}"
        f"{actions(links) if links else ''}"
        "  </storage_snapshot>\n"
    )


def storage_snapshot_plain(item: StorageSnapshot, sheet: Sheet) -> dict[str, Any]:
    """Return a snapshot for JSON."""
    view, cloud = sheet.view, item.cloud
    links = destroying(item, "storage_snapshots", "storage_snapshot", view)
    volume_id = item.storage_volume_id
    return {
        "id": view.id(cloud, item.id),
        "href": view.member("storage_snapshots", cloud, item.id),
        "name": item.name,
        "description": item.description,
        "state": item.state.value,
        "created": when(item.created_at),
        "storage_volume": sheet.link("storage_volume", "storage_volumes", cloud, volume_id),
        "instance": sheet.link("instance", "instances", cloud, item.instance_id),
        "actions": plain_actions(links),
    }
