"""Documents of compute to models: pure functions."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Final

import msgspec

from anabranch.models import (
    Authentication,
    Extra,
    Hardware,
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
from anabranch_cloudstack import wire
from anabranch_cloudstack.states import view
from anabranch_cloudstack.values import number, tags_of, utc

__all__ = ["CLIENT_TOKEN", "hardware_profile", "image", "instance", "key", "quota", "realm"]

CLIENT_TOKEN: Final = "anabranch_client_token"
"""The detail of a virtual machine that holds the token of its create.

Details come with the request that deploys, tags only after it. `UserVmManagerImpl` keeps every key,
and `UserVmJoinDaoImpl` shows users all but those in `user.vm.denied.details`, whatever part of the
machine is asked for: so from 4.11 to 4.22.
"""

_SECRETS: Final = frozenset({"password", "userdata", "privatekey"})


def _names(kind: type[msgspec.Struct], *kept: str) -> frozenset[str]:
    fields = {field.encode_name for field in msgspec.structs.fields(kind)}
    return frozenset(fields.difference(kept) | _SECRETS)


_VM: Final = _names(wire.VirtualMachine, "nic", "securitygroup", "details", "name")
_ZONE: Final = _names(wire.Zone, "networktype", "securitygroupsenabled")
_OFFERING: Final = _names(wire.ServiceOffering, "cpuspeed", "iscustomized")
_TEMPLATE: Final = _names(wire.Template)
_KEYPAIR: Final = _names(wire.KeyPair)
_IPV4, _IPV6 = NetworkAddressKind.IPV4, NetworkAddressKind.IPV6


def realm(cloud: str, zone: wire.Zone, raw: msgspec.Raw) -> Realm:
    """Convert a zone; a disabled one refuses what users deploy."""
    enabled = zone.allocationstate in (None, "Enabled")
    return Realm(
        cloud=cloud,
        id=zone.id,
        name=zone.name or "",
        state=RealmState.AVAILABLE if enabled else RealmState.UNAVAILABLE,
        extra=Extra(raw, _ZONE),
    )


_MOST: Final = 2**31 - 1
"""Greatest number that CloudStack takes for the processors and MiB of a free offering."""


def hardware_profile(
    cloud: str, offering: wire.ServiceOffering, raw: msgspec.Raw
) -> HardwareProfile:
    """Convert a service offering: a custom one has ranges, its root disk is counted in GiB."""
    details = offering.details or {}
    custom = offering.iscustomized
    disk = number(offering.rootdisksize)
    return HardwareProfile(
        cloud=cloud,
        id=offering.id,
        name=offering.name or "",
        cpu=_property(number(offering.cpunumber), custom, details, "cpunumber", 1),
        memory_mib=_property(number(offering.memory), custom, details, "memory", 512),
        storage_gb=None if disk is None else HardwareProperty(value=disk),
        root_type=RootType.PERSISTENT,
        extra=Extra(raw, _OFFERING),
    )


def _property(
    fixed: int | None, custom: bool, details: Mapping[str, str], name: str, default: int
) -> HardwareProperty | None:
    if fixed is not None:
        return HardwareProperty(value=fixed)
    if not custom:
        return None
    first = number(details.get(f"min{name}"))
    last = number(details.get(f"max{name}")) or _MOST
    if first is None:
        return HardwareProperty(value=min(default, last), first=1, last=last)
    return HardwareProperty(value=first, first=first, last=last)


def image(cloud: str, template: wire.Template, raw: msgspec.Raw) -> Image:
    """Convert a template or an ISO."""
    status = template.status or ("Ready" if template.isready else "")
    return Image(
        cloud=cloud,
        id=template.id,
        name=template.name or "",
        description=template.displaytext or "",
        owner_id=template.account,
        architecture=template.arch or None,
        state=_image_state(template),
        platform_state=status,
        created_at=utc(template.created),
        size_bytes=template.size,
        root_type=RootType.PERSISTENT,
        public=template.ispublic,
        tags=tags_of(template.tags),
        extra=Extra(raw, _TEMPLATE),
    )


def _image_state(template: wire.Template) -> ImageState:
    if template.isready:
        return ImageState.AVAILABLE
    status = (template.status or "").lower()
    if "error" in status or "fail" in status or "abandon" in status:
        return ImageState.ERROR
    return ImageState.UNKNOWN if template.isready is None else ImageState.PENDING


def instance(cloud: str, vm: wire.VirtualMachine, raw: msgspec.Raw) -> Instance:
    """Convert a virtual machine. It is called by its display name; `name` is the host name."""
    state, busy, actions = view(vm.state)
    public, private = _addresses(vm)
    key_id = vm.keypairs or vm.keypair or None
    cpu, memory = number(vm.cpunumber), number(vm.memory)
    return Instance(
        cloud=cloud,
        id=vm.id,
        name=vm.displayname or vm.name or "",
        state=state,
        platform_state=vm.state,
        busy=busy,
        actions=actions,
        owner_id=vm.account,
        image_id=vm.templateid,
        realm_id=vm.zoneid,
        hardware_profile_id=vm.serviceofferingid,
        hardware=Hardware(cpu=cpu, memory_mib=memory) if cpu or memory else None,
        public_addresses=public,
        private_addresses=private,
        created_at=utc(vm.created),
        key_id=key_id,
        authentication=Authentication(key_id=key_id, password=SecretStr(vm.password))
        if vm.password
        else None,
        firewall_ids=tuple([g.id for g in vm.securitygroup if g.id]) if vm.securitygroup else (),
        network_interface_ids=tuple([nic.id for nic in vm.nic]) if vm.nic else (),
        tags=tags_of(vm.tags),
        client_token=_client_token(vm),
        extra=Extra(raw, _VM),
    )


def _client_token(vm: wire.VirtualMachine) -> str | None:
    token = vm.details.get(CLIENT_TOKEN) if vm.details else None
    return None if token is None else str(token)


def _addresses(
    vm: wire.VirtualMachine,
) -> tuple[tuple[NetworkAddress, ...], tuple[NetworkAddress, ...]]:
    """Return public and private ones: who is on a shared network may have a public one there."""
    public: list[NetworkAddress] = []
    private: list[NetworkAddress] = []
    if vm.publicip:
        public.append(NetworkAddress(vm.publicip, _IPV4))
    for nic in vm.nic or ():
        shared = nic.type == "Shared"
        if nic.ipaddress:
            own = public if shared and _global(nic.ipaddress) else private
            own.append(NetworkAddress(nic.ipaddress, _IPV4))
        if nic.ip6address:
            own = public if _global(nic.ip6address) else private
            own.append(NetworkAddress(nic.ip6address, _IPV6))
    return tuple(public), tuple(private)


def _global(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False


def key(cloud: str, pair: wire.KeyPair, raw: msgspec.Raw) -> Key:
    """Convert a key pair: its name is its id, unique within the account."""
    return Key(
        cloud=cloud,
        id=pair.name,
        name=pair.name,
        fingerprint=pair.fingerprint,
        public_key=pair.publickey,
        private_key=SecretStr(pair.privatekey) if pair.privatekey else None,
        extra=Extra(raw, _KEYPAIR),
    )


_QUOTAS: Final = {
    "0": ("instances", "vmtotal", "count"),
    "1": ("addresses", "iptotal", "count"),
    "2": ("storage_volumes", "volumetotal", "count"),
    "3": ("storage_snapshots", "snapshottotal", "count"),
    "4": ("images", "templatetotal", "count"),
    "5": ("projects", "projecttotal", "count"),
    "6": ("networks", "networktotal", "count"),
    "7": ("vpcs", "vpctotal", "count"),
    "8": ("cpu", "cputotal", "count"),
    "9": ("memory", "memorytotal", "MiB"),
    "10": ("primary_storage", "primarystoragetotal", "GiB"),
    "11": ("secondary_storage", "secondarystoragetotal", "GiB"),
}
"""Ours by CloudStack's number of the resource: name, where an account tells the use, unit."""


def quota(
    cloud: str, limit: wire.ResourceLimit, used: Mapping[str, object], raw: msgspec.Raw
) -> Quota:
    """Convert a resource limit, with the totals of the account."""
    number_of = str(limit.resourcetype)
    fallback = limit.resourcetypename or number_of
    name, total, unit = _QUOTAS.get(number_of, (fallback, f"{fallback}total", "count"))
    most = number(limit.max)
    count = used.get(total)
    return Quota(
        cloud=cloud,
        id=name,
        name=name,
        limit=None if most is None or most < 0 else most,
        used=number(count) if isinstance(count, (int, float, str)) else None,
        unit=unit,
        extra=Extra(raw),
    )
