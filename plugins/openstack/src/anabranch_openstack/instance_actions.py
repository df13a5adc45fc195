"""Instances: what switches them, changes their size and shows their console."""

from __future__ import annotations

from typing import Final

import anyio
import msgspec

from anabranch.errors import Conflict, DeadlineExceeded, InvalidRequest, InvalidState, NotFound
from anabranch.features import Feature, offers
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Console, ConsoleKind, Instance
from anabranch.redaction import SecretStr
from anabranch.states import InstanceState
from anabranch_openstack.catalog import COMPUTE
from anabranch_openstack.client import OpenStackCloud, Session, session
from anabranch_openstack.replies import decoded
from anabranch_openstack.servers import act, acted, server_path, show
from anabranch_openstack.settings import OpenStackSettings
from anabranch_openstack.states import STARTING_TASKS

__all__ = ["InstanceActions"]

_WAKE: Final = {
    "PAUSED": "unpause",
    "SUSPENDED": "resume",
    "SHELVED": "unshelve",
    "SHELVED_OFFLOADED": "unshelve",
    "RESCUE": "unrescue",
}
"""What starts a server that is not simply off."""

_REMOTE_CONSOLES: Final = (2, 6)
_CONSOLES: Final = {
    ConsoleKind.NOVNC: ("vnc", "novnc"),
    ConsoleKind.SPICE: ("spice", "spice-html5"),
    ConsoleKind.SERIAL: ("serial", "serial"),
}
_CONSOLE_LINES: Final = 1000


class _RemoteConsole(msgspec.Struct, frozen=True):
    url: str


class _RemoteConsoleAnswer(msgspec.Struct, frozen=True):
    remote_console: _RemoteConsole


class _Output(msgspec.Struct, frozen=True):
    output: str | None = None


_REMOTE_CONSOLE: Final = msgspec.json.Decoder(_RemoteConsoleAnswer)
_OUTPUT: Final = msgspec.json.Decoder(_Output)


class InstanceActions(InstancesSpec[OpenStackSettings]):
    """Servers: start, stop, reboot, resize, console."""

    @hookimpl
    async def start_instance(self, cloud: OpenStackCloud, instance_id: str) -> Instance:
        nova = session(cloud)
        try:
            return await acted(
                nova,
                instance_id,
                {"os-start": None},
                was="SHUTOFF",
                task="powering-on",
                idempotent=True,
            )
        except Conflict:
            instance = await show(nova, instance_id)
            status, task = _platform(instance)
            if status in _WAKE and not task:
                await act(nova, instance_id, {_WAKE[status]: None})
            elif task in STARTING_TASKS or instance.state is InstanceState.RUNNING:
                return instance
            else:
                raise
            return await show(nova, instance_id)

    @hookimpl
    async def stop_instance(self, cloud: OpenStackCloud, instance_id: str) -> Instance:
        nova = session(cloud)
        try:
            return await acted(
                nova,
                instance_id,
                {"os-stop": None},
                was="ACTIVE",
                task="powering-off",
                idempotent=True,
            )
        except Conflict:
            instance = await show(nova, instance_id)
            off = instance.state in (InstanceState.STOPPED, InstanceState.STOPPING)
            if not off or _platform(instance)[1].endswith("deleting"):
                raise
            return instance

    @hookimpl
    @offers(Feature.HARD_REBOOT)
    async def reboot_instance(
        self, cloud: OpenStackCloud, instance_id: str, hard: bool
    ) -> Instance:
        nova = session(cloud)
        if hard:
            # Nova would start a stopped server; only a soft reboot it refuses by itself.
            instance = await show(nova, instance_id)
            if instance.state not in (InstanceState.RUNNING, InstanceState.ERROR):
                raise InvalidState(
                    f"the instance is {instance.platform_state} and cannot be rebooted",
                    remedy="Start it",
                )
        return await acted(
            nova,
            instance_id,
            {"reboot": {"type": "HARD" if hard else "SOFT"}},
            was="ACTIVE",
            task="rebooting_hard" if hard else "rebooting",
        )

    @hookimpl
    async def resize_instance(
        self, cloud: OpenStackCloud, instance_id: str, hardware_profile_id: str
    ) -> Instance:
        nova = session(cloud)
        instance = await show(nova, instance_id)
        status, _ = _platform(instance)
        if status != "RESIZE" and instance.hardware_profile_id != hardware_profile_id:
            try:
                await act(nova, instance_id, {"resize": {"flavorRef": hardware_profile_id}})
            except InvalidRequest as exc:
                if "flavor" not in exc.message.lower():
                    raise
                raise NotFound(
                    exc.message, provider_code=exc.provider_code, request_id=exc.request_id
                ) from exc
        elif status not in ("RESIZE", "VERIFY_RESIZE"):
            return instance
        return await _confirmed(nova, instance_id, hardware_profile_id)

    @hookimpl
    async def get_instance_console(
        self, cloud: OpenStackCloud, instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        nova = session(cloud)
        kind = kind or ConsoleKind.NOVNC
        if kind is ConsoleKind.TEXT:
            action = {"os-getConsoleOutput": {"length": _CONSOLE_LINES}}
            path = server_path(instance_id, "action")
            reply = await nova.request(COMPUTE, "POST", path, body=action, idempotent=True)
            return Console(kind=kind, text=decoded(reply, _OUTPUT).output or "")
        if kind not in _CONSOLES:
            known = ", ".join([*_CONSOLES, ConsoleKind.TEXT])
            raise InvalidRequest(
                f"OpenStack has no console of kind {kind}", remedy=f"Ask for one of: {known}"
            )
        protocol, form = _CONSOLES[kind]
        reply = await nova.request(
            COMPUTE,
            "POST",
            server_path(instance_id, "remote-consoles"),
            body={"remote_console": {"protocol": protocol, "type": form}},
            microversion=await nova.microversion(_REMOTE_CONSOLES, _REMOTE_CONSOLES),
            idempotent=True,
        )
        console = decoded(reply, _REMOTE_CONSOLE).remote_console
        return Console(kind=kind, url=SecretStr(console.url))


def _platform(instance: Instance) -> tuple[str, str]:
    status, _, task = instance.platform_state.partition("/")
    return status, task


async def _confirmed(nova: Session, instance_id: str, wanted: str) -> Instance:
    """Wait for a resize and confirm it.

    Whoever is cancelled, or runs out of time, leaves a server that waits for the confirmation;
    the same resize, asked for again, goes on from there.
    """
    pause = 0.25
    limit = nova.cloud.settings.resize_timeout
    confirmed = False
    with anyio.move_on_after(limit):
        while True:
            instance = await show(nova, instance_id)
            status, task = _platform(instance)
            if status == "VERIFY_RESIZE":
                if instance.hardware_profile_id != wanted:
                    other = instance.hardware_profile_id
                    raise InvalidState(f"a resize to {other} waits for its confirmation")
                if not confirmed and not task:
                    confirmed = await _confirm(nova, instance_id)
            elif status not in ("RESIZE", "MIGRATING") and not task:
                if instance.hardware_profile_id == wanted and status != "ERROR":
                    return instance
                reason = f": {instance.fault}" if instance.fault else ""
                raise Conflict(f"the cloud gave the resize up, the instance is {status}{reason}")
            await anyio.sleep(pause)
            pause = min(5.0, pause * 1.5)
    raise DeadlineExceeded(
        f"the resize was not over within {limit:g} s",
        remedy="Ask for the same resize again, which confirms it",
    )


async def _confirm(nova: Session, instance_id: str) -> bool:
    """Confirm a resize, unless the cloud itself did so in between."""
    try:
        await act(nova, instance_id, {"confirmResize": None}, idempotent=True)
    except Conflict:
        return False
    return True
