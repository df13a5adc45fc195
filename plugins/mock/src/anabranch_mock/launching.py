"""How instances are made: first all that was asked for is checked, then all is done."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.models import (
    Authentication,
    Extra,
    HardwareProfile,
    Image,
    ImageState,
    Instance,
    InstanceSpec,
    StorageVolumeSpec,
)
from anabranch.states import InstanceState
from anabranch_mock import storage_volumes
from anabranch_mock.load_balancers import register
from anabranch_mock.machines import fit, new_instance
from anabranch_mock.network_interfaces import connect, find_subnet
from anabranch_mock.states import move
from anabranch_mock.store import MockStore
from anabranch_mock.text import check_name, check_tags

__all__ = ["MOST_DATA", "launch"]

MOST_DATA: Final = 64 * 1024
"""Bytes that user data, an ISO image, or all files together may have."""


def launch(store: MockStore, spec: InstanceSpec, count: int = 1) -> list[Instance]:
    """Make `count` instances and return them with what is told this once.

    Raises:
        InvalidRequest: a parameter is wrong; nothing has been made.
        QuotaExceeded: there is no room for all; nothing has been made.
    """
    image, profile = _check(store, spec)
    hardware = fit(profile, spec.hardware)
    realm_id = store.realm(spec.realm_id)
    _check_room(store, spec, count)
    made = [
        new_instance(store, image, profile, hardware=hardware, realm_id=realm_id)
        for _ in range(count)
    ]
    return [_furnish(store, spec, instance) for instance in made]


def _check(store: MockStore, spec: InstanceSpec) -> tuple[Image, HardwareProfile]:
    image = store.images.need(spec.image_id, "image_id")
    if image.state is not ImageState.AVAILABLE:
        raise InvalidRequest(f"image_id: image {image.id!r} is {image.state}")
    smallest = next(iter(store.hardware_profiles)).id
    profile = store.hardware_profiles.need(
        spec.hardware_profile_id or smallest, "hardware_profile_id"
    )
    check_name(spec.name or "")
    check_tags(spec.tags)
    if spec.key_id is not None:
        store.keys.need(spec.key_id, "key_id")
    if spec.load_balancer_id is not None:
        store.load_balancers.need(spec.load_balancer_id, "load_balancer_id")
    for firewall_id in spec.firewall_ids:
        store.firewalls.need(firewall_id, "firewall_ids")
    if spec.device_name is not None and spec.snapshot_id is None:
        raise InvalidRequest("device_name: there is no snapshot_id to attach there")
    if spec.snapshot_id is not None:
        store.storage_snapshots.need(spec.snapshot_id, "snapshot_id")
    sizes = {
        "user_data": len(spec.user_data or b""),
        "user_iso": len(spec.user_iso or b""),
        "user_files": sum(map(len, spec.user_files.values())),
    }
    for field, size in sizes.items():
        if size > MOST_DATA:
            raise InvalidRequest(f"{field}: {size} bytes, at most {MOST_DATA} are possible")
    for path in spec.user_files:
        if not path.startswith("/"):
            raise InvalidRequest(f"user_files: {path!r} is no absolute path")
    return image, profile


def _check_room(store: MockStore, spec: InstanceSpec, count: int) -> None:
    if count < 1:
        raise InvalidRequest(f"count: {count}; at least 1 is possible")
    store.instances.require_room(count)
    store.network_interfaces.require_room(count * len(spec.network_ids))
    if spec.snapshot_id is not None:
        store.storage_volumes.require_room(count)
    if len(set(spec.network_ids)) < len(spec.network_ids):
        raise InvalidRequest("network_ids: one is named twice")
    for network_id in spec.network_ids:
        find_subnet(store, network_id, room=count)


def _furnish(store: MockStore, spec: InstanceSpec, bare: Instance) -> Instance:
    """Give an instance all that was asked for, and set it going."""
    store.instances.put(
        msgspec.structs.replace(
            bare,
            name=spec.name or bare.id,
            key_id=spec.key_id,
            firewall_ids=spec.firewall_ids,
            tags=dict(spec.tags),
            client_token=spec.client_token,
            extra=Extra(msgspec.json.encode(_extra(spec))),
        )
    )
    for network_id in spec.network_ids:
        connect(store, bare.id, find_subnet(store, network_id))
    if spec.snapshot_id is not None:
        wanted = StorageVolumeSpec(snapshot_id=spec.snapshot_id, realm_id=bare.realm_id)
        volume = storage_volumes.create(store, wanted, delay=0)
        storage_volumes.attach(store, volume.id, bare.id, spec.device_name)
    if spec.load_balancer_id is not None:
        register(store, spec.load_balancer_id, bare.id)
    instance = move(
        store,
        store.instances.get(bare.id),
        InstanceState.PENDING,
        store.settings.delays.pending,
        InstanceState.RUNNING,
    )
    if not (spec.password or spec.key_id):
        return instance
    login = Authentication(key_id=spec.key_id, username="root", password=spec.password)
    return msgspec.structs.replace(instance, authentication=login)


def _extra(spec: InstanceSpec) -> Mapping[str, Any]:
    """Return what this platform tells of an instance beyond the model."""
    found: dict[str, Any] = {"metrics": spec.metrics, "sandbox": spec.sandbox}
    if spec.user_data is not None:
        found["user_data"] = base64.b64encode(spec.user_data).decode()
    if spec.user_files:
        found["user_files"] = {path: len(content) for path, content in spec.user_files.items()}
    if spec.user_iso is not None:
        found["user_iso_sha256"] = hashlib.sha256(spec.user_iso).hexdigest()
    return found
