"""From the documents of the Acme API to the models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from anabranch import models
from anabranch.states import InstanceState, StateMachine

from . import wire

__all__ = ["STATES", "hardware_profile", "image", "instance", "key"]

STATES: Final = StateMachine(
    ("START", "create", "PENDING"),
    ("PENDING", None, "RUNNING"),
    ("RUNNING", "stop", "STOPPING"),
    ("STOPPING", None, "STOPPED"),
    ("STOPPED", "start", "PENDING"),
    ("RUNNING", "destroy", "FINISH"),
    ("STOPPED", "destroy", "FINISH"),
    ("ERROR", "destroy", "FINISH"),
)

_STATES: Final[Mapping[str, InstanceState]] = {
    "booting": InstanceState.PENDING,
    "up": InstanceState.RUNNING,
    "halting": InstanceState.STOPPING,
    "down": InstanceState.STOPPED,
    "broken": InstanceState.ERROR,
}


def instance(cloud: str, found: wire.Machine) -> models.Instance:
    state = _STATES.get(found.status or "", InstanceState.UNKNOWN)
    return models.Instance(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        state=state,
        platform_state=found.status or "",
        actions=STATES.actions(state),
        image_id=found.image,
        hardware_profile_id=found.size,
        key_id=found.key,
        public_addresses=(models.NetworkAddress(found.address),) if found.address else (),
        client_token=found.token,
    )


def image(cloud: str, found: wire.Image) -> models.Image:
    return models.Image(cloud=cloud, id=found.id, name=found.name or "")


def hardware_profile(cloud: str, found: wire.Size) -> models.HardwareProfile:
    return models.HardwareProfile(
        cloud=cloud,
        id=found.id,
        name=found.name or "",
        cpu=_fixed(found.cpus),
        memory_mib=_fixed(found.memory),
    )


def key(cloud: str, found: wire.Key) -> models.Key:
    return models.Key(
        cloud=cloud,
        id=found.id,
        name=found.id,
        fingerprint=found.fingerprint,
        public_key=found.public,
    )


def _fixed(value: int | None) -> models.HardwareProperty | None:
    return None if value is None else models.HardwareProperty(value=value)
