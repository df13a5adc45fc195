"""Instances: what switches them, changes their size and shows their console."""

from __future__ import annotations

from typing import Final

import msgspec

from anabranch.errors import (
    CloudError,
    Conflict,
    InvalidRequest,
    InvalidState,
    PermissionDenied,
)
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Console, ConsoleKind, Instance
from anabranch.redaction import SecretStr
from anabranch.states import InstanceState
from anabranch_cloudstack.client import CloudStackCloud, Parameters, session
from anabranch_cloudstack.machines import Undertaking, begun, show, undertakings
from anabranch_cloudstack.replies import decoded
from anabranch_cloudstack.settings import CloudStackSettings

__all__ = ["InstanceActions"]

_S = InstanceState
_GONE: Final = (_S.ERROR, _S.FINISH)


class _Endpoint(msgspec.Struct, frozen=True):
    success: bool = True
    url: str | None = None
    details: str | None = None


class _Console(msgspec.Struct, frozen=True):
    consoleendpoint: _Endpoint


_CONSOLE: Final = msgspec.json.Decoder(_Console)


class InstanceActions(InstancesSpec[CloudStackSettings]):
    """Virtual machines: start, stop, reboot, resize, console."""

    @hookimpl
    async def start_instance(self, cloud: CloudStackCloud, instance_id: str) -> Instance:
        before = await show(cloud, instance_id)
        if before.state in (_S.RUNNING, _S.PENDING):
            return before
        _refuse(before, "started", (*_GONE, _S.STOPPING))
        return await _begin(cloud, before, "startVirtualMachine", {}, _S.PENDING)

    @hookimpl
    async def stop_instance(self, cloud: CloudStackCloud, instance_id: str) -> Instance:
        before = await show(cloud, instance_id)
        if before.state in (_S.STOPPED, _S.STOPPING):
            return before
        _refuse(before, "stopped", _GONE)
        return await _begin(cloud, before, "stopVirtualMachine", {}, _S.STOPPING)

    @hookimpl
    @offers(Feature.HARD_REBOOT)
    async def reboot_instance(
        self, cloud: CloudStackCloud, instance_id: str, hard: bool
    ) -> Instance:
        before = await show(cloud, instance_id)
        if before.state is not _S.RUNNING or before.busy:
            raise _forbidden(before, "rebooted")
        forced: Parameters = {"forced": True} if hard else {}
        return await _begin(cloud, before, "rebootVirtualMachine", forced, _S.RUNNING)

    @hookimpl
    async def resize_instance(
        self, cloud: CloudStackCloud, instance_id: str, hardware_profile_id: str
    ) -> Instance:
        before = await show(cloud, instance_id)
        if before.hardware_profile_id == hardware_profile_id:
            return before
        running = before.state is _S.RUNNING
        if before.busy or not (running or before.state is _S.STOPPED):
            raise _forbidden(before, "resized")
        try:
            await session(cloud).carry_out(
                "scaleVirtualMachine" if running else "changeServiceForVirtualMachine",
                {"id": instance_id, "serviceofferingid": hardware_profile_id},
                idempotent=True,
            )
        except (Conflict, InvalidRequest) as exc:
            if running:
                exc.remedy = "Stop it, resize it, and start it"
            raise
        return await show(cloud, instance_id)

    @hookimpl
    async def get_instance_console(
        self, cloud: CloudStackCloud, instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        if kind not in (None, ConsoleKind.NOVNC):
            raise InvalidRequest(
                f"CloudStack has no console of kind {kind}",
                remedy=f"Ask for {ConsoleKind.NOVNC}",
            )
        body = await session(cloud).carry_out(
            "createConsoleEndpoint", {"virtualmachineid": instance_id}, idempotent=True
        )
        endpoint = decoded(body, _CONSOLE).consoleendpoint
        if not endpoint.success or not endpoint.url:
            raise _no_console(endpoint.details or "the instance has no console now")
        return Console(kind=ConsoleKind.NOVNC, url=SecretStr(endpoint.url))


async def _begin(
    cloud: CloudStackCloud,
    before: Instance,
    command: str,
    parameters: Parameters,
    state: InstanceState,
) -> Instance:
    """Ask for an action, and return the instance as it is from then on."""
    accepted = await session(cloud).change(
        command,
        {"id": before.id, **parameters},
        # A second reboot is another one; a second start or stop finds its work done.
        idempotent=command != "rebootVirtualMachine",
    )
    if accepted.jobid:
        undertakings(cloud).begin(before.id, Undertaking(accepted.jobid, state))
    return begun(before, state)


def _refuse(instance: Instance, done: str, states: tuple[InstanceState, ...]) -> None:
    if instance.state in states:
        raise _forbidden(instance, done)


def _no_console(details: str) -> CloudError:
    """Make the error for a console that is refused: by a 200 and a text, whatever is the matter."""
    if details == "Permission denied":
        return PermissionDenied(details)
    text = details.removeprefix("Server Internal Error: ").partition(", sending blank")[0]
    return InvalidState(text, remedy="Start it" if "must be running" in text else "")


def _forbidden(instance: Instance, done: str) -> InvalidState:
    return InvalidState(f"the instance is {instance.platform_state} and cannot be {done}")
