"""The data set `generated`: as many instances as wanted, of the sorts that a company has.

It depends on the name of the cloud and on nothing else: every start makes the same.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from random import Random
from typing import Final, NamedTuple

import msgspec

from anabranch.models import (
    Address,
    AttachedVolume,
    Firewall,
    FirewallRule,
    HardwareProfile,
    Image,
    Instance,
    Key,
    Network,
    NetworkAddress,
    NetworkInterface,
    NetworkState,
    RuleSource,
    StorageVolume,
    StorageVolumeState,
    Subnet,
)
from anabranch.states import InstanceState
from anabranch_mock.machines import fit, new_instance
from anabranch_mock.settings import USERNAME
from anabranch_mock.states import in_state, move
from anabranch_mock.store import MockStore

__all__ = ["fill"]


def fill(store: MockStore, count: int) -> None:
    """Put `count` instances, and what belongs to them, into a cloud that has none."""
    chance = Random(store.cloud)
    _add_surroundings(store)
    choices = _Choices(
        images=[image for image in store.images if image.public],
        profiles=list(store.hardware_profiles),
        realm_ids=[realm.id for realm in store.realms],
        key_ids=[key.id for key in store.keys],
        firewall_ids={firewall.name: firewall.id for firewall in store.firewalls},
    )
    for number in range(count):
        instance = _add_instance(store, chance, choices, number)
        _add_interface(store, instance, number)
        if instance.tags["role"] == "db":
            _add_volume(store, instance, chance)
        if instance.tags["role"] == "proxy" and len(store.addresses) < _MOST_ADDRESSES:
            _add_address(store, instance)


class _Choices(NamedTuple):
    """What instances are made of."""

    images: list[Image]
    profiles: list[HardwareProfile]
    realm_ids: list[str]
    key_ids: list[str]
    firewall_ids: dict[str, str]


def _add_surroundings(store: MockStore) -> None:
    for name in _IMAGES:
        image_id = store.images.new_id()
        store.images.load(
            Image(
                cloud=store.cloud,
                id=image_id,
                name=name,
                owner_id="operator",
                architecture="x86_64",
                platform_state="available",
                created_at=_FIRST_DAY,
                size_bytes=600_000_000,
                public=True,
            )
        )
    for name in ("alice", "bob", "deploy"):
        store.keys.load(Key(cloud=store.cloud, id=name, name=name))
    for role, port in _ROLES.items():
        rule = FirewallRule(
            id=f"rule{next(store.rule_numbers)}",
            protocol="tcp",
            port_from=port,
            port_to=port,
            sources=(RuleSource(cidr="10.0.0.0/8"),),
        )
        store.firewalls.load(
            Firewall(
                cloud=store.cloud,
                id=store.firewalls.new_id(),
                name=role,
                description=f"Lets the company reach its {role} instances",
                owner_id=USERNAME,
                rules=(rule,),
            )
        )
    network_id, subnet_id = store.networks.new_id(), store.subnets.new_id()
    store.networks.load(
        Network(
            cloud=store.cloud,
            id=network_id,
            name="company",
            state=NetworkState.UP,
            address_blocks=("10.0.0.0/8",),
            subnet_ids=(subnet_id,),
        )
    )
    store.subnets.load(
        Subnet(
            cloud=store.cloud,
            id=subnet_id,
            name="company",
            network_id=network_id,
            address_block="10.64.0.0/12",
            state=NetworkState.UP,
            gateway="10.64.0.1",
            kind="PRIVATE",
        )
    )


def _add_instance(store: MockStore, chance: Random, choices: _Choices, number: int) -> Instance:
    role, firewall_id = chance.choice(list(choices.firewall_ids.items()))
    stage = chance.choices(("prod", "test", "dev"), weights=(5, 3, 2))[0]
    image, profile = chance.choice(choices.images), chance.choice(choices.profiles)
    created_at = _FIRST_DAY + timedelta(minutes=chance.randrange(60 * 24 * 700))
    instance = new_instance(
        store,
        image,
        profile,
        name=f"{role}-{stage}-{number:03}",
        realm_id=chance.choice(choices.realm_ids),
        hardware=fit(profile),
        key_id=chance.choice(choices.key_ids),
        firewall_ids=(firewall_id,),
        tags={"role": role, "stage": stage, "team": chance.choice(_TEAMS)},
        created_at=created_at,
    )
    state = chance.choices(_STATES, weights=_SHARES)[0]
    fault = "The host has failed" if state is InstanceState.ERROR else ""
    launched_at = created_at + timedelta(seconds=chance.randrange(20, 90))
    store.instances.put(
        msgspec.structs.replace(in_state(instance, state), fault=fault, launched_at=launched_at)
    )
    if state is InstanceState.PENDING:
        move(store, instance, state, _BOOT_SECONDS, InstanceState.RUNNING)
    return store.instances.get(instance.id)


def _add_interface(store: MockStore, instance: Instance, number: int) -> None:
    nic_id, subnet = store.network_interfaces.new_id(), next(iter(store.subnets))
    address = str(_FIRST_ADDRESS + number)
    store.network_interfaces.load(
        NetworkInterface(
            cloud=store.cloud,
            id=nic_id,
            name=nic_id,
            network_id=subnet.network_id,
            subnet_id=subnet.id,
            instance_id=instance.id,
            ip_addresses=(address,),
            state=NetworkState.UP,
            firewall_ids=instance.firewall_ids,
        )
    )
    store.instances.put(
        msgspec.structs.replace(
            instance,
            network_interface_ids=(nic_id,),
            private_addresses=(NetworkAddress(address),),
        )
    )


def _add_volume(store: MockStore, instance: Instance, chance: Random) -> None:
    volume_id = store.storage_volumes.new_id()
    store.storage_volumes.load(
        StorageVolume(
            cloud=store.cloud,
            id=volume_id,
            name=f"{instance.name}-data",
            state=StorageVolumeState.IN_USE,
            platform_state="in-use",
            capacity_gb=chance.choice((50, 100, 500, 2000)),
            realm_id=instance.realm_id,
            kind="ssd",
            created_at=instance.created_at,
            instance_id=instance.id,
            device="/dev/vdb",
        )
    )
    store.instances.put(
        msgspec.structs.replace(
            store.instances.get(instance.id),
            storage_volumes=(AttachedVolume(volume_id, "/dev/vdb"),),
        )
    )


def _add_address(store: MockStore, instance: Instance) -> None:
    ip = f"192.168.0.{len(store.addresses) + 1}"
    store.addresses.load(
        Address(
            cloud=store.cloud,
            id=ip,
            name=ip,
            ip=ip,
            instance_id=instance.id,
            network_id="net1",
            platform_state="in-use",
        )
    )
    store.instances.put(
        msgspec.structs.replace(
            store.instances.get(instance.id), public_addresses=(NetworkAddress(ip),)
        )
    )


_FIRST_DAY: Final = datetime(2024, 11, 1, 8, 0, tzinfo=UTC)
_FIRST_ADDRESS: Final = IPv4Address("10.64.0.2")
_BOOT_SECONDS: Final = 120.0
_MOST_ADDRESSES: Final = 200
_TEAMS: Final = ("billing", "data", "platform", "search", "shop")
_IMAGES: Final = (
    "AlmaLinux 10",
    "Debian 12 (bookworm)",
    "Debian 13 (trixie)",
    "Fedora 43",
    "Rocky Linux 9",
    "Ubuntu 22.04 LTS",
    "Ubuntu 24.04 LTS",
    "Windows Server 2025",
)
_ROLES: Final = {
    "api": 8080,
    "build": 22,
    "cache": 6379,
    "db": 5432,
    "mail": 25,
    "proxy": 443,
    "queue": 5672,
    "web": 80,
}
"""What instances are for, and the port that they listen on."""
_STATES: Final = (
    InstanceState.RUNNING,
    InstanceState.STOPPED,
    InstanceState.PENDING,
    InstanceState.ERROR,
)
_SHARES: Final = (80, 16, 2, 2)
