"""Servers and flavors as documents, by microversion."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import msgspec

from anabranch_openstack.simulator.compute.records import Flavor, Nic, Server
from anabranch_openstack.simulator.wire import Document, Request, compact_time, precise_time

__all__ = [
    "STATUSES",
    "addresses",
    "flavor_detail",
    "flavor_summary",
    "links",
    "server_bytes",
    "server_detail",
    "server_summary",
    "status_of",
]

_encode = msgspec.json.Encoder().encode

# The minor versions at which the document of a server changes.
_SHAPES = (3, 9, 19, 26, 47, 63, 71, 73, 90, 96, 98, 100)

_REBUILDING = ("rebuilding", "rebuild_block_device_mapping", "rebuild_spawning")
_RESIZING = ("resize_prep", "resize_migrating", "resize_migrated", "resize_finish")
_STATUS = {
    "active": "ACTIVE",
    "building": "BUILD",
    "stopped": "SHUTOFF",
    "resized": "VERIFY_RESIZE",
    "paused": "PAUSED",
    "suspended": "SUSPENDED",
    "rescued": "RESCUE",
    "error": "ERROR",
    "deleted": "DELETED",
    "soft-delete": "SOFT_DELETED",
    "shelved": "SHELVED",
    "shelved_offloaded": "SHELVED_OFFLOADED",
}
_STATUS_DURING = {
    **{("active", task): "RESIZE" for task in _RESIZING},
    **{("stopped", task): "RESIZE" for task in _RESIZING},
    **{(vm, task): "REBUILD" for vm in ("active", "stopped", "error") for task in _REBUILDING},
    **{("active", f"reboot{part}"): "REBOOT" for part in ("ing", "_pending", "_started")},
    **{("active", f"reboot{part}_hard"): "HARD_REBOOT" for part in ("ing", "_pending", "_started")},
    ("active", "updating_password"): "PASSWORD",
    ("active", "migrating"): "MIGRATING",
    ("paused", "migrating"): "MIGRATING",
    ("resized", "resize_reverting"): "REVERT_RESIZE",
}
STATUSES = frozenset({*_STATUS.values(), *_STATUS_DURING.values()})
"""All that a status can be."""

_WITH_PROGRESS = {"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}
_WITH_FAULT = {"ERROR", "DELETED"}


def status_of(server: Server) -> str:
    """The status that nova derives from the state of the machine and of the task."""
    during = _STATUS_DURING.get((server.vm_state, server.task_state or ""))
    return during or _STATUS.get(server.vm_state, "UNKNOWN")


def links(request: Request, collection: str, item_id: str) -> list[Document]:
    """The two links that everything in nova has, built from the Host header."""
    return [
        {"rel": "self", "href": f"{request.root}/v2.1/{collection}/{item_id}"},
        _bookmark(request, collection, item_id),
    ]


def server_bytes(request: Request, server: Server, *, one: bool) -> bytes:
    """The document of a server, encoded; taken from the last time if nothing changed.

    Args:
        request: Whose microversion and host name count.
        server: The server.
        one: Whether it is shown alone, not in a list.
    """
    key = (bisect_right(_SHAPES, request.version), one, request.root)
    encoded = server.encoded.get(key)
    if encoded is None:
        encoded = _encode(server_detail(request, server, one=one))
        server.encoded[key] = encoded
    return encoded


def server_summary(request: Request, server: Server) -> Document:
    """A server in a list without details."""
    return {
        "id": server.id,
        "name": server.name,
        "links": links(request, "servers", server.id),
    }


def server_detail(
    request: Request, server: Server, *, one: bool, after_change: bool = False
) -> Document:
    """A server with everything that a member of the project sees.

    Args:
        request: Whose microversion and host name count.
        server: The server.
        one: Whether it is shown alone, not in a list.
        after_change: Whether it is the reply to an update, which is shorter below 2.75.
    """
    version = request.version
    status = status_of(server)
    short = after_change and version < 75
    document: Document = {
        "accessIPv4": server.access_ipv4,
        "accessIPv6": server.access_ipv6,
        "addresses": addresses(server.nics, plain=short),
        "created": compact_time(server.created),
        "flavor": _flavor_of(request, server.flavor),
        "hostId": server.host_id,
        "id": server.id,
        "image": _image_of(request, server),
        "links": links(request, "servers", server.id),
        "metadata": server.metadata,
        "name": server.name,
        "status": status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "updated": compact_time(server.updated),
        "OS-DCF:diskConfig": server.disk_config,
    }
    if server.fault is not None and status in _WITH_FAULT:
        document["fault"] = server.fault
    if status in _WITH_PROGRESS:
        document["progress"] = 0
    if not short:
        _add_extended(server, document)
    _add_by_version(server, document, version, one=one, short=short)
    for name in server.omit:
        document.pop(name, None)
    document.update(server.overlay)
    return document


def _add_extended(server: Server, document: Document) -> None:
    document["OS-EXT-AZ:availability_zone"] = server.zone
    document["config_drive"] = server.config_drive
    document["key_name"] = server.key_name
    document["OS-SRV-USG:launched_at"] = precise_time(server.launched)
    document["OS-SRV-USG:terminated_at"] = precise_time(server.terminated)
    if server.nics and server.security_groups:
        document["security_groups"] = [{"name": name} for name in server.security_groups]
    document["OS-EXT-STS:task_state"] = server.task_state
    document["OS-EXT-STS:vm_state"] = server.vm_state
    document["OS-EXT-STS:power_state"] = server.power_state
    document["os-extended-volumes:volumes_attached"] = [{"id": v.volume_id} for v in server.volumes]


def _add_by_version(
    server: Server, document: Document, version: int, *, one: bool, short: bool
) -> None:
    if version >= 3 and not short:
        for attachment, shown in zip(
            server.volumes, document["os-extended-volumes:volumes_attached"], strict=True
        ):
            shown["delete_on_termination"] = attachment.delete_on_termination
    if version >= 9:
        document["locked"] = server.locked
    if version >= 19:
        document["description"] = server.description
    if version >= 26:
        document["tags"] = server.tags
    if version >= 63:
        document["trusted_image_certificates"] = None
    if version >= 71 and one:
        document["server_groups"] = []
    if version >= 73:
        document["locked_reason"] = server.locked_reason
    if version >= 90:
        document["OS-EXT-SRV-ATTR:hostname"] = server.hostname
    if version >= 96 and not short:
        document["pinned_availability_zone"] = server.pinned_zone
    if version >= 98 and isinstance(document["image"], dict):
        document["image"]["properties"] = server.image_properties
    if version >= 100:
        document["scheduler_hints"] = server.scheduler_hints


def addresses(nics: list[Nic], *, plain: bool) -> dict[str, list[Document]]:
    """The addresses of a server by the name of the network.

    Args:
        nics: How the server is connected.
        plain: Whether the extended attributes are left out.
    """
    networks: dict[str, list[Document]] = {}
    for nic in nics:
        known = networks.setdefault(nic.network, [])
        for address, kind in ((nic.address, "fixed"), (nic.floating, "floating")):
            if not address:
                continue
            shown: Document = {"version": 6 if ":" in address else 4, "addr": address}
            if not plain:
                shown["OS-EXT-IPS:type"] = kind
                shown["OS-EXT-IPS-MAC:mac_addr"] = nic.mac
            known.append(shown)
    return networks


def flavor_summary(request: Request, flavor: Flavor) -> Document:
    """A flavor in a list without details."""
    document: Document = {
        "id": flavor.id,
        "name": flavor.name,
        "links": links(request, "flavors", flavor.id),
    }
    if request.version >= 55:
        document["description"] = flavor.description
    return document


def flavor_detail(request: Request, flavor: Flavor) -> Document:
    """A flavor with all its figures."""
    version = request.version
    document: Document = {
        "id": flavor.id,
        "name": flavor.name,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "swap": flavor.swap or (0 if version >= 75 else ""),
        "OS-FLV-EXT-DATA:ephemeral": flavor.ephemeral,
        "OS-FLV-DISABLED:disabled": flavor.disabled,
        "vcpus": flavor.vcpus,
        "os-flavor-access:is_public": flavor.is_public,
        "rxtx_factor": 1.0,
        "links": links(request, "flavors", flavor.id),
    }
    if version >= 55:
        document["description"] = flavor.description
    if version >= 61:
        document["extra_specs"] = flavor.extra_specs
    return document


def _bookmark(request: Request, collection: str, item_id: str) -> Document:
    return {"rel": "bookmark", "href": f"{request.root}/{collection}/{item_id}"}


def _flavor_of(request: Request, flavor: Flavor) -> Document:
    if request.version < 47:
        return {"id": flavor.id, "links": [_bookmark(request, "flavors", flavor.id)]}
    return {
        "vcpus": flavor.vcpus,
        "ram": flavor.ram,
        "disk": flavor.disk,
        "ephemeral": flavor.ephemeral,
        "swap": flavor.swap,
        "original_name": flavor.name,
        "extra_specs": flavor.extra_specs,
    }


def _image_of(request: Request, server: Server) -> Any:
    if server.image_id is None:
        return ""  # booted from a volume
    return {"id": server.image_id, "links": [_bookmark(request, "images", server.image_id)]}
