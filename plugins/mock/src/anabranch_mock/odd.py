"""Odd data: what front ends must survive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from anabranch.models import Instance, NetworkAddress, NetworkAddressKind
from anabranch.states import InstanceState
from anabranch_mock.machines import fit, new_instance
from anabranch_mock.states import in_state
from anabranch_mock.store import MockStore

__all__ = ["fill"]


def fill(store: MockStore) -> None:
    """Add odd instances, an odd image and an odd id to a cloud."""
    image, profile = next(iter(store.images)), next(iter(store.hardware_profiles))
    for fields in _INSTANCES:
        made = new_instance(store, image, profile, realm_id="us", hardware=fit(profile))
        running = in_state(made, InstanceState.RUNNING)
        store.instances.put(msgspec.structs.replace(running, **fields))
    store.instances.load(
        Instance(
            cloud=store.cloud,
            id='odd/<id> & "more"?#%20',
            name="an id with all that a URL or a page must escape",
            state=InstanceState.UNKNOWN,
            platform_state="",
        )
    )
    store.images.load(
        msgspec.structs.replace(
            image, id=store.images.new_id(), name="", description='<b>bold</b> & "quoted"'
        )
    )


_INSTANCES: Final[tuple[Mapping[str, Any], ...]] = (
    {"name": "no address", "public_addresses": (), "private_addresses": ()},
    {
        "name": "unknown state",
        "state": InstanceState.UNKNOWN,
        "platform_state": "defenestrated",
        "actions": (),
    },
    {
        "name": "in error",
        "state": InstanceState.ERROR,
        "platform_state": "error",
        "actions": (),
        "fault": "No valid host was found. <a href='javascript:alert(1)'>Details</a>",
    },
    {"name": "huge " + "name " * 2_000},
    {"name": "\"double\" and 'single' quotes \\ and `back ticks`"},
    {"name": "<script>alert('mock')</script>"},
    {"name": "Marks & Spencer &amp; Sons"},
    {"name": "\N{ROCKET} café \N{CJK UNIFIED IDEOGRAPH-4E91} \N{RIGHT-TO-LEFT OVERRIDE}nomed"},
    {"name": "line one\nline two\ttabbed"},
    {"name": "=1+1", "tags": {"<i>": "&", "": "no name", "empty": ""}},
    {
        "name": "knows almost nothing",
        "owner_id": None,
        "image_id": None,
        "realm_id": None,
        "hardware_profile_id": None,
        "hardware": None,
        "created_at": None,
        "launched_at": None,
    },
    {
        "name": "every kind of address",
        "public_addresses": (
            NetworkAddress("2001:db8::1", NetworkAddressKind.IPV6),
            NetworkAddress("203.0.113.7"),
            NetworkAddress("vnc.mock.example", NetworkAddressKind.VNC, 5901),
        ),
        "private_addresses": (NetworkAddress("52:54:00:12:34:56", NetworkAddressKind.MAC),),
    },
)
