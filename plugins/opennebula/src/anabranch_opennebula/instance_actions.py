"""Instances: what switches them on and off, destroys them, and shows their console."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import InvalidState, OperationNotSupported
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Console, ConsoleKind, Instance
from anabranch.states import InstanceState
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.consoles import console_of
from anabranch_opennebula.destruction import destroy
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.vms import acted, show, vm_number

__all__ = ["InstanceActions"]

_BEING_DESTROYED: Final = frozenset({"SHUTDOWN", "EPILOG", "CLEANUP_DELETE"})


class InstanceActions(InstancesSpec[OpenNebulaSettings]):
    """VMs: start, stop, reboot, destroy, console."""

    @hookimpl
    async def start_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> Instance:
        one = session(cloud)
        try:
            found = await acted(one, "resume", instance_id, idempotent=True)
        except (InvalidState, OperationNotSupported):
            found = await show(one, instance_id)
            if found.platform_state == "HOLD":
                found = await acted(one, "release", instance_id, idempotent=True)
            elif found.state in (InstanceState.RUNNING, InstanceState.PENDING):
                return found
            else:
                raise
        return _under_way(found, InstanceState.RUNNING)

    @hookimpl
    async def stop_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> Instance:
        one = session(cloud)
        try:
            found = await acted(one, "poweroff", instance_id, idempotent=True)
        except (InvalidState, OperationNotSupported):
            found = await show(one, instance_id)
            destroyed = found.platform_state in _BEING_DESTROYED
            if found.state not in (InstanceState.STOPPED, InstanceState.STOPPING) or destroyed:
                raise
            return found
        return _under_way(found, InstanceState.STOPPED)

    @hookimpl
    @offers(Feature.HARD_REBOOT)
    async def reboot_instance(
        self, cloud: OpenNebulaCloud, instance_id: str, hard: bool
    ) -> Instance:
        verb = "reboot-hard" if hard else "reboot"
        return await acted(session(cloud), verb, instance_id, idempotent=False)

    @hookimpl
    async def destroy_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> None:
        await destroy(session(cloud), vm_number(instance_id))

    @hookimpl
    async def get_instance_console(
        self, cloud: OpenNebulaCloud, instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        return await console_of(session(cloud), vm_number(instance_id), kind)


def _under_way(found: Instance, target: InstanceState) -> Instance:
    """Show an action that was accepted: what was seen may be the state from before."""
    if found.busy or found.state in (target, InstanceState.ERROR, InstanceState.FINISH):
        return found
    state = InstanceState.STOPPING if target is InstanceState.STOPPED else InstanceState.PENDING
    return msgspec.structs.replace(found, state=state, busy=True, actions=())
