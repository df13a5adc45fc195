"""Wire documents to models: pure functions."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from anabranch.models import (
    AttachedVolume,
    Extra,
    HardwareProfile,
    HardwareProperty,
    Image,
    ImageState,
    Instance,
    Key,
    NetworkAddress,
    NetworkAddressKind,
    Quota,
    Realm,
    RealmState,
    RootType,
)
from anabranch.redaction import SecretStr
from anabranch_openstack import wire
from anabranch_openstack.states import view
from anabranch_openstack.times import utc

__all__ = [
    "CLIENT_TOKEN",
    "IMAGE_TAGS",
    "OWN_PREFIX",
    "hardware_profile",
    "image",
    "instance",
    "key",
    "listed_key",
    "quotas",
    "realm",
]

OWN_PREFIX: Final = "anabranch:"
"""What the metadata keys begin with that are ours and no tags."""

CLIENT_TOKEN: Final = f"{OWN_PREFIX}client_token"
"""The metadata key that holds the token of the create."""

IMAGE_TAGS: Final = "anabranch_tags"
"""The image property that holds the names, as JSON, of the properties that are tags."""

_SERVER_KEYS: Final = frozenset(
    f.encode_name
    for f in msgspec.structs.fields(wire.Server)
    if f.name not in {"addresses", "access_ipv4", "access_ipv6"}
) | {"links", "adminPass", "user_data", "OS-EXT-SRV-ATTR:user_data"}
_FLAVOR_KEYS: Final = frozenset({"id", "name", "vcpus", "ram", "disk", "links"})
_IMAGE_KEYS: Final = frozenset(
    f.encode_name for f in msgspec.structs.fields(wire.Image) if f.name != "visibility"
) | {"self", "file", "schema"}
_KEYPAIR_KEYS: Final = frozenset({"name", "id", "public_key", "private_key", "fingerprint"})
_ZONE_KEYS: Final = frozenset({"zoneName", "zoneState"})

_IPV4, _IPV6 = NetworkAddressKind.IPV4, NetworkAddressKind.IPV6


def instance(cloud: str, server: wire.Server, raw: msgspec.Raw) -> Instance:
    """Convert a server."""
    state, platform_state, busy, actions = view(server.status, server.task_state)
    public, private = _addresses(server)
    metadata = server.metadata or {}
    image, flavor, fault = server.image, server.flavor, server.fault
    return Instance(
        cloud=cloud,
        id=server.id,
        name=server.name or "",
        state=state,
        platform_state=platform_state,
        busy=busy,
        actions=actions,
        owner_id=server.tenant_id,
        image_id=image.id if isinstance(image, wire.Reference) else None,
        realm_id=server.zone or None,
        hardware_profile_id=flavor.id if flavor else None,
        public_addresses=public,
        private_addresses=private,
        created_at=utc(server.created),
        launched_at=utc(server.launched_at),
        key_id=server.key_name or None,
        storage_volumes=tuple([AttachedVolume(v.id) for v in server.volumes if v.id])
        if server.volumes
        else (),
        tags={k: v for k, v in metadata.items() if not k.startswith(OWN_PREFIX)}
        if CLIENT_TOKEN in metadata
        else metadata,
        client_token=metadata.get(CLIENT_TOKEN),
        fault=(fault.message or "") if fault else "",
        extra=Extra(raw, _SERVER_KEYS),
    )


def hardware_profile(cloud: str, flavor: wire.Flavor, raw: msgspec.Raw) -> HardwareProfile:
    """Convert a flavor. Its disk is counted in GiB; a flavor has no choices."""
    architecture = (flavor.extra_specs or {}).get("hw:architecture")
    return HardwareProfile(
        cloud=cloud,
        id=flavor.id,
        name=flavor.name or "",
        cpu=_fixed(flavor.vcpus),
        memory_mib=_fixed(flavor.ram),
        storage_gb=_fixed(flavor.disk),
        architecture=_fixed(architecture) if isinstance(architecture, str) else None,
        root_type=RootType.TRANSIENT,
        extra=Extra(raw, _FLAVOR_KEYS),
    )


_IMAGE_STATES: Final = {
    "active": ImageState.AVAILABLE,
    "deactivated": ImageState.UNAVAILABLE,
    "deleted": ImageState.DELETED,
    "importing": ImageState.PENDING,
    "killed": ImageState.ERROR,
    "pending_delete": ImageState.DELETED,
    "queued": ImageState.PENDING,
    "saving": ImageState.PENDING,
    "uploading": ImageState.PENDING,
}


def image(cloud: str, found: wire.Image, raw: msgspec.Raw) -> Image:
    """Convert an image. Its tags are glance's, without values, and those that we set."""
    return Image(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        description=found.description or "",
        owner_id=found.owner,
        architecture=found.architecture or None,
        state=_IMAGE_STATES.get(found.status, ImageState.UNKNOWN),
        platform_state=found.status,
        created_at=utc(found.created_at),
        size_bytes=found.size,
        min_memory_mib=found.min_ram or 0,
        min_storage_gb=found.min_disk or 0,
        root_type=RootType.TRANSIENT,
        public=found.visibility == "public" if found.visibility else None,
        tags=_image_tags(found, raw),
        extra=Extra(raw, _IMAGE_KEYS),
    )


def realm(cloud: str, zone: wire.AvailabilityZone, raw: msgspec.Raw, region: str | None) -> Realm:
    """Convert an availability zone: its name is its id."""
    usable = zone.state is None or zone.state.available
    return Realm(
        cloud=cloud,
        id=zone.name,
        name=zone.name,
        state=RealmState.AVAILABLE if usable else RealmState.UNAVAILABLE,
        region=region,
        extra=Extra(raw, _ZONE_KEYS),
    )


def key(cloud: str, pair: wire.Keypair, raw: msgspec.Raw) -> Key:
    """Convert a key pair: its name is its id."""
    return _key(cloud, pair, Extra(raw, _KEYPAIR_KEYS))


def listed_key(cloud: str, item: wire.KeypairItem, raw: msgspec.Raw) -> Key:
    """Convert a key pair as lists wrap it."""

    def fields() -> dict[str, Any]:
        inner: dict[str, Any] = msgspec.json.decode(raw)["keypair"]
        return inner

    return _key(cloud, item.keypair, Extra(fields, _KEYPAIR_KEYS))


def _key(cloud: str, pair: wire.Keypair, extra: Extra) -> Key:
    return Key(
        cloud=cloud,
        id=pair.name,
        name=pair.name,
        fingerprint=pair.fingerprint,
        public_key=pair.public_key,
        private_key=SecretStr(pair.private_key) if pair.private_key else None,
        extra=extra,
    )


_QUOTAS: Final = (
    ("instances", "maxTotalInstances", "totalInstancesUsed", "count"),
    ("cpu", "maxTotalCores", "totalCoresUsed", "count"),
    ("memory", "maxTotalRAMSize", "totalRAMUsed", "MiB"),
    ("keys", "maxTotalKeypairs", None, "count"),
    ("server_groups", "maxServerGroups", "totalServerGroupsUsed", "count"),
)


def quotas(cloud: str, absolute: dict[str, Any]) -> list[Quota]:
    """Convert nova's absolute limits; -1 is no limit."""
    found: list[Quota] = []
    for name, most, used, unit in _QUOTAS:
        limit = absolute.get(most)
        if isinstance(limit, int):
            count = absolute.get(used) if used else None
            found.append(
                Quota(
                    cloud=cloud,
                    id=name,
                    name=name,
                    limit=None if limit < 0 else limit,
                    used=count if isinstance(count, int) else None,
                    unit=unit,
                )
            )
    return found


def _addresses(
    server: wire.Server,
) -> tuple[tuple[NetworkAddress, ...], tuple[NetworkAddress, ...]]:
    public: list[NetworkAddress] = []
    private: list[NetworkAddress] = []
    for addresses in server.addresses.values() if server.addresses else ():
        for found in addresses:
            address = NetworkAddress(found.addr, _IPV6 if found.version == 6 else _IPV4)
            (public if found.type == "floating" else private).append(address)
    if server.access_ipv4 or server.access_ipv6:
        known = {a.address for a in (*public, *private)}
        for text, kind in ((server.access_ipv4, _IPV4), (server.access_ipv6, _IPV6)):
            if text and text not in known:
                public.append(NetworkAddress(text, kind))
    return tuple(public), tuple(private)


def _image_tags(found: wire.Image, raw: msgspec.Raw) -> dict[str, str]:
    tags = dict.fromkeys(found.tags or (), "")
    if found.tag_names:
        try:
            names = msgspec.json.decode(found.tag_names, type=list[str])
        except msgspec.DecodeError:
            return tags
        properties: dict[str, Any] = msgspec.json.decode(raw)
        tags.update({n: str(properties[n]) for n in names if n in properties})
    return tags


def _fixed(value: float | str | None) -> HardwareProperty | None:
    return None if value is None else HardwareProperty(value=value)
