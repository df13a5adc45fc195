"""Instances: what switches them and shows their console."""

from __future__ import annotations

from functools import partial

import anyio

from anabranch.errors import CloudError, DeadlineExceeded, InvalidRequest, InvalidState
from anabranch.hooks import hookimpl
from anabranch.hooks.instances import InstancesSpec
from anabranch.models import Console, ConsoleKind, Instance
from anabranch.redaction import SecretStr
from anabranch.states import InstanceState
from anabranch_paci.client import PaciCloud, Session, session
from anabranch_paci.markup import Node
from anabranch_paci.servers import at_rest, find, interrupted, show, switch, switched
from anabranch_paci.settings import PaciSettings
from anabranch_paci.waiting import watch

__all__ = ["InstanceActions"]


class InstanceActions(InstancesSpec[PaciSettings]):
    """Servers: start, stop, reboot, console."""

    @hookimpl
    async def start_instance(self, cloud: PaciCloud, instance_id: str) -> Instance:
        return await switched(session(cloud), instance_id, "start")

    @hookimpl
    async def stop_instance(self, cloud: PaciCloud, instance_id: str) -> Instance:
        return await switched(session(cloud), instance_id, "stop")

    @hookimpl
    async def reboot_instance(self, cloud: PaciCloud, instance_id: str, hard: bool) -> Instance:
        del hard  # the feature is not offered
        # The platform has no reboot: it is a stop, the wait for its end, and a start. That it
        # runs is looked at before: a stop that is tried again cannot tell its own effect.
        paci = session(cloud)
        before = await show(paci, instance_id)
        if before.state is not InstanceState.RUNNING:
            remedy = "Start it" if before.state is InstanceState.STOPPED else ""
            state = before.platform_state
            raise InvalidState(f"it is {state} and cannot be rebooted", remedy=remedy)
        how_far = "may have been told to stop"
        try:
            await switch(paci, instance_id, "stop")
            how_far = "was told to stop"
            await _stopped(paci, instance_id)
            await switch(paci, instance_id, "start")
        except anyio.get_cancelled_exc_class():
            cloud.log.warning("paci.reboot.interrupted", instance_id=instance_id, so_far=how_far)
            raise
        except CloudError as exc:
            text = f"{instance_id!r} {how_far} and was not started again"
            raise interrupted(exc, text, "Start it when it is stopped") from exc
        return await show(paci, instance_id)

    @hookimpl
    async def get_instance_console(
        self, cloud: PaciCloud, instance_id: str, kind: ConsoleKind | None
    ) -> Console:
        if kind not in (None, ConsoleKind.VNC):
            raise InvalidRequest(
                f"PACI has no console of kind {kind}", remedy=f"Ask for {ConsoleKind.VNC}"
            )
        paci = session(cloud)
        # A second session in the place of the first does no harm.
        password = await paci.make("ve", instance_id, "console", idempotent=True)
        limit = cloud.settings.console_wait
        seen = await watch(partial(find, paci, instance_id), _has_address, limit)
        address = _address(seen.last) if seen.last else None
        if address is None:
            raise DeadlineExceeded(
                f"the console of {instance_id!r} was opened, but no address of it was told",
                remedy="Ask for it again",
            )
        return Console(
            kind=ConsoleKind.VNC,
            url=SecretStr(f"vnc://{address}"),
            password=SecretStr(password) if password else None,
        )


async def _stopped(paci: Session, name: str) -> None:
    """Wait until it is STOPPED: only then can it be started.

    Raises:
        InvalidState: it went elsewhere.
        DeadlineExceeded: it takes longer than may be waited.
    """
    limit = paci.cloud.settings.stop_wait
    seen = await watch(partial(show, paci, name), at_rest, limit)
    if seen.last and seen.done and seen.last.state is InstanceState.STOPPED:
        return
    state = seen.last.platform_state if seen.last else "not seen"
    raise (InvalidState if seen.done else DeadlineExceeded)(f"it is {state}")


def _has_address(ve: Node) -> bool:
    return _address(ve) is not None


def _address(ve: Node) -> str | None:
    console = ve.first("console")
    if console is None:
        return None
    address, port = console.value("address"), console.value("port")
    if not address or not port:
        return None
    host = address.partition("/")[0].strip()
    return f"[{host}]:{port.strip()}" if ":" in host else f"{host}:{port.strip()}"
