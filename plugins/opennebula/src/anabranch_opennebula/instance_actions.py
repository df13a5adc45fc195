"""Instances: what switches them on and off, destroys them, and shows their console."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final

import msgspec

from anabranch.errors import InvalidRequest, InvalidState, OperationNotSupported
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Console, ConsoleKind, Instance
from anabranch.redaction import SecretStr
from anabranch.states import InstanceState
from anabranch_opennebula.client import OpenNebulaCloud, session
from anabranch_opennebula.destruction import destroy
from anabranch_opennebula.settings import OpenNebulaSettings
from anabranch_opennebula.vms import act, show, vm_number

__all__ = ["InstanceActions"]

_GRAPHICS: Final = {"VNC": ConsoleKind.VNC, "SPICE": ConsoleKind.SPICE}
_BEING_DESTROYED: Final = frozenset({"SHUTDOWN", "EPILOG", "CLEANUP_DELETE"})


class InstanceActions(InstancesSpec[OpenNebulaSettings]):
    """VMs: start, stop, reboot, destroy, console."""

    @hookimpl
    async def start_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> Instance:
        one = session(cloud)
        number = vm_number(instance_id)
        try:
            await act(one, "resume", number, idempotent=True)
        except (InvalidState, OperationNotSupported):
            found = await show(one, instance_id)
            if found.platform_state == "HOLD":
                await act(one, "release", number, idempotent=True)
            elif found.state in (InstanceState.RUNNING, InstanceState.PENDING):
                return found
            else:
                raise
        return _under_way(await show(one, instance_id), InstanceState.RUNNING)

    @hookimpl
    async def stop_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> Instance:
        one = session(cloud)
        try:
            await act(one, "poweroff", vm_number(instance_id), idempotent=True)
        except (InvalidState, OperationNotSupported):
            found = await show(one, instance_id)
            destroyed = found.platform_state in _BEING_DESTROYED
            if found.state not in (InstanceState.STOPPED, InstanceState.STOPPING) or destroyed:
                raise
            return found
        return _under_way(await show(one, instance_id), InstanceState.STOPPED)

    @hookimpl
    @offers(Feature.HARD_REBOOT)
    async def reboot_instance(
        self, cloud: OpenNebulaCloud, instance_id: str, hard: bool
    ) -> Instance:
        one = session(cloud)
        verb = "reboot-hard" if hard else "reboot"
        await act(one, verb, vm_number(instance_id), idempotent=False)
        return await show(one, instance_id)

    @hookimpl
    async def destroy_instance(self, cloud: OpenNebulaCloud, instance_id: str) -> None:
        await destroy(session(cloud), vm_number(instance_id))

    @hookimpl
    async def get_instance_console(
        self, cloud: OpenNebulaCloud, instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        found = await show(session(cloud), instance_id)
        if found.state is not InstanceState.RUNNING:
            raise InvalidState(f"the instance is {found.platform_state} and has no console")
        return _console(found, kind)


def _under_way(found: Instance, target: InstanceState) -> Instance:
    """Show an action that was accepted: what oned shows may still be the state from before."""
    if found.busy or found.state in (target, InstanceState.ERROR, InstanceState.FINISH):
        return found
    state = InstanceState.STOPPING if target is InstanceState.STOPPED else InstanceState.PENDING
    return msgspec.structs.replace(found, state=state, busy=True, actions=())


def _console(found: Instance, kind: ConsoleKind | None) -> Console:
    graphics, history = found.extra.get("TEMPLATE", {}).get("GRAPHICS"), _last_record(found)
    told: Mapping[str, str] = graphics if isinstance(graphics, dict) else {}
    protocol, port = told.get("TYPE", "").upper(), told.get("PORT", "")
    its_kind = _GRAPHICS.get(protocol)
    if its_kind is None or not port:
        raise InvalidRequest("the instance has no VNC or SPICE console")
    if kind not in (None, its_kind):
        raise InvalidRequest(
            f"the instance has no console of kind {kind}", remedy=f"Ask for {its_kind}"
        )
    host, listen = history.get("HOSTNAME", ""), told.get("LISTEN", "")
    if not host or _is_loopback(listen):
        raise InvalidRequest(
            f"the console can be reached on its host alone: it listens on {listen or 'nothing'}",
            remedy="Open it in Sunstone, or give the template GRAPHICS/LISTEN = 0.0.0.0",
        )
    password = told.get("PASSWD")
    return Console(
        kind=its_kind,
        url=SecretStr(f"{protocol.lower()}://{host}:{port}"),
        password=SecretStr(password) if password else None,
    )


def _last_record(found: Instance) -> Mapping[str, str]:
    records = found.extra.get("HISTORY_RECORDS")
    history = records.get("HISTORY") if isinstance(records, dict) else None
    if isinstance(history, list):
        history = history[-1]
    return history if isinstance(history, dict) else {}


def _is_loopback(listen: str) -> bool:
    try:
        return ip_address(listen or "127.0.0.1").is_loopback
    except ValueError:
        return listen == "localhost"
