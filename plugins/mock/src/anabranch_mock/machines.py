"""Bare instances, and the hardware that they have."""

from __future__ import annotations

from typing import Any

import msgspec

from anabranch.errors import InvalidRequest
from anabranch.models import (
    Hardware,
    HardwareProfile,
    HardwareProperty,
    Image,
    Instance,
    NetworkAddress,
    NetworkAddressKind,
    PropertyKind,
)
from anabranch.states import InstanceState
from anabranch_mock.store import MockStore, now

__all__ = ["fit", "new_instance", "public_name"]


def new_instance(
    store: MockStore, image: Image, profile: HardwareProfile, **fields: Any
) -> Instance:
    """Put an instance that has yet to START in the store, and return it."""
    instance_id = store.instances.new_id()
    bare = Instance(
        cloud=store.cloud,
        id=instance_id,
        name=instance_id,
        state=InstanceState.START,
        owner_id=store.settings.username,
        image_id=image.id,
        hardware_profile_id=profile.id,
        private_addresses=(_host_name(image.id, instance_id, "private"),),
        public_addresses=(_host_name(image.id, instance_id, "public"),),
        created_at=now(),
    )
    return store.instances.load(msgspec.structs.replace(bare, **fields))


def fit(profile: HardwareProfile, wanted: Hardware | None = None) -> Hardware:
    """Return the hardware of an instance of that profile.

    Raises:
        InvalidRequest: the profile does not allow what is wanted.
    """
    properties = profile.properties
    chosen = {name: found.value for name, found in properties.items()}
    for name, value in (msgspec.structs.asdict(wanted) if wanted else {}).items():
        if value is None:
            continue
        if name not in properties:
            raise InvalidRequest(f"hardware.{name}: {profile.id} lets nobody choose it")
        if not properties[name].allows(value):
            right = _describe(properties[name])
            raise InvalidRequest(
                f"hardware.{name}: {value!r} is not possible with {profile.id}, {right} is"
            )
        chosen[name] = value
    return msgspec.convert(chosen, Hardware)


def public_name(instance: Instance) -> NetworkAddress:
    """Return the name by which the world reaches an instance without an address of its own."""
    return _host_name(instance.image_id or "", instance.id, "public")


def _host_name(image_id: str, instance_id: str, side: str) -> NetworkAddress:
    name = f"{image_id}.{instance_id}.{side}.com"
    return NetworkAddress(name, NetworkAddressKind.HOSTNAME)


def _describe(allowed: HardwareProperty) -> str:
    match allowed.kind:
        case PropertyKind.RANGE:
            return f"{allowed.first} to {allowed.last}"
        case PropertyKind.ENUM:
            return " or ".join(repr(choice) for choice in allowed.choices)
        case PropertyKind.FIXED:
            return f"only {allowed.value!r}"
