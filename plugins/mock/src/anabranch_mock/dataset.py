"""What is in a cloud to begin with: what its operator put there, and one data set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import msgspec

from anabranch.models import (
    HardwareProfile,
    HardwareProperty,
    Image,
    Network,
    NetworkState,
    Realm,
    RootType,
)
from anabranch_mock import deltacloud, generated, odd
from anabranch_mock.settings import USERNAME, Dataset
from anabranch_mock.store import MockCloud, MockStore

__all__ = ["open_store"]


def open_store(cloud: MockCloud) -> MockStore:
    """Make the state of a cloud as it is before its first use."""
    store = MockStore(cloud)
    _furnish(store)
    match cloud.settings.dataset:
        case Dataset.DELTACLOUD:
            deltacloud.fill(store)
        case Dataset.GENERATED:
            generated.fill(store, cloud.settings.instances)
        case Dataset.EMPTY:
            pass
    if cloud.settings.odd_data:
        odd.fill(store)
    return store


def _furnish(store: MockStore) -> None:
    for realm_id, name in (("us", "United States"), ("eu", "Europe")):
        store.realms.load(Realm(cloud=store.cloud, id=realm_id, name=name))
    for profile in _PROFILES:
        store.hardware_profiles.load(
            msgspec.structs.replace(profile, cloud=store.cloud, name=profile.id)
        )
    for description, owner_id, architecture in _IMAGES:
        image_id = store.images.new_id()
        store.images.load(
            Image(
                cloud=store.cloud,
                id=image_id,
                name=image_id,
                description=description,
                owner_id=owner_id,
                architecture=architecture,
                platform_state="available",
                created_at=_IMAGES_MADE,
                size_bytes=2 * 1024**3,
                root_type=RootType.TRANSIENT,
                hardware_profile_ids=tuple(profile.id for profile in _PROFILES),
                public=owner_id != USERNAME,
            )
        )
    store.networks.load(
        Network(
            cloud=store.cloud,
            id=store.networks.new_id(),
            name="network1",
            state=NetworkState.UP,
            address_blocks=("192.168.0.0/16",),
            external=True,
        )
    )


_IMAGES_MADE: Final = datetime(2012, 10, 25, 12, 27, 53, tzinfo=UTC)
_IMAGES: Final = (
    ("Fedora 10", "fedoraproject", "x86_64"),
    ("Fedora 10", "fedoraproject", "i386"),
    ("JBoss", USERNAME, "i386"),
)

_PROFILES: Final = (
    HardwareProfile(
        cloud="",
        id="m1-small",
        cpu=HardwareProperty(value=1),
        memory_mib=HardwareProperty(value=1740),
        storage_gb=HardwareProperty(value=160),
        architecture=HardwareProperty(value="i386"),
    ),
    HardwareProfile(
        cloud="",
        id="m1-large",
        cpu=HardwareProperty(value=1, first=1, last=6),
        memory_mib=HardwareProperty(value=10240, first=7680, last=15360),
        storage_gb=HardwareProperty(value=850, choices=(850, 1024)),
        architecture=HardwareProperty(value="x86_64"),
    ),
    HardwareProfile(
        cloud="",
        id="m1-xlarge",
        cpu=HardwareProperty(value=4),
        memory_mib=HardwareProperty(value=12288, first=12288, last=32768),
        storage_gb=HardwareProperty(value=1024, choices=(1024, 2048, 4096)),
        architecture=HardwareProperty(value="x86_64"),
    ),
    HardwareProfile(cloud="", id="opaque"),  # some clouds tell nothing about their profiles
)
