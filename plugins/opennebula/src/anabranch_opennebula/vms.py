"""Calls about one VM that several collections make: show it, act on it, wait for it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import anyio

from anabranch.errors import CloudError, Conflict, OutcomeUnknown, PermissionDenied
from anabranch.models import Instance
from anabranch.overlap import read_meanwhile
from anabranch_opennebula.client import Session, number_of
from anabranch_opennebula.machines import Machine, instance_of, machine_of
from anabranch_opennebula.reading import Thing
from anabranch_opennebula.states import ACTIVE, view

__all__ = ["act", "acted", "change_vm", "changed", "look", "show", "vm_number"]

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0


def vm_number(instance_id: str) -> int:
    """Return the number of an instance.

    Raises:
        NotFound: it is none.
    """
    return number_of(instance_id, "instance")


async def show(session: Session, instance_id: str) -> Instance:
    """Get one instance.

    Raises:
        NotFound: no such instance.
    """
    cloud = session.cloud
    public = frozenset(cloud.settings.public_networks)

    def convert(vm: Thing) -> Instance:
        return instance_of(cloud.name, public, vm)

    return await session.read(convert, "vm.info", vm_number(instance_id))


async def look(session: Session, number: int) -> Machine:
    """Get of a VM what the actions look at.

    Raises:
        NotFound: no such instance.
    """
    return await session.read(machine_of, "vm.info", number)


async def act(session: Session, verb: str, number: int, *, idempotent: bool) -> None:
    """Let oned do `verb`; it answers before anything happens.

    Raises:
        InvalidState: the state of the VM forbids it.
        Conflict: it is locked.
    """
    async with _locks_told(session, number):
        await session.change("vm.action", verb, number, idempotent=idempotent)


async def acted(session: Session, verb: str, instance_id: str, *, idempotent: bool) -> Instance:
    """Let oned do `verb`, and show the VM as it was when it was told to, or as it is since.

    Raises:
        InvalidState: the state of the VM forbids it.
        Conflict: it is locked.
    """
    number = vm_number(instance_id)
    return await read_meanwhile(
        partial(act, session, verb, number, idempotent=idempotent),
        partial(show, session, instance_id),
    )


async def change_vm(
    session: Session, method: str, number: int, *parameters: str | int, idempotent: bool = False
) -> int:
    """Call a method that changes a VM, and whose first parameter that is.

    Raises:
        InvalidState: the state of the VM forbids it.
        Conflict: it is locked.
    """
    async with _locks_told(session, number):
        return await session.change(method, number, *parameters, idempotent=idempotent)


@asynccontextmanager
async def _locks_told(session: Session, number: int) -> AsyncGenerator[None]:
    """Tell a VM that is locked from one that is forbidden: oned says the same of both."""
    try:
        yield
    except PermissionDenied as exc:
        if await session.read(_is_locked, "vm.info", number):
            raise Conflict(
                f"instance {number} is locked",
                provider_code=exc.provider_code,
                remedy="Unlock it in OpenNebula",
            ) from exc
        raise


def _is_locked(vm: Thing) -> bool:
    return vm.element.find("LOCK/LOCKED") is not None


async def changed(
    session: Session, number: int, what: str, done: Callable[[Machine], T | None]
) -> T:
    """Wait until a disk, interface or snapshot of a VM is as it was asked for.

    oned tells of no attachment that fails: the VM is at work, then it is not, and nothing has
    changed. (Right after the call it may not be at work yet.)

    Args:
        session: Whom to ask.
        number: Number of the VM.
        what: What is waited for, for the error.
        done: What to return once it is so; None: it is not.

    Raises:
        Conflict: the VM was at work, and it is not so.
        OutcomeUnknown: it took longer than the setting `change_timeout`, or cannot be seen.
    """
    seconds = session.cloud.settings.change_timeout
    pause = _FIRST_PAUSE
    worked = False
    with anyio.move_on_after(seconds):
        while True:
            machine = await _seen(session, number, what)
            if machine is not None:
                busy = machine.state == ACTIVE and view(machine.state, machine.lcm_state).busy
                found = done(machine)
                if found is not None and not busy:
                    return found
                if worked and not busy:
                    raise Conflict(f"the cloud tried, and failed: {what}")
                worked = worked or busy
            await anyio.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)
    raise OutcomeUnknown(
        f"accepted, but not so within {seconds:g} s: {what}", remedy="Look before you try again"
    )


async def _seen(session: Session, number: int, what: str) -> Machine | None:
    """Look at a VM that was told to change; None: it cannot be seen at the moment."""
    try:
        return await look(session, number)
    except CloudError as exc:
        if exc.retryable:
            return None
        raise OutcomeUnknown(
            f"accepted, but not seen to be so: {what}: {exc.message}",
            provider_code=exc.provider_code,
            remedy="Look before you try again",
        ) from exc
